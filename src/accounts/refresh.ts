// One refresh of one account: lock, read the store again, take over what another process brought or ask the server, store
// durably, only then use. A refresh token is single-use: after an answer was lost there is one careful second try, and
// after new tokens came the old one is never sent again.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { sameSecret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { RefreshReason } from "../messages/events.ts";
import type { TokenAnswer, TokenGrant } from "../messages/tokens.ts";
import { sameTokens } from "./account.ts";
import type { Account, AccountStore, RefreshLock } from "./account.ts";
import type { RefreshSettings } from "./refresh-plan.ts";
import { refreshNeed } from "./refresh-plan.ts";
import type { Registry } from "./registry.ts";
import type { TokenWriter } from "./token-writer.ts";

export type RefreshDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly store: AccountStore;
  readonly registry: Registry;
  readonly tokenWriter: TokenWriter;
  readonly settings: RefreshSettings;
  /** Asks the account's token endpoint. Never throws. */
  readonly askForTokens: (account: Account) => Promise<TokenAnswer>;
};

export type RefreshResult =
  | { readonly ended: "refreshed"; readonly oldExpiresAt: number | null; readonly newExpiresAt: number | null }
  /** Newer tokens were there already. `heldBy` is the pid of the process that held the lock before, when known. */
  | { readonly ended: "adopted"; readonly newExpiresAt: number | null; readonly heldBy: number | null }
  /** The server's last word: only a new sign-in helps. */
  | { readonly ended: "refused"; readonly errorCode: string; readonly message: string }
  /** `uncertain`: the token may be spent. */
  | { readonly ended: "failed"; readonly errorCode: string; readonly message: string; readonly retryAfterMs: number | null; readonly uncertain: boolean };

/** Between a lost answer and the careful second try. */
const pauseMs = 1000;
/** A lock that is taken away more often than this belongs to a machine that does not run. */
const mostRounds = 3;

/** Never throws. */
export const refreshAccount = async (deps: RefreshDeps, accountId: string, reason: RefreshReason): Promise<RefreshResult> => {
  // From before the wait for the lock: the store is followed meanwhile, and newer tokens are another process's refresh.
  const before = deps.registry.get(accountId)?.account ?? null;
  try {
    for (let round = 1; round <= mostRounds; round += 1) {
      const result = await deps.store.withRefreshLock(accountId, (lock) => refreshLocked({ deps, accountId, reason, lock }, before));
      if (result !== "lock-lost") return result;
    }
    return failed("store-locked", "Other processes take the lock of this account away again and again.");
  } catch (error) {
    return error instanceof AppError ? failed(error.code, error.message) : failed("internal", "The refresh failed inside this program.");
  }
};

type Context = { readonly deps: RefreshDeps; readonly accountId: string; readonly reason: RefreshReason; readonly lock: RefreshLock };

const refreshLocked = async (context: Context, before: Account | null): Promise<RefreshResult | "lock-lost"> => {
  const { deps, lock } = context;
  const account = await readStore(context);
  if (account === null) return removed;
  if (before !== null && !sameTokens(account, before) && !isStillDue(context)) return adopted(context, account);
  if (account.refreshToken === null) return refused("no-refresh-token", "There is no refresh token. Sign in again.");
  // Stopped since the lock was ours: the token may be spent by now, and sending it once more can end the session.
  if (!lock.stillMine()) return "lock-lost";

  const answer = await deps.askForTokens(account);
  return answer.outcome === "unknown" ? afterLostAnswer(context, account, answer.message) : conclude(context, account, answer);
};

// It is open whether the token is spent. Another process's result may be in the store by then; if not, one more try finds out.
const afterLostAnswer = async (context: Context, account: Account, message: string): Promise<RefreshResult> => {
  const { deps, lock } = context;
  await sleep(deps.clock, pauseMs);
  const present = await readStore(context);
  if (present === null) return removed;
  if (!sameTokens(present, account)) return adopted(context, present);
  if (!lock.stillMine()) return lost(message, null);

  const answer = await deps.askForTokens(account);
  if (answer.outcome === "granted") return conclude(context, account, answer);
  if (answer.outcome === "refused") return conclude(context, account, { ...answer, message: `${answer.message} (the answer to the try before it was lost)` });
  return lost(`${message} Then: ${answer.message}`, answer.outcome === "later" ? answer.retryAfterMs : null);
};

