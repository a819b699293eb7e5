// Makes new tokens durable, and never lets go of them when that fails: they stay in memory, the write is
// tried again with growing pauses, and a person is told. A record in the store is only replaced while it
// still holds what the new tokens came from; somebody else's newer ones win.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { Account, AccountStore } from "./account.ts";
import { sameTokens } from "./held.ts";

/** `base` is the record the tokens came from; null for a new sign-in, which replaces whatever is there. */
export type Change = { readonly base: Account | null; readonly next: Account };

export type Kept =
  /** `next` with whatever else of the record was changed meanwhile. */
  | { readonly kept: "stored"; readonly account: Account }
  /** In memory only; the write is being retried. */
  | { readonly kept: "memory" }
  /** The store holds other tokens than `base`: those count. */
  | { readonly kept: "newer"; readonly account: Account }
  | { readonly kept: "gone" };

export type Keeper = {
  /** Returns after the result is durable, or after it turned out that it cannot be now. Never throws. */
  keep(change: Change): Promise<Kept>;
  isPending(accountId: string): boolean;
  /** Tries every outstanding write once more, at once. */
  flush(): Promise<void>;
  stop(): void;
};

export type KeeperDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly store: Pick<AccountStore, "update">;
  /** This process has seen the tokens of that record replaced. */
  readonly isSuperseded: (accountId: string, stored: Account) => boolean;
};

const firstPause = 1000;
const longestPause = 60_000;

export const createKeeper = (deps: KeeperDeps): Keeper => {
  const pending = new Map<string, Change>();
  let timer: Timer | null = null;
  let pause = firstPause;

  const later = (): void => {
    timer?.cancel();
    timer = deps.clock.setTimeout(() => void flush(), pause);
    pause = Math.min(longestPause, pause * 2);
  };

  const flush = async (): Promise<void> => {
    timer?.cancel();
    for (const [accountId, change] of pending) {
      const result = await write(deps, change).catch(() => null);
      if (result === null || pending.get(accountId) !== change) continue;
      pending.delete(accountId);
      if (result.kept === "stored") deps.publish(storedAgain(accountId));
    }
    if (pending.size > 0) later();
    else pause = firstPause;
  };

  return {
    async keep(change) {
      const accountId = change.next.id;
      // A write that waits is overtaken by this one; what it started from is still what the store holds.
      const base = pending.get(accountId)?.base ?? change.base;
      try {
        const result = await write(deps, { base, next: change.next });
        pending.delete(accountId);
        return result;
      } catch (error) {
        pending.set(accountId, { base, next: change.next });
        deps.publish(notStored(accountId, error));
        later();
        return { kept: "memory" };
      }
    },
    isPending: (accountId) => pending.has(accountId),
    flush,
    stop: () => timer?.cancel(),
  };
};

const write = async (deps: KeeperDeps, { base, next }: Change): Promise<Exclude<Kept, { kept: "memory" }>> => {
  let result: Exclude<Kept, { kept: "memory" }> = { kept: "gone" };
  await deps.store.update((current) => {
    const stored = current.get(next.id);
    result = decide(deps, stored, { base, next });
    return result.kept === "stored" ? new Map(current).set(next.id, result.account) : current;
  });
  return result;
};

const decide = (deps: KeeperDeps, stored: Account | undefined, { base, next }: Change): Exclude<Kept, { kept: "memory" }> => {
  if (base === null) return { kept: "stored", account: next };
  if (stored === undefined) return { kept: "gone" };
  if (sameTokens(stored, next)) return { kept: "stored", account: withTokens(stored, next) };
  const isOurs = sameTokens(stored, base) || deps.isSuperseded(next.id, stored);
  return isOurs ? { kept: "stored", account: withTokens(stored, next) } : { kept: "newer", account: stored };
};

/** A refresh changes the credential only: a label or a priority set meanwhile stays. */
const withTokens = (stored: Account, next: Account): Account => ({
  ...stored,
  accessToken: next.accessToken,
  refreshToken: next.refreshToken,
  expiresAt: next.expiresAt,
  scopes: next.scopes,
  organization: next.organization,
  account: next.account,
  refreshedAt: next.refreshedAt,
  lastError: next.lastError,
});

const notStored = (accountId: string, error: unknown) => ({
  type: "notice" as const,
  level: "error" as const,
  code: "token-not-stored",
  message: `The new token of ${accountId} is not on the disk yet: ${error instanceof AppError ? error.message : "the store failed"}. It is kept in memory and stored as soon as that works.`,
  hint: (error instanceof AppError ? error.hint : undefined) ?? "Keep this program running, and make the data folder writable or free some space.",
});

const storedAgain = (accountId: string) => ({
  type: "notice" as const,
  level: "info" as const,
  code: "token-stored",
  message: `The token of ${accountId} is on the disk again.`,
  hint: null,
});
