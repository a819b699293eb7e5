// history.json: the refresh timeline and the counters that survive a restart, folded from events, and their text.
// Pure, bounded, and made only of fields that events may carry: never a token.
import { isObject, own, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Event } from "../messages/events.ts";
import { addTokens } from "../messages/usage.ts";
import type { OpenUsage } from "../messages/usage.ts";
import { refreshFactOf, refreshLimit } from "../messages/refresh-fact.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";

/** One line of the timeline; `pid` and `seq`, the process that saw it and its place there, name the record. */
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

/** True for an event that changes what is kept, by itself or by closing a request. */
export const isKept = ({ type }: Event): boolean => keptTypes.has(type);

const keptTypes: ReadonlySet<Event["type"]> = new Set<Event["type"]>([
  "server.listening", "usage.updated", "request.finished", "request.rejected",
  "token.refreshed", "token.adopted", "token.refresh-failed", "account.needs-login",
]);

/** Adds what `events` of process `pid` say; the same object when they say nothing that is kept. `usage` remembers the open requests from one call to the next. */
export const foldHistory = (history: History, events: readonly Event[], { pid, usage }: { readonly pid: number; readonly usage: OpenUsage }): History => {
  const records: RefreshRecord[] = [];
  const sums = { ...history.counters };
  let changed = false;
  for (const event of events) {
    const fact = refreshFactOf(event);
    if (fact !== null) records.push({ ...fact, pid, seq: event.seq });
    changed = addTo(sums, event, usage) || fact !== null || changed;
  }
  if (!changed) return history;
  return { refreshes: records.length === 0 ? history.refreshes : [...history.refreshes, ...records].slice(-refreshLimit), counters: sums };
};

/** Two histories as one: records in the order of time, each once; counters added. */
export const mergeHistory = (left: History, right: History): History => {
  const records = new Map([...left.refreshes, ...right.refreshes].map((record) => [`${record.at} ${record.pid} ${record.seq}`, record]));
  const refreshes = [...records.values()].sort((a, b) => a.at - b.at || a.seq - b.seq).slice(-refreshLimit);
  return { refreshes, counters: addCounters(left.counters, right.counters) };
};

type Sums = { -readonly [Name in keyof HistoryCounters]: number };

const addCounters = (left: HistoryCounters, right: HistoryCounters): HistoryCounters => {
  const sums: Sums = { ...left };
  for (const name of counterNames) sums[name] += right[name];
  return sums;
};

const failures = new Set(["upstream-error", "timeout", "failed"]);

const addTo = (sums: Sums, event: Event, usage: OpenUsage): boolean => {
  switch (event.type) {
    case "server.listening":
      sums.starts += 1;
      return true;
    case "usage.updated":
      addTokens(sums, usage.add(event));
      return true;
    case "request.rejected":
      usage.close(event.requestId);
      return false;
    case "request.finished":
      usage.close(event.requestId);
      sums.requests += 1;
      if (failures.has(event.outcome)) sums.failedRequests += 1;
      return true;
    case "token.refreshed":
      sums.refreshes += 1;
      return true;
    case "token.refresh-failed":
      sums.failedRefreshes += 1;
      return true;
    default:
      return false;
  }
};

/** The text that `parseHistory` reads back. */
export const formatHistory = ({ refreshes, counters }: History): string => `${JSON.stringify({ version: 1, counters, refreshes }, null, 1)}\n`;

/** Null when the text is not a history of version 1; whatever in it is not a record of ours is left out. */
export const parseHistory = (text: string): History | null => {
  const value = parseJsonObject(text);
  if (value === null || own(value, "version") !== 1) return null;
  const refreshes = own(value, "refreshes");
  const counters = own(value, "counters");
  const records = Array.isArray(refreshes) ? refreshes.flatMap((entry) => (isObject(entry) ? recordIn(entry) : [])) : [];
  return { refreshes: records.slice(-refreshLimit), counters: isObject(counters) ? countersIn(counters) : emptyHistory.counters };
};

const countersIn = (entry: JsonObject): HistoryCounters => {
  const sums: Sums = { ...noCounters };
  for (const name of counterNames) sums[name] = Math.max(0, numberIn(entry, name) ?? 0);
  return sums;
};

const numberIn = (entry: JsonObject, name: string): number | null => {
  const value = own(entry, name);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
};

const textIn = (entry: JsonObject, name: string): string | null => {
  const value = own(entry, name);
  return typeof value === "string" ? value.slice(0, 300) : null;
};

const oneOf = <T extends string>(value: string | null, values: readonly T[]): T | null => values.find((known) => known === value) ?? null;

const outcomes = ["refreshed", "adopted", "failed", "needs-login"] as const;
const reasons = ["lead", "mandatory", "unauthorized", "manual", "wake", "rotate"] as const;

const recordIn = (entry: JsonObject): readonly RefreshRecord[] => {
  const outcome = oneOf(textIn(entry, "outcome"), outcomes);
  const at = numberIn(entry, "at");
  const accountId = textIn(entry, "accountId");
  if (outcome === null || at === null || accountId === null) return [];
  const reason = oneOf(textIn(entry, "reason"), reasons);
  return [{ at, accountId, outcome, reason, pid: numberIn(entry, "pid") ?? 0, seq: numberIn(entry, "seq") ?? 0, ...detailsIn(entry) }];
};

const detailsIn = (entry: JsonObject) => ({
  durationMs: numberIn(entry, "durationMs"),
  oldExpiresAt: numberIn(entry, "oldExpiresAt"),
  newExpiresAt: numberIn(entry, "newExpiresAt"),
  heldBy: numberIn(entry, "heldBy"),
  errorCode: textIn(entry, "errorCode"),
  message: textIn(entry, "message"),
  failures: numberIn(entry, "failures"),
  nextTryAt: numberIn(entry, "nextTryAt"),
});
