// The refresh timeline: every outcome of a refresh, of earlier processes too, oldest first and bounded; and how one line
// of it looks in JSON.
import { isoTime } from "../lib/units.ts";
import type { Event } from "../messages/events.ts";
import { refreshFactOf, refreshLimit } from "../messages/refresh-fact.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { pastLines } from "./activity.ts";
import type { AppState } from "./state.ts";

/** Folds one event; the same array when nothing changed. */
export const foldRefreshes = (refreshes: readonly RefreshFact[], event: Event): readonly RefreshFact[] => {
  const fact = refreshFactOf(event);
  return fact === null ? refreshes : [...refreshes, fact].slice(-refreshLimit);
};

/** `state` with `past` (oldest first) before everything it knows, here and in the Events pane. `now` is wall milliseconds. */
export const withPast = (state: AppState, past: readonly RefreshFact[], now: number): AppState =>
  past.length === 0 ? state : { ...state, refreshes: [...past, ...state.refreshes].slice(-refreshLimit), activity: [...pastLines(past, now), ...state.activity] };

/** The newest line of one account, null when there is none. */
export const lastRefreshOf = (refreshes: readonly RefreshFact[], accountId: string): RefreshFact | null =>
  refreshes.findLast((fact) => fact.accountId === accountId) ?? null;

/** When `accountId` got its present token by a refresh, and why; null when that is not on record. */
export const lastGoodRefreshOf = (refreshes: readonly RefreshFact[], accountId: string): RefreshFact | null =>
  refreshes.findLast((fact) => fact.accountId === accountId && (fact.outcome === "refreshed" || fact.outcome === "adopted")) ?? null;

/** A line as JSON: snake_case, ISO 8601 in UTC. No text of others, so it may stand in `GET /health` without a key. */
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

/** The newest line of one account as JSON, null when there is none. */
export const viewLastRefresh = (refreshes: readonly RefreshFact[], accountId: string): RefreshView | null => {
  const last = lastRefreshOf(refreshes, accountId);
  return last === null ? null : viewRefresh(last);
};

/** A whole line, for a reader who has the key or the files. */
export const viewTimeline = (fact: RefreshFact): RefreshView & Readonly<Record<string, unknown>> => ({
  account_id: fact.accountId,
  ...viewRefresh(fact),
  held_by: fact.heldBy,
  error_code: fact.errorCode,
  message: fact.message,
  next_try_at: isoTime(fact.nextTryAt),
});
