// request.*, attempt.*, response.*, usage.*: rows and counters of the requests table.
// A batch of events is folded into a draft that copies the rows once, however many events follow: the
// proxy can finish 10,000 requests a second, and copying 500 rows for each of seven events would cost
// more than forwarding. Each row is copied once, too, and then written in place. What goes in and what comes
// out is immutable.
import { addTokens, countedSince } from "../messages/usage.ts";
import { concerns, foldRow, newRow } from "./request-row.ts";
import type { OwnRow, TrafficEvent } from "./request-row.ts";
import type { RequestRow, RequestsState } from "./state.ts";
import type { TokenCounts, ReportedTokens } from "../messages/usage.ts";

export const maxRows = 500;
export const maxStarts = 2000;
export const maxTtfb = 200;

/** Mutable while one batch is folded; owned by `reduceAll` alone. */
export type RequestsDraft = {
  readonly before: RequestsState;
  /** Oldest first. */
  readonly rows: Map<string, RequestRow>;
  /** Those that only this batch holds. */
  readonly own: Map<string, OwnRow>;
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
  const oldestFirst = new Map<string, RequestRow>();
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row !== undefined) oldestFirst.set(row.id, row);
  }
  return { before, rows: oldestFirst, own: new Map(), counts, starts: [], ttfb: [], changed: false };
};

/** Folds one event into the draft; null when it changed no row. */
export const foldRequest = (draft: RequestsDraft, event: TrafficEvent): Change | null => {
  if (event.type === "request.received") return receive(draft, event);
  const row = ownRow(draft, event);
  if (row === null) return null;
  const wasOpen = row.outcome === null;
  const before = event.type === "usage.updated" || event.type === "response.progress" ? tokensOf(row) : null;
  foldRow(row, event);
  if (event.type === "response.started") answered(draft, event.status, event.ttfbMs, event.at);
  const more = before === null ? null : countedSince(before, row);
  if (more !== null) addTokens(draft.counts, more);
  const isEnd = wasOpen && row.outcome !== null;
  if (isEnd) finished(draft.counts, row);
  return { row, isNew: false, isEnd, more };
};

const receive = (draft: RequestsDraft, event: Extract<TrafficEvent, { type: "request.received" }>): Change | null => {
  if (draft.rows.has(event.requestId)) return null;
  const row = newRow(event);
  keep(draft, row);
  draft.counts.total += 1;
  draft.counts.inFlight += 1;
  draft.starts.push(row.receivedAt);
  return { row, isNew: true, isEnd: false, more: null };
};

// Null when there is no such row or the event is no news for it.
const ownRow = (draft: RequestsDraft, event: TrafficEvent): OwnRow | null => {
  const own = draft.own.get(event.requestId);
  const row = own ?? draft.rows.get(event.requestId);
  if (row === undefined || !concerns(event, row)) return null;
  return own ?? keep(draft, { ...row });
};

const keep = (draft: RequestsDraft, row: OwnRow): OwnRow => {
  draft.own.set(row.id, row);
  draft.rows.set(row.id, row);
  draft.changed = true;
  return row;
};

const tokensOf = ({ inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens }: RequestRow): ReportedTokens => ({ inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens });

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
  let since = -60_000;
  for (const at of starts) if (at - 60_000 > since) since = at - 60_000;
  const from = Math.max(starts.length - maxStarts, starts.findIndex((at) => at > since));
  return starts.slice(Math.max(0, from));
};
