// API keys of the simulated Console.
import { base64url } from "../lib/random.ts";
import { digest, type LedgerDeps } from "./ledger.ts";
import type { SimulatedPerson } from "./people.ts";

export const createKeys = ({ random }: Pick<LedgerDeps, "random">) => {
  const keys = new Map<string, SimulatedPerson>();
  return {
    /** The key's text, told once. */
    add(person: SimulatedPerson): string {
      const text = `sk-ant-api03-${base64url(random(71))}`;
      keys.set(digest(text), person);
      return text;
    },
    /** Whose key this is; null when it is unknown or revoked. */
    holder: (text: string): SimulatedPerson | null => keys.get(digest(text)) ?? null,
    revokeAll: () => keys.clear(),
  };
};
