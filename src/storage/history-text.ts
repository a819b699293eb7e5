// history.json as text and as a history. Pure; whatever is not a record of ours is left out.
import { isObject, own, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { refreshLimit } from "../messages/refresh-fact.ts";
import { emptyHistory } from "./history.ts";
import type { History, HistoryCounters, RefreshRecord } from "./history.ts";

export const formatHistory = ({ refreshes, counters }: History): string => `${JSON.stringify({ version: 1, counters, refreshes }, null, 1)}\n`;

/** Null when the text is not a history of version 1. */
export const parseHistory = (text: string): History | null => {
  const value = parseJsonObject(text);
  if (value === null || own(value, "version") !== 1) return null;
  const refreshes = own(value, "refreshes");
  const counters = own(value, "counters");
  const records = Array.isArray(refreshes) ? refreshes.flatMap((entry) => (isObject(entry) ? recordIn(entry) : [])) : [];
  return { refreshes: records.slice(-refreshLimit), counters: isObject(counters) ? countersIn(counters) : emptyHistory.counters };
};

const countersIn = (entry: JsonObject): HistoryCounters => {
  const counters = Object.keys(emptyHistory.counters).map((name) => [name, Math.max(0, numberIn(entry, name) ?? 0)]);
  return Object.fromEntries(counters) as HistoryCounters;
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
