// What one event makes of one row of the requests table. The row is written in place: whoever folds a batch
// copies it once before. A closed row changes only by a late usage report, because the meter may finish after
// the bytes.
import { isEventStream } from "../lib/http-fields.ts";
import type { Event } from "../messages/events.ts";
import type { RequestRow } from "./state.ts";

/** A row that nobody else holds. */
export type OwnRow = { -readonly [Name in keyof RequestRow]: RequestRow[Name] };

/** The events that name a request. */
export type TrafficEvent = Extract<Event, { readonly requestId: string }>;

type Of<T extends TrafficEvent["type"]> = Extract<TrafficEvent, { readonly type: T }>;

/** The row of a request that has just come in. */
export const newRow = (event: Of<"request.received">): OwnRow => ({
  id: event.requestId,
  receivedAt: event.at,
  method: event.method,
  path: event.path,
  client: event.client,
  sessionId: event.sessionId,
  agentId: event.agentId,
  parentAgentId: event.parentAgentId,
  accountId: null,
  pickReason: null,
  attempts: 0,
  status: null,
  outcome: null,
  phase: "connecting",
  modelAsked: null,
  model: null,
  ttfbMs: null,
  finishedAt: null,
  durationMs: null,
  lastByteAt: null,
  longestSilenceMs: 0,
  bytesIn: event.bodyBytes ?? 0,
  bytesOut: 0,
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheCreationTokens: null,
  stopReason: null,
  upstreamRequestId: null,
  contentType: null,
  contentEncoding: null,
  retryAfter: null,
  blame: null,
  errorCode: null,
  message: null,
  nextStep: null,
});

// A table and not a list: the compiler asks for what is missing.
const traffic: Readonly<Record<TrafficEvent["type"], true>> = {
  "request.received": true,
  "request.rejected": true,
  "request.assigned": true,
  "request.finished": true,
  "attempt.started": true,
  "attempt.failed": true,
  "response.started": true,
  "response.progress": true,
  "usage.updated": true,
};

export const isTraffic = (event: Event): event is TrafficEvent => event.type in traffic;

/** Could `event`, which is not its first, change `row`? */
export const concerns = (event: TrafficEvent, row: RequestRow): boolean => event.type === "usage.updated" || row.outcome === null;

/** Writes what `event` says into `row`. */
export const foldRow = (row: OwnRow, event: TrafficEvent): void => {
  switch (event.type) {
    case "usage.updated":
      return noteUsage(row, event);
    case "response.progress":
      return noteProgress(row, event);
    case "request.assigned":
      row.accountId = event.accountId;
      row.pickReason = event.reason;
      return;
    case "attempt.started":
      return noteAttempt(row, event);
    case "attempt.failed":
      row.attempts = Math.max(row.attempts, event.attempt);
      row.errorCode = event.code;
      row.message = event.message;
      return;
    case "response.started":
      return noteResponse(row, event);
    case "request.rejected":
      return closeRejected(row, event);
    case "request.finished":
      return closeFinished(row, event);
    default:
  }
};

const noteUsage = (row: OwnRow, event: Of<"usage.updated">): void => {
  row.model = event.model ?? row.model;
  row.inputTokens = event.inputTokens ?? row.inputTokens;
  row.outputTokens = event.outputTokens ?? row.outputTokens;
  row.cacheReadTokens = event.cacheReadTokens ?? row.cacheReadTokens;
  row.cacheCreationTokens = event.cacheCreationTokens ?? row.cacheCreationTokens;
  row.stopReason = event.stopReason ?? row.stopReason;
};

const noteAttempt = (row: OwnRow, event: Of<"attempt.started">): void => {
  row.attempts = event.attempt;
  row.accountId = event.accountId ?? row.accountId;
  row.modelAsked = event.modelAsked ?? row.modelAsked;
  row.phase = "connecting";
};

// Progress may also tell a phase alone: only more bytes are a sign of life. The tokens of a running
// answer are an estimate that the usage report replaces, so they never fall behind it.
const noteProgress = (row: OwnRow, event: Of<"response.progress">): void => {
  row.phase = event.phase;
  if (event.outputTokens !== null) row.outputTokens = Math.max(event.outputTokens, row.outputTokens ?? 0);
  if (event.bytesOut <= row.bytesOut) return;
  row.bytesOut = event.bytesOut;
  row.longestSilenceMs = Math.max(row.longestSilenceMs, event.at - (row.lastByteAt ?? row.receivedAt));
  row.lastByteAt = event.at;
};

const noteResponse = (row: OwnRow, event: Of<"response.started">): void => {
  row.status = event.status;
  row.ttfbMs = event.ttfbMs;
  row.lastByteAt = event.at;
  row.phase = isEventStream(event.contentType) ? "waiting" : "body";
  row.upstreamRequestId = event.upstreamRequestId;
  row.contentType = event.contentType;
  row.contentEncoding = event.contentEncoding;
  row.retryAfter = event.retryAfter;
  row.errorCode = null;
  row.message = null;
};

const noteEnd = (row: OwnRow, event: Of<"request.rejected" | "request.finished">): void => {
  row.finishedAt = event.at;
  row.status = event.status;
  row.message = event.message;
};

const closeRejected = (row: OwnRow, event: Of<"request.rejected">): void => {
  noteEnd(row, event);
  row.outcome = "rejected";
  row.durationMs = Math.max(0, event.at - row.receivedAt);
  row.errorCode = event.code;
  row.blame = "client";
};

const closeFinished = (row: OwnRow, event: Of<"request.finished">): void => {
  noteEnd(row, event);
  row.outcome = event.outcome;
  row.durationMs = event.durationMs;
  row.longestSilenceMs = event.longestSilenceMs;
  row.bytesIn = event.bytesIn;
  row.bytesOut = event.bytesOut;
  row.attempts = event.attempts;
  row.blame = event.blame;
  row.errorCode = event.errorCode;
  row.nextStep = event.nextStep;
  row.ttfbMs = event.ttfbMs ?? row.ttfbMs;
  row.upstreamRequestId = event.upstreamRequestId ?? row.upstreamRequestId;
};
