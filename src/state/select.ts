// What can be read from the state without changing it. What depends on the time takes `now` in wall milliseconds.
import { canServe as servesNow } from "../accounts/can-serve.ts";
import type { AccountRow, AppState, LimitReading, RequestRow, RequestsState, SessionRow } from "./state.ts";

/** Below this the token is called expiring and seconds are shown. */
export const expiringMs = 10 * 60_000;

/** Claude Code gives up a stream through a custom base URL after this much silence. */
export const clientSilenceMs = 300_000;

/** Requests that came in during the last minute; when the memory of 2000 starts does not reach back that far, the rate is extrapolated. */
export const requestsPerMinute = ({ recentStarts: starts }: RequestsState, now: number): number => {
  const recent = starts.filter((at) => at > now - 60_000 && at <= now);
  const first = recent[0];
  if (first === undefined || recent.length < 2000) return recent.length;
  return Math.round((recent.length * 60_000) / Math.max(1, now - first));
};

/** Median and 95th percentile of the last 200 times to first byte, milliseconds; null before the first answer. */
export const ttfbPercentiles = ({ recentTtfb }: RequestsState): { readonly p50: number; readonly p95: number } | null => {
  const sorted = [...recentTtfb].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95) };
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/**
 * The prompt cache of a session has collapsed: it used to serve at least half of the input, and the last
 * two answers got less than a fifth from it. Both shares 0..1; null while it is healthy or too young to say.
 */
export const cacheCollapse = ({ cacheShares: shares }: Pick<SessionRow, "cacheShares">): { readonly before: number; readonly now: number } | null => {
  if (shares.length < 4) return null;
  const before = mean(shares.slice(0, -2));
  const last = shares.slice(-2);
  return before >= 0.5 && last.every((share) => share < 0.2) ? { before, now: mean(last) } : null;
};

/** The session with a collapsed cache that was seen last, if any was seen in the last 30 minutes. */
export const worstCache = (state: AppState, now: number): SessionRow | null =>
  state.sessions.find((session) => session.lastSeenAt > now - 30 * 60_000 && cacheCollapse(session) !== null) ?? null;

/** Rejected before warned before allowed; the binding window and then the fuller one first. Readings whose reset has passed say nothing any more. */
export const currentLimits = (account: AccountRow, now: number): readonly LimitReading[] =>
  account.limits.filter((limit) => limit.resetsAt === null || limit.resetsAt > now);

const severity = ({ status }: LimitReading): number => (status === "rejected" || status === "rate_limited" ? 2 : status === "allowed_warning" ? 1 : 0);

/** The reading that binds first: the rejected, then the representative, then the fullest; null without any. */
export const worstLimit = (account: AccountRow, now: number): LimitReading | null =>
  currentLimits(account, now).reduce<LimitReading | null>((worst, limit) => {
    if (worst === null || severity(limit) !== severity(worst)) return worst === null || severity(limit) > severity(worst) ? limit : worst;
    if (limit.representative !== worst.representative) return limit.representative ? limit : worst;
    return (limit.utilization ?? 0) > (worst.utilization ?? 0) ? limit : worst;
  }, null);

export type TokenState = "ok" | "expiring" | "expired" | "refreshing" | "refresh-failed" | "needs-login" | "key" | "disabled";

/** What is to be said of an account's credential. */
export const tokenState = (account: AccountRow, now: number): TokenState => {
  if (!account.enabled) return "disabled";
  if (account.health === "needs-login") return "needs-login";
  if (account.kind === "api_key") return "key";
  if (account.refreshing) return "refreshing";
  if (account.expiresAt !== null && account.expiresAt <= now) return "expired";
  if (account.refreshFailures > 0) return "refresh-failed";
  return account.expiresAt !== null && account.expiresAt - now < expiringMs ? "expiring" : "ok";
};

/** A request gets a credential of this account, as far as the events say. */
export const canServe = ({ enabled, kind, expiresAt, renewable, health, nextRefreshAt }: AccountRow, now: number): boolean =>
  servesNow({ enabled, expiresAt: kind === "api_key" ? null : expiresAt, renewable: renewable && health !== "needs-login", nextRefreshAt }, now);

/** A person has to sign in: no account can serve, not even after a refresh that may be tried later. */
export const isSignInNeeded = (accounts: readonly AccountRow[], now: number): boolean =>
  !accounts.some((account) => canServe({ ...account, nextRefreshAt: null }, now));

/** The account the header speaks of: one that can serve, healthy ones and lower priorities first; null when there is none at all. */
export const leadingAccount = (accounts: readonly AccountRow[], now: number): AccountRow | null => {
  const rank = (account: AccountRow): number => (canServe(account, now) ? (account.health === "needs-login" ? 1 : 0) : account.enabled ? 2 : 3) + (account.health === "healthy" ? 0 : 0.5);
  return accounts.reduce<AccountRow | null>((best, account) => {
    if (best === null) return account;
    const difference = rank(account) - rank(best);
    return difference < 0 || (difference === 0 && account.priority < best.priority) ? account : best;
  }, null);
};

export type HeaderWord = "STARTING" | "RUNNING" | "DEGRADED" | "STOPPING" | "STOPPED";

/** The one word for the whole program. */
export const headerWord = ({ server, upstream }: AppState): HeaderWord => {
  if (server.status === "starting") return "STARTING";
  if (server.status === "stopping") return "STOPPING";
  if (server.status === "stopped") return "STOPPED";
  return upstream.failingSince === null ? "RUNNING" : "DEGRADED";
};

/** How long an open request has been without a byte, milliseconds; null once it is closed. */
export const silenceMs = (row: RequestRow, now: number): number | null => (row.outcome === null ? Math.max(0, now - (row.lastByteAt ?? row.receivedAt)) : null);

/** Ended in a way that a person should look at: not merely cancelled by its client. */
export const isError = (row: RequestRow): boolean =>
  row.outcome !== null && row.outcome !== "ok" && row.outcome !== "client-left" && row.outcome !== "shutdown";
