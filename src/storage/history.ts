// The refresh timeline and the counters that survive a restart, folded from events. Pure, bounded, and
// made only of fields that events may carry: never a token.
import type { Event } from "../messages/events.ts";
import { refreshFactOf, refreshLimit } from "../messages/refresh-fact.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";

/** One line of the timeline, with the process that saw it and its place there: together they name the record. */
export type RefreshRecord = RefreshFact & { readonly pid: number; readonly seq: number };

/** Sums over all processes since the file exists. */
export type HistoryCounters = {
  readonly starts: number;
  readonly requests: number;
  readonly failedRequests: number;
  readonly refreshes: number;
  readonly failedRefreshes: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
};

export type History = {
  /** Oldest first, at most 500. */
  readonly refreshes: readonly RefreshRecord[];
  readonly counters: HistoryCounters;
};

const noCounters: HistoryCounters = {
  starts: 0, requests: 0, failedRequests: 0, refreshes: 0, failedRefreshes: 0,
  inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0,
};

const counterNames = Object.keys(noCounters) as (keyof HistoryCounters)[];

export const emptyHistory: History = { refreshes: [], counters: noCounters };

/** The last `usage.updated` of a request counts, once, when the request is finished. */
export type Usage = Pick<HistoryCounters, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheCreationTokens">;

/** Does `event` bear on what is kept, by itself or by closing a request? */
export const isKept = ({ type }: Event): boolean => kept.has(type);

const kept: ReadonlySet<Event["type"]> = new Set<Event["type"]>([
  "server.listening", "usage.updated", "request.finished", "request.rejected",
  "token.refreshed", "token.adopted", "token.refresh-failed", "account.needs-login",
]);

/** Adds what `event` says; the same object when it says nothing that is kept. */
export const foldHistory = (history: History, event: Event, { pid, usage }: { pid: number; usage: Usage | null }): History => {
  const record = recordOf(event, pid);
  const sums = countsOf(event, usage);
  if (record === null && sums === null) return history;
  return {
    refreshes: record === null ? history.refreshes : [...history.refreshes, record].slice(-refreshLimit),
    counters: sums === null ? history.counters : addCounters(history.counters, sums),
  };
};

/** Two histories as one: records in the order of time, each once; counters added. */
export const mergeHistory = (left: History, right: History): History => {
  const records = new Map([...left.refreshes, ...right.refreshes].map((record) => [`${record.at} ${record.pid} ${record.seq}`, record]));
  const refreshes = [...records.values()].sort((a, b) => a.at - b.at || a.seq - b.seq).slice(-refreshLimit);
  return { refreshes, counters: addCounters(left.counters, right.counters) };
};

const addCounters = (left: HistoryCounters, right: Partial<HistoryCounters>): HistoryCounters => {
  const sums: { -readonly [Name in keyof HistoryCounters]: number } = { ...left };
  for (const name of counterNames) sums[name] += right[name] ?? 0;
  return sums;
};

const recordOf = (event: Event, pid: number): RefreshRecord | null => {
  const fact = refreshFactOf(event);
  return fact === null ? null : { ...fact, pid, seq: event.seq };
};

const failures = new Set(["upstream-error", "timeout", "failed"]);

const countsOf = (event: Event, usage: Usage | null): Partial<HistoryCounters> | null => {
  switch (event.type) {
    case "server.listening":
      return { starts: 1 };
    case "request.finished":
      return { requests: 1, failedRequests: failures.has(event.outcome) ? 1 : 0, ...usage };
    case "token.refreshed":
      return { refreshes: 1 };
    case "token.refresh-failed":
      return { failedRefreshes: 1 };
    default:
      return null;
  }
};
