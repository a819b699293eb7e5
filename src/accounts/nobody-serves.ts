// The sentence for a request that no account can serve: why, and when it is worth to come back. Pure.
import type { Clock } from "../lib/clock.ts";
import type { CredentialOutcome, CredentialWish } from "./credential.ts";
import type { AccountEntry } from "./held.ts";
import type { Refresher } from "./refresher.ts";
import type { Registry } from "./registry.ts";

export type NobodyDeps = { readonly clock: Clock; readonly registry: Registry; readonly refresher: Pick<Refresher, "nextTryAt" | "lastFailure"> };

/** `sign-in-needed` with the earliest moment at which a refresh may bring a credential back. */
export const nobodyServes = (deps: NobodyDeps, wish: CredentialWish): CredentialOutcome => {
  const entries = deps.registry.list().filter(({ account }) => wish.accountId === null || account.id === wish.accountId);
  const enabled = entries.filter(({ account }) => account.enabled);
  const tries = enabled.flatMap(({ account }) => deps.refresher.nextTryAt(account.id) ?? []);
  if (tries.length === 0) return { ok: false, code: "sign-in-needed", message: reason(entries, wish.accountId), retryAfterSeconds: null };
  const retryAfterSeconds = Math.max(1, Math.ceil((Math.min(...tries) - deps.clock.now()) / 1000));
  const failure = enabled.map(({ account }) => deps.refresher.lastFailure(account.id)).find((why) => why !== null);
  const because = failure === undefined ? "" : ` (${failure.replace(/[.\s]+$/, "")})`;
  const message = `The token of ${names(enabled)} has ended and could not be refreshed yet${because}; the next try is in ${retryAfterSeconds} s.`;
  return { ok: false, code: "sign-in-needed", message, retryAfterSeconds };
};

const reason = (entries: readonly AccountEntry[], named: string | null): string => {
  if (entries.length === 0) return named === null ? "No account is signed in." : `There is no account ${named}.`;
  const enabled = entries.filter(({ account }) => account.enabled);
  if (enabled.length === 0) return named === null ? "Every account is disabled." : `The account ${named} is disabled.`;
  const refused = enabled.find(({ needsLogin }) => needsLogin !== null);
  return refused === undefined ? `The token of ${names(enabled)} has ended. Sign in again.` : `Sign in again (${refused.account.id}): ${refused.needsLogin}`;
};

const names = (entries: readonly AccountEntry[]): string => entries.map(({ account }) => account.id).slice(0, 3).join(", ");