/** The registry takes what the store has, unless that is older than what it holds. Gives the account as it is then. */
const readStore = async ({ deps, accountId }: Context): Promise<Account | null> => {
  const stored = (await deps.store.load()).get(accountId);
  if (stored !== undefined) deps.registry.adopt(stored);
  else if (!deps.tokenWriter.isPending(accountId)) deps.registry.remove(accountId, "removed from the store");
  return deps.registry.get(accountId)?.account ?? null;
};

/** Newer tokens that came while we waited are enough, unless they are due themselves. A person and a 401 are content with any. */
const isStillDue = ({ deps, accountId, reason }: Context): boolean => {
  if (reason === "manual" || reason === "unauthorized") return false;
  const entry = deps.registry.get(accountId);
  return entry !== null && refreshNeed({ remainingMs: entry.remainingMs, ageMs: null }, deps.settings).need !== "none";
};

const conclude = async (context: Context, account: Account, answer: Exclude<TokenAnswer, { outcome: "unknown" }>): Promise<RefreshResult> => {
  if (answer.outcome === "granted") return storeGrant(context, account, answer.grant);
  if (answer.outcome === "later") return { ...failed(answer.errorCode, answer.message), retryAfterMs: answer.retryAfterMs };
  const present = await readStore(context);
  if (present === null) return removed;
  if (!sameTokens(present, account)) return adopted(context, present);
  await rememberRefusal(context, account, `${answer.errorCode}: ${answer.message}`);
  return refused(answer.errorCode, answer.message);
};

const storeGrant = async (context: Context, account: Account, grant: TokenGrant): Promise<RefreshResult> => {
  const { deps, accountId, lock } = context;
  const next = withGrant(account, grant, deps.clock.now());
  // Whether the lock is still ours does not decide who wins: the store is compared in the same step as it
  // is written. But a person should know that this process was stopped for so long.
  if (!lock.stillMine()) deps.publish(lockLostNotice(accountId));
  const written = await deps.tokenWriter.write({ base: account, next });
  if (written.outcome === "newer") {
    deps.registry.adopt(written.account);
    return adopted(context, written.account);
  }
  if (written.outcome === "gone") {
    deps.registry.remove(accountId, "removed from the store");
    return refused("unknown-account", "The account was removed while it was refreshed.");
  }
  deps.registry.renewed(written.outcome === "stored" ? written.account : next);
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

// The record stays, with the words: a later start must not ask with a dead token again. If that cannot be written now,
// nothing is lost but one question.
const rememberRefusal = async ({ deps, accountId }: Context, account: Account, lastError: string): Promise<void> => {
  await deps.store
    .update((current) => {
      const stored = current.get(accountId);
      const isSame = stored !== undefined && sameSecret(stored.refreshToken, account.refreshToken);
      return isSame ? new Map(current).set(accountId, { ...stored, lastError }) : current;
    })
    .catch(() => {});
};

const adopted = ({ lock }: Context, account: Account): RefreshResult => ({ ended: "adopted", newExpiresAt: account.expiresAt, heldBy: lock.waitedFor });

const refused = (errorCode: string, message: string): RefreshResult => ({ ended: "refused", errorCode, message });

const removed = refused("unknown-account", "The account is not in the store any more.");

type Failed = Extract<RefreshResult, { ended: "failed" }>;

const failed = (errorCode: string, message: string): Failed => ({ ended: "failed", errorCode, message, retryAfterMs: null, uncertain: false });

const lost = (message: string, retryAfterMs: number | null): Failed => ({ ...failed("outcome-unknown", message), retryAfterMs, uncertain: true });

const lockLostNotice = (accountId: string) => ({
  type: "notice" as const,
  level: "warning" as const,
  code: "refresh-lock-lost",
  message: `This process was stopped while it refreshed ${accountId}; another one took over. The newer token counts.`,
  hint: null,
});
