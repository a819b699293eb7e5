// The refresh timeline: every outcome of a refresh, of earlier processes too, oldest first and bounded.
import type { Event } from "../messages/events.ts";
import { refreshFactOf, refreshLimit } from "../messages/refresh-fact.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";

/** Folds one event; the same array when nothing changed. */
export const foldRefreshes = (refreshes: readonly RefreshFact[], event: Event): readonly RefreshFact[] => {
  const fact = refreshFactOf(event);
  return fact === null ? refreshes : [...refreshes, fact].slice(-refreshLimit);
};

/** The newest line of one account, null when there is none. */
export const lastRefreshOf = (refreshes: readonly RefreshFact[], accountId: string): RefreshFact | null =>
  refreshes.findLast((fact) => fact.accountId === accountId) ?? null;

/** When `accountId` got its present token by a refresh, and why; null when that is not on record. */
export const lastGoodRefreshOf = (refreshes: readonly RefreshFact[], accountId: string): RefreshFact | null =>
  refreshes.findLast((fact) => fact.accountId === accountId && (fact.outcome === "refreshed" || fact.outcome === "adopted")) ?? null;
