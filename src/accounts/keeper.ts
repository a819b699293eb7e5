// Makes new tokens durable, and never lets go of them when that fails: they stay in memory, the write is
// tried again with growing pauses, and a person is told. A record in the store is only replaced while it
// still holds what the new tokens came from; somebody else's newer ones win.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { Account, AccountStore } from "./account.ts";
import { sameTokens } from "./held.ts";
import type { Registry } from "./registry.ts";

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
  /** The account was removed on purpose: an outstanding write must not bring it back. */
  forget(accountId: string): void;
  /** Tries every outstanding write once more, at once. */
  flush(): Promise<void>;
  stop(): void;
};

export type KeeperDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly store: Pick<AccountStore, "update">;
  readonly registry: Pick<Registry, "isSuperseded" | "markUnsaved">;
};

/** What the store may hold for the tokens to be written; null: whatever it holds. */
type Waiting = { readonly bases: readonly Account[] | null; readonly next: Account };

const firstPause = 1000;
const longestPause = 60_000;

export const createKeeper = (deps: KeeperDeps): Keeper => {
  const pending = new Map<string, Waiting>();
  const mark = (accountId: string): void => deps.registry.markUnsaved(accountId, pending.has(accountId));
  let timer: Timer | null = null;
  let pause = firstPause;
  let stopped = false;

  const later = (): void => {
    timer?.cancel();
    if (!stopped) timer = deps.clock.setTimeout(() => void flush(), pause);
    pause = Math.min(longestPause, pause * 2);
  };

  const flush = async (): Promise<void> => {
    timer?.cancel();
    for (const [accountId, waiting] of pending) {
      const result = await write(deps, waiting).catch(() => null);
      if (result === null || pending.get(accountId) !== waiting) continue;
      pending.delete(accountId);
      mark(accountId);
      if (result.kept === "stored") deps.publish(storedAgain(accountId));
    }
    if (pending.size > 0) later();
    else pause = firstPause;
  };

  return {
    async keep({ base, next }) {
      const waiting = { bases: basesOf(pending.get(next.id), base), next };
      try {
        const result = await write(deps, waiting);
        pending.delete(next.id);
        return result;
      } catch (error) {
        pending.set(next.id, waiting);
        deps.publish(notStored(next.id, error));
        later();
        return { kept: "memory" };
      } finally {
        mark(next.id);
      }
    },
    isPending: (accountId) => pending.has(accountId),
    forget(accountId) {
      pending.delete(accountId);
      mark(accountId);
    },
    flush,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
};

// A write that waits is overtaken by the next one. The store may then hold what either started from:
// the first write may still succeed on its way.
const basesOf = (waiting: Waiting | undefined, base: Account | null): readonly Account[] | null => {
  if (base === null || waiting?.bases === null) return null;
  return [...(waiting?.bases ?? []), base].slice(-16);
};

type Written = Exclude<Kept, { kept: "memory" }>;

const write = async (deps: KeeperDeps, waiting: Waiting): Promise<Written> => {
  let result: Written = { kept: "gone" };
  await deps.store.update((current) => {
    result = decide(deps, current.get(waiting.next.id), waiting);
    return result.kept === "stored" ? new Map(current).set(waiting.next.id, result.account) : current;
  });
  return result;
};

const decide = (deps: KeeperDeps, stored: Account | undefined, { bases, next }: Waiting): Written => {
  if (bases === null) return { kept: "stored", account: next };
  if (stored === undefined) return { kept: "gone" };
  const isOurs = [next, ...bases].some((base) => sameTokens(stored, base)) || deps.registry.isSuperseded(next.id, stored);
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
