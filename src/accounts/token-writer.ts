// Makes new tokens durable. When that fails they stay in memory, the write is tried again with growing pauses, and a notice
// says so. A record in the store is replaced only while it still holds what the new tokens came from; another process's
// newer ones win.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import { sameTokens } from "./account.ts";
import type { Account, AccountStore } from "./account.ts";
import type { Registry } from "./registry.ts";

/** `base` is the record that the new tokens of `next` came from. */
export type TokenChange = { readonly base: Account; readonly next: Account };

export type TokenWrite =
  /** `next` with whatever else of the record was changed meanwhile. */
  | { readonly outcome: "stored"; readonly account: Account }
  /** In memory only; the write is being retried. */
  | { readonly outcome: "in-memory" }
  /** The store holds other tokens than `base`: those count. */
  | { readonly outcome: "newer"; readonly account: Account }
  | { readonly outcome: "gone" };

export type TokenWriter = {
  /** Returns after the result is durable, or after it turned out that it cannot be now. Never throws. */
  write(change: TokenChange): Promise<TokenWrite>;
  isPending(accountId: string): boolean;
  /** The account was removed on purpose: an outstanding write must not bring it back. */
  forget(accountId: string): void;
  /** Tries every outstanding write once more, at once. */
  flush(): Promise<void>;
  stop(): void;
};

export type TokenWriterDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly store: Pick<AccountStore, "update">;
  readonly registry: Pick<Registry, "isSuperseded" | "markUnsaved">;
};

/** The tokens are written over any of `bases`. */
type Pending = { readonly bases: readonly Account[]; readonly next: Account };

const firstPauseMs = 1000;
const longestPauseMs = 60_000;

export const createTokenWriter = (deps: TokenWriterDeps): TokenWriter => {
  const pending = new Map<string, Pending>();
  const mark = (accountId: string): void => deps.registry.markUnsaved(accountId, pending.has(accountId));
  let timer: Timer | null = null;
  let pauseMs = firstPauseMs;
  let stopped = false;

  const flushLater = (): void => {
    timer?.cancel();
    if (!stopped) timer = deps.clock.setTimeout(() => void flush(), pauseMs);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  };

  const flush = async (): Promise<void> => {
    timer?.cancel();
    for (const [accountId, each] of pending) {
      const written = await update(deps, each).catch(() => null);
      if (written === null || pending.get(accountId) !== each) continue;
      pending.delete(accountId);
      mark(accountId);
      if (written.outcome === "stored") deps.publish(storedNotice(accountId));
    }
    if (pending.size > 0) flushLater();
    else pauseMs = firstPauseMs;
  };

  return {
    async write({ base, next }) {
      // A write that waits is overtaken by this one. The store may then hold what either started from: the first write
      // may still succeed on its way.
      const change = { bases: [...(pending.get(next.id)?.bases ?? []), base].slice(-16), next };
      try {
        const written = await update(deps, change);
        pending.delete(next.id);
        return written;
      } catch (error) {
        pending.set(next.id, change);
        deps.publish(notStoredNotice(next.id, error));
        flushLater();
        return { outcome: "in-memory" };
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

type Written = Exclude<TokenWrite, { outcome: "in-memory" }>;

const update = async (deps: TokenWriterDeps, change: Pending): Promise<Written> => {
  let written: Written = { outcome: "gone" };
  await deps.store.update((current) => {
    written = decide(deps, current.get(change.next.id), change);
    return written.outcome === "stored" ? new Map(current).set(change.next.id, written.account) : current;
  });
  return written;
};

const decide = (deps: TokenWriterDeps, stored: Account | undefined, { bases, next }: Pending): Written => {
  if (stored === undefined) return { outcome: "gone" };
  const isOurs = [next, ...bases].some((base) => sameTokens(stored, base)) || deps.registry.isSuperseded(next.id, stored);
  return isOurs ? { outcome: "stored", account: withTokens(stored, next) } : { outcome: "newer", account: stored };
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

const notStoredNotice = (accountId: string, error: unknown) => ({
  type: "notice" as const,
  level: "error" as const,
  code: "token-not-stored",
  message: `The new token of ${accountId} is not on the disk yet: ${error instanceof AppError ? error.message : "the store failed"}. It is kept in memory and stored as soon as that works.`,
  hint: (error instanceof AppError ? error.hint : undefined) ?? "Keep this program running, and make the data folder writable or free some space.",
});

const storedNotice = (accountId: string) => ({
  type: "notice" as const,
  level: "info" as const,
  code: "token-stored",
  message: `The token of ${accountId} is on the disk again.`,
  hint: null,
});
