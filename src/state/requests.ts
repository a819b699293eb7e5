// request.*, attempt.*, response.*, usage.*: rows and counters of the requests table. A batch of events is folded into a
// draft that copies the table once, however many events follow: hundreds of open streams report four times a second.
// What goes in and what comes out is immutable.
import { addTokens, countedSince } from "../messages/usage.ts";
import type { TokenCounts } from "../messages/usage.ts";
import { foldRow, newRow } from "./request-row.ts";
import type { TrafficEvent } from "./request-row.ts";
import type { RequestRow, RequestsState } from "./state.ts";

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

/** What one event did to one row. */
export type Change = {
  readonly row: RequestRow;
  /** The request has just come in. */
  readonly isNew: boolean;
  /** It is over with this event. */
  readonly isEnd: boolean;
  /** Tokens that were not counted before. */
  readonly more: TokenCounts | null;
};

export const openRequests = (before: RequestsState): RequestsDraft => {
  const { rows, recentStarts: _starts, recentTtfb: _ttfb, ...counts } = before;
  return { before, rows: new Map(rows.map((row): [string, RequestRow] => [row.id, row]).toReversed()), counts, starts: [], ttfb: [], changed: false };
};

/** Folds one event into the draft; null when it changed no row. */
export const foldRequest = (draft: RequestsDraft, event: TrafficEvent): Change | null => {
  const before = draft.rows.get(event.requestId);
  if (event.type === "request.received") return before === undefined ? receive(draft, newRow(event)) : null;
  const row = before === undefined ? undefined : foldRow(before, event);
  if (before === undefined || row === undefined || row === before) return null;
  keep(draft, row);
  if (event.type === "response.started") answered(draft, event.status, event.ttfbMs, event.at);
  const more = countedSince(before, row);
  if (more !== null) addTokens(draft.counts, more);
  const isEnd = before.outcome === null && row.outcome !== null;
  if (isEnd) finished(draft.counts, row);
  if (event.type === "request.rejected") addOthers(draft.counts, (event.count ?? 1) - 1);
  return { row, isNew: false, isEnd, more };
};

const receive = (draft: RequestsDraft, row: RequestRow): Change => {
  keep(draft, row);
  draft.counts.total += 1;
  draft.counts.inFlight += 1;
  draft.starts.push(row.receivedAt);
  return { row, isNew: true, isEnd: false, more: null };
};

const keep = (draft: RequestsDraft, row: RequestRow): void => {
  draft.rows.set(row.id, row);
  draft.changed = true;
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

const answered = (draft: RequestsDraft, status: number, ttfbMs: number, at: number): void => {
  draft.ttfb.push(ttfbMs);
  if (status < 500) draft.counts.lastUpstreamOkAt = at;
};

// A client that left and a stop that was asked for are no errors.
const finished = (counts: Counts, row: RequestRow): void => {
  counts.inFlight -= 1;
  if (row.outcome === "client-left" || row.outcome === "shutdown") return;
  const status = row.status ?? 500;
  if (status >= 500) counts.serverErrors += 1;
  else if (status >= 400) counts.clientErrors += 1;
  else if (row.outcome === "ok") counts.ok += 1;
  else counts.serverErrors += 1;
};

/** The refusals that the one with a row stands for. */
const addOthers = (counts: Counts, others: number): void => {
  counts.total += others;
  counts.clientErrors += others;
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
  let since = -60_000;
  for (const at of starts) if (at - 60_000 > since) since = at - 60_000;
  const from = Math.max(starts.length - maxStarts, starts.findIndex((at) => at > since));
  return starts.slice(Math.max(0, from));
};
