// The sentence for a request that no account can serve: why, and when it is worth to come back. Pure.
import type { Clock } from "../lib/clock.ts";
import type { CredentialOutcome, CredentialWish } from "./credential.ts";
import type { AccountEntry } from "./held.ts";
import type { Refresher } from "./refresher.ts";
import type { Registry } from "./registry.ts";

export type NobodyDeps = { readonly clock: Clock; readonly registry: Registry; readonly refresher: Pick<Refresher, "nextTryAt"> };

/** `sign-in-needed` with the earliest moment at which a refresh may bring a credential back. */
export const nobodyServes = (deps: NobodyDeps, wish: CredentialWish): CredentialOutcome => {
  const entries = deps.registry.list().filter(({ account }) => wish.accountId === null || account.id === wish.accountId);
  const tries = entries.flatMap(({ account }) => deps.refresher.nextTryAt(account.id) ?? []);
  const retryAfterSeconds = tries.length === 0 ? null : Math.max(1, Math.ceil((Math.min(...tries) - deps.clock.now()) / 1000));
  return { ok: false, code: "sign-in-needed", message: reason(entries, wish.accountId, retryAfterSeconds), retryAfterSeconds };
};

const reason = (entries: readonly AccountEntry[], named: string | null, retryAfterSeconds: number | null): string => {
  if (entries.length === 0) return named === null ? "No account is signed in." : `There is no account ${named}.`;
  const enabled = entries.filter(({ account }) => account.enabled);
  if (enabled.length === 0) return named === null ? "Every account is disabled." : `The account ${named} is disabled.`;
  if (retryAfterSeconds !== null) return `The token of ${names(enabled)} has ended and could not be refreshed yet; the next try is in ${retryAfterSeconds} s.`;
  const refused = enabled.find(({ needsLogin }) => needsLogin !== null);
  return refused === undefined ? `The token of ${names(enabled)} has ended. Sign in again.` : `Sign in again (${refused.account.id}): ${refused.needsLogin}`;
};

const names = (entries: readonly AccountEntry[]): string => entries.map(({ account }) => account.id).slice(0, 3).join(", ");
