// request.*, attempt.*, response.*, usage.*: rows and counters of the requests table.
// A batch of events is folded into a draft that copies the rows once, however many events follow: the
// proxy can finish 10,000 requests a second, and copying 500 rows for each of seven events would cost
// more than forwarding. What goes in and what comes out is immutable.
import { foldRow, newRow } from "./request-row.ts";
import type { TrafficEvent } from "./request-row.ts";
import type { RequestRow, RequestsState } from "./state.ts";
import { countedSince } from "./token-count.ts";

export const maxRows = 500;
export const maxStarts = 2000;
export const maxTtfb = 200;

/** Mutable while one batch is folded; owned by `reduceAll` alone. */
export type RequestsDraft = {
  readonly before: RequestsState;
  /** Oldest first. */
  readonly rows: Map<string, RequestRow>;
  readonly counts: Counts;
  readonly starts: number[];
  readonly ttfb: number[];
  changed: boolean;
};

type Counts = { -readonly [Key in Exclude<keyof RequestsState, "rows" | "recentStarts" | "recentTtfb">]: RequestsState[Key] };

/** One row before and after an event; `before` is undefined for a new request. */
export type Change = { readonly before: RequestRow | undefined; readonly after: RequestRow };

export const openRequests = (before: RequestsState): RequestsDraft => {
  const { rows, recentStarts: _starts, recentTtfb: _ttfb, ...counts } = before;
  const oldestFirst = new Map<string, RequestRow>();
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row !== undefined) oldestFirst.set(row.id, row);
  }
  return { before, rows: oldestFirst, counts, starts: [], ttfb: [], changed: false };
};

/** Folds one event into the draft; null when it changed no row. */
export const foldRequest = (draft: RequestsDraft, event: TrafficEvent): Change | null => {
  const before = draft.rows.get(event.requestId);
  if (event.type === "request.received" ? before !== undefined : before === undefined) return null;
  const after = before === undefined ? newRow(event as Extract<TrafficEvent, { type: "request.received" }>) : foldRow(before, event);
  if (after === before) return null;
  draft.rows.set(after.id, after);
  draft.changed = true;
  if (before === undefined) received(draft, after);
  else if (event.type === "response.started") answered(draft, event.status, event.ttfbMs, event.at);
  else if (event.type === "usage.updated" || event.type === "response.progress") addTokens(draft.counts, before, after);
  else if (after.outcome !== null) finished(draft.counts, after);
  return { before, after };
};

/** The state after the batch: the same object when no event changed a row. */
export const closeRequests = (draft: RequestsDraft): RequestsState => {
  const { before, counts, starts, ttfb } = draft;
  if (!draft.changed) return before;
  evict(draft.rows);
  return {
    ...counts,
    rows: [...draft.rows.values()].toReversed(),
    recentStarts: starts.length === 0 ? before.recentStarts : lastMinute([...before.recentStarts, ...starts]),
    recentTtfb: ttfb.length === 0 ? before.recentTtfb : [...before.recentTtfb, ...ttfb].slice(-maxTtfb),
  };
};

const received = (draft: RequestsDraft, row: RequestRow): void => {
  draft.counts.total += 1;
  draft.counts.inFlight += 1;
  draft.starts.push(row.receivedAt);
};

const answered = (draft: RequestsDraft, status: number, ttfbMs: number, at: number): void => {
  draft.ttfb.push(ttfbMs);
  if (status < 500) draft.counts.lastUpstreamOkAt = at;
};

const addTokens = (counts: Counts, before: RequestRow, after: RequestRow): void => {
  const more = countedSince(before, after);
  if (more === null) return;
  counts.inputTokens += more.inputTokens;
  counts.outputTokens += more.outputTokens;
  counts.cacheReadTokens += more.cacheReadTokens;
  counts.cacheCreationTokens += more.cacheCreationTokens;
};

// A client that left, or a stop that was asked for, is nobody's error.
const finished = (counts: Counts, row: RequestRow): void => {
  counts.inFlight -= 1;
  if (row.outcome === "client-left" || row.outcome === "shutdown") return;
  const status = row.status ?? 500;
  if (status >= 500) counts.serverErrors += 1;
  else if (status >= 400) counts.clientErrors += 1;
  else if (row.outcome === "ok") counts.ok += 1;
  else counts.serverErrors += 1;
};

const evict = (rows: Map<string, RequestRow>): void => {
  let surplus = rows.size - maxRows;
  for (const [id, row] of rows) {
    if (surplus <= 0) return;
    if (row.outcome === null) continue;
    rows.delete(id);
    surplus -= 1;
  }
};

const lastMinute = (starts: readonly number[]): readonly number[] => {
  // Not the last but the latest: the clock may have been set back in between.
  const since = starts.reduce((latest, at) => Math.max(latest, at), 0) - 60_000;
  const from = Math.max(starts.length - maxStarts, starts.findIndex((at) => at > since));
  return starts.slice(Math.max(0, from));
};
