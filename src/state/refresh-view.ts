// A line of the refresh timeline as JSON speaks outside: snake_case, ISO 8601 in UTC, no secret and no text
// of others unless asked for.
import { isoTime } from "../lib/units.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { lastRefreshOf } from "./refreshes.ts";

/** What `GET /health` tells of an account's last refresh. */
export type RefreshView = {
  readonly at: string | null;
  readonly reason: string | null;
  readonly outcome: RefreshFact["outcome"];
  readonly duration_ms: number | null;
  readonly old_expires_at: string | null;
  readonly new_expires_at: string | null;
};

export const viewRefresh = (fact: RefreshFact): RefreshView => ({
  at: isoTime(fact.at),
  reason: fact.reason,
  outcome: fact.outcome,
  duration_ms: fact.durationMs === null ? null : Math.round(fact.durationMs),
  old_expires_at: isoTime(fact.oldExpiresAt),
  new_expires_at: isoTime(fact.newExpiresAt),
});

/** The newest line of one account, null when there is none. */
export const viewLastRefresh = (refreshes: readonly RefreshFact[], accountId: string): RefreshView | null => {
  const last = lastRefreshOf(refreshes, accountId);
  return last === null ? null : viewRefresh(last);
};

/** A whole line, for the person who holds the key or the files. */
export const viewTimeline = (fact: RefreshFact): RefreshView & Readonly<Record<string, unknown>> => ({
  account_id: fact.accountId,
  ...viewRefresh(fact),
  held_by: fact.heldBy,
  error_code: fact.errorCode,
  message: fact.message,
  next_try_at: isoTime(fact.nextTryAt),
});
