// One refresh of one account, under its lock. The order is everything: lock, read again, adopt or ask,
// store durably, only then use. A refresh token is single-use: after an answer was lost there is one
// careful second try, after a new one came the old one is never sent again.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { RefreshReason } from "../messages/events.ts";
import type { TokenAnswer, TokenGrant } from "../messages/tokens.ts";
import type { Account, AccountStore, RefreshLock } from "./account.ts";
import { sameSecret, sameTokens } from "./held.ts";
import type { Keeper } from "./keeper.ts";
import type { PlanSettings } from "./refresh-plan.ts";
import { refreshNeed } from "./refresh-plan.ts";
import type { Registry } from "./registry.ts";

export type RefreshRunDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly store: AccountStore;
  readonly registry: Registry;
  readonly keeper: Keeper;
  readonly settings: PlanSettings;
  /** Asks the account's token endpoint. Never throws. */
  readonly askForTokens: (account: Account) => Promise<TokenAnswer>;
};

export type RunResult =
  | { readonly ended: "refreshed"; readonly oldExpiresAt: number | null; readonly newExpiresAt: number | null }
  | { readonly ended: "adopted"; readonly newExpiresAt: number | null; readonly heldBy: number | null }
  /** The server's last word: only a new sign-in helps. */
  | { readonly ended: "refused"; readonly errorCode: string; readonly message: string }
  | { readonly ended: "failed"; readonly errorCode: string; readonly message: string; readonly retryAfterMs: number | null; readonly uncertain: boolean };

export type RefreshRun = (accountId: string, reason: RefreshReason) => Promise<RunResult>;

/** Between a lost answer and the careful second try. */
const pauseMs = 1000;
/** A lock that is taken away more often than this belongs to a machine that does not run. */
const mostRounds = 3;

export const createRefreshRun = (deps: RefreshRunDeps): RefreshRun => async (accountId, reason) => {
  // From before the wait for the lock: the store is followed meanwhile, and what it brings is somebody's refresh.
  const before = deps.registry.get(accountId)?.account ?? null;
  try {
    for (let round = 1; round <= mostRounds; round += 1) {
      const result = await deps.store.withRefreshLock(accountId, (lock) => locked({ deps, accountId, reason, lock, before }));
      if (result !== "lock-lost") return result;
    }
    return failed("store-locked", "Other processes take the lock of this account away again and again.");
  } catch (error) {
    return error instanceof AppError ? failed(error.code, error.message) : failed("internal", "The refresh failed inside this program.");
  }
};

type Scope = {
  readonly deps: RefreshRunDeps;
  readonly accountId: string;
  readonly reason: RefreshReason;
  readonly lock: RefreshLock;
  readonly before: Account | null;
};

const locked = async (scope: Scope): Promise<RunResult | "lock-lost"> => {
  await readAgain(scope);
  const entry = scope.deps.registry.get(scope.accountId);
  if (entry === null) return refused("unknown-account", "The account is not in the store any more.");
  if (hasNewer(scope, scope.before) && !isStillDue(scope)) return adopted(scope, entry.account);
  if (entry.account.refreshToken === null) return refused("no-refresh-token", "There is no refresh token. Sign in again.");
  // Stopped since the lock was ours: the token may be spent by now, and sending it once more can end the session.
  if (!scope.lock.stillMine()) return "lock-lost";
  return conclude(scope, entry.account, await ask(scope, entry.account));
};

/** The registry takes what the store has, unless that is older than what it holds. */
const readAgain = async ({ deps, accountId }: Scope): Promise<void> => {
  const stored = (await deps.store.load()).get(accountId);
  if (stored !== undefined) deps.registry.adopt(stored);
  else if (!deps.keeper.isPending(accountId)) deps.registry.remove(accountId, "removed from the store");
};

/** Other tokens are held than those of `account`: whoever brought them, these count. */
const hasNewer = ({ deps, accountId }: Scope, account: Account | null): boolean => {
  const entry = deps.registry.get(accountId);
  return entry !== null && account !== null && !sameTokens(entry.account, account);
};

const isStillDue = ({ deps, accountId, reason }: Scope): boolean => {
  if (reason === "manual" || reason === "unauthorized") return false;
  const entry = deps.registry.get(accountId);
  return entry !== null && refreshNeed({ remainingMs: entry.remainingMs, ageMs: null }, deps.settings).need !== "none";
};

type Asked = TokenAnswer | { readonly outcome: "adopted" } | { readonly outcome: "lost"; readonly message: string; readonly retryAfterMs: number | null };

