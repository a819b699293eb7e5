// Authorization codes: for one use within ten minutes, bound to what the authorize page agreed to.
import { base64url } from "../lib/random.ts";
import { digest, type Chain, type Consent, type Grantee, type Issued, type LedgerDeps } from "./ledger.ts";

export type CodeCheck = { readonly ok: true; readonly consent: Consent; readonly grant: () => Issued } | { readonly ok: false };

type Code = { readonly consent: Consent; readonly expiresAt: number; chain: Chain | null };

const lifetimeMs = 600_000;

/** `tokens` starts and continues the chain that a code is exchanged for. */
export const createCodes = (deps: LedgerDeps, tokens: { start(grantee: Grantee): Chain; issue(chain: Chain): Issued }) => {
  const codes = new Map<string, Code>();
  return {
    add(consent: Consent): string {
      const text = base64url(deps.random(32));
      codes.set(digest(text), { consent, expiresAt: deps.clock.now() + lifetimeMs, chain: null });
      return text;
    },
    /** A second use of a code revokes what the first one gave (RFC 6749 section 4.1.2). */
    check(text: string): CodeCheck {
      const code = codes.get(digest(text));
      if (code === undefined) return { ok: false };
      if (code.chain !== null) code.chain.revoked = true;
      if (code.chain !== null || deps.clock.now() >= code.expiresAt) return { ok: false };
      const grant = (): Issued => {
        code.chain = tokens.start(code.consent);
        return tokens.issue(code.chain);
      };
      return { ok: true, consent: code.consent, grant };
    },
  };
};