// A lost answer leaves it open whether the token is spent. Somebody else's result may be in the store by
// then; if not, one more try tells.
const ask = async (scope: Scope, account: Account): Promise<Asked> => {
  const first = await scope.deps.askForTokens(account);
  if (first.outcome !== "unknown") return first;
  await sleep(scope.deps.clock, pauseMs);
  await readAgain(scope);
  if (hasNewer(scope, account)) return { outcome: "adopted" };
  if (!scope.lock.stillMine()) return first;
  const second = await scope.deps.askForTokens(account);
  if (second.outcome === "granted") return second;
  if (second.outcome === "refused") return { ...second, message: `${second.message} (the answer to the try before it was lost)` };
  const retryAfterMs = second.outcome === "later" ? second.retryAfterMs : null;
  return { outcome: "lost", message: `${first.message} Then: ${second.message}`, retryAfterMs };
};

const conclude = async (scope: Scope, account: Account, answer: Asked): Promise<RunResult> => {
  switch (answer.outcome) {
    case "granted":
      return keepGrant(scope, account, answer.grant);
    case "adopted":
      return adoptedNow(scope);
    case "refused":
      await readAgain(scope);
      return hasNewer(scope, account) ? adoptedNow(scope) : refusedByServer(scope, account, answer);
    case "later":
      return { ...failed(answer.errorCode, answer.message), retryAfterMs: answer.retryAfterMs };
    case "lost":
      return { ...failed("outcome-unknown", answer.message), retryAfterMs: answer.retryAfterMs, uncertain: true };
    case "unknown":
      return { ...failed("outcome-unknown", answer.message), uncertain: true };
  }
};

const keepGrant = async (scope: Scope, account: Account, grant: TokenGrant): Promise<RunResult> => {
  const { deps, accountId, lock } = scope;
  const next = withGrant(account, grant, deps.clock.now());
  // Whether the lock is still ours does not decide who wins: the store is compared in the same step as it
  // is written. But a person should know that this process was stopped for so long.
  if (!lock.stillMine()) deps.publish(takenOver(accountId));
  const kept = await deps.keeper.keep({ base: account, next });
  if (kept.kept === "newer") return adoptRecord(scope, kept.account);
  if (kept.kept === "gone") {
    deps.registry.remove(accountId, "removed from the store");
    return refused("unknown-account", "The account was removed while it was refreshed.");
  }
  deps.registry.renewed(kept.kept === "stored" ? kept.account : next);
  return { ended: "refreshed", oldExpiresAt: account.expiresAt, newExpiresAt: next.expiresAt };
};

/** RFC 6749 section 6: a new refresh token replaces the old one; without one the old one stays. */
const withGrant = (account: Account, grant: TokenGrant, now: number): Account => ({
  ...account,
  accessToken: grant.accessToken,
  refreshToken: grant.refreshToken ?? account.refreshToken,
  expiresAt: grant.expiresAt,
  scopes: grant.scopes ?? account.scopes,
  organization: grant.organization ?? account.organization,
  account: grant.account ?? account.account,
  refreshedAt: now,
  lastError: null,
});

const refusedByServer = async ({ deps, accountId }: Scope, account: Account, answer: { errorCode: string; message: string }): Promise<RunResult> => {
  const lastError = `${answer.errorCode}: ${answer.message}`;
  // The record stays, with the words: a start later on must not ask with a dead token again. If that
  // cannot be written now, nothing is lost but one question.
  await deps.store
    .update((current) => {
      const stored = current.get(accountId);
      const isSame = stored !== undefined && sameSecret(stored.refreshToken, account.refreshToken);
      return isSame ? new Map(current).set(accountId, { ...stored, lastError }) : current;
    })
    .catch(() => {});
  return refused(answer.errorCode, answer.message);
};

const adoptRecord = (scope: Scope, stored: Account): RunResult => {
  scope.deps.registry.adopt(stored);
  return adopted(scope, stored);
};

const adoptedNow = (scope: Scope): RunResult => {
  const entry = scope.deps.registry.get(scope.accountId);
  return entry === null ? refused("unknown-account", "The account is not in the store any more.") : adopted(scope, entry.account);
};

const adopted = ({ lock }: Scope, account: Account): RunResult => ({ ended: "adopted", newExpiresAt: account.expiresAt, heldBy: lock.waitedFor });

const refused = (errorCode: string, message: string): RunResult => ({ ended: "refused", errorCode, message });

type Failed = Extract<RunResult, { ended: "failed" }>;

const failed = (errorCode: string, message: string): Failed => ({ ended: "failed", errorCode, message, retryAfterMs: null, uncertain: false });

const takenOver = (accountId: string) => ({
  type: "notice" as const,
  level: "warning" as const,
  code: "refresh-lock-lost",
  message: `This process was stopped while it refreshed ${accountId}; another one took over. The newer token counts.`,
  hint: null,
});
