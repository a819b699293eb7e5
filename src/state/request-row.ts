// What one event makes of one row of the requests table. Pure; a closed row changes only by a late
// usage report, because the meter may finish after the bytes.
import type { Event, RequestEvent } from "../messages/events.ts";
import type { RequestRow } from "./state.ts";

/** The events that name a request. */
export type TrafficEvent = Extract<Event, { readonly requestId: string }>;

type Of<T extends TrafficEvent["type"]> = Extract<TrafficEvent, { readonly type: T }>;

/** The row of a request that has just come in. */
export const newRow = (event: Of<"request.received">): RequestRow => ({
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

/** The row after `event`; the same row when it changes nothing. */
export const foldRow = (row: RequestRow, event: TrafficEvent): RequestRow => {
  if (event.type === "usage.updated") return withUsage(row, event);
  if (row.outcome !== null) return row;
  switch (event.type) {
    case "response.progress":
      return withProgress(row, event);
    case "request.assigned":
      return { ...row, accountId: event.accountId, pickReason: event.reason };
    case "attempt.started":
      return withAttempt(row, event);
    case "attempt.failed":
      return { ...row, attempts: Math.max(row.attempts, event.attempt), errorCode: event.code, message: event.message };
    case "response.started":
      return withResponse(row, event);
    case "request.rejected":
    case "request.finished":
      return closed(row, event);
    default:
      return row;
  }
};

const withUsage = (row: RequestRow, event: Of<"usage.updated">): RequestRow => ({
  ...row,
  model: event.model ?? row.model,
  inputTokens: event.inputTokens ?? row.inputTokens,
  outputTokens: event.outputTokens ?? row.outputTokens,
  cacheReadTokens: event.cacheReadTokens ?? row.cacheReadTokens,
  cacheCreationTokens: event.cacheCreationTokens ?? row.cacheCreationTokens,
  stopReason: event.stopReason ?? row.stopReason,
});

const withAttempt = (row: RequestRow, event: Of<"attempt.started">): RequestRow => ({
  ...row,
  attempts: event.attempt,
  accountId: event.accountId ?? row.accountId,
  modelAsked: event.modelAsked ?? row.modelAsked,
  phase: "connecting",
});

// Progress may also tell a phase alone: only more bytes are a sign of life. The tokens of a running
// answer are an estimate that the usage report replaces, so they never fall behind it.
const withProgress = (row: RequestRow, event: Of<"response.progress">): RequestRow => {
  const alive = event.bytesOut > row.bytesOut;
  return {
    ...row,
    phase: event.phase,
    bytesOut: alive ? event.bytesOut : row.bytesOut,
    lastByteAt: alive ? event.at : row.lastByteAt,
    longestSilenceMs: alive ? Math.max(row.longestSilenceMs, event.at - (row.lastByteAt ?? row.receivedAt)) : row.longestSilenceMs,
    outputTokens: event.outputTokens === null ? row.outputTokens : Math.max(event.outputTokens, row.outputTokens ?? 0),
  };
};

const withResponse = (row: RequestRow, event: Of<"response.started">): RequestRow => ({
  ...row,
  status: event.status,
  ttfbMs: event.ttfbMs,
  lastByteAt: event.at,
  phase: event.contentType?.startsWith("text/event-stream") === true ? "waiting" : "body",
  upstreamRequestId: event.upstreamRequestId,
  contentType: event.contentType,
  contentEncoding: event.contentEncoding,
  retryAfter: event.retryAfter,
  errorCode: null,
  message: null,
});

const closed = (row: RequestRow, event: Extract<Readonly<RequestEvent & { at: number; seq: number }>, { type: "request.rejected" | "request.finished" }>): RequestRow => {
  const ended = { finishedAt: event.at, status: event.status, message: event.message };
  if (event.type === "request.rejected") {
    return { ...row, ...ended, outcome: "rejected", durationMs: Math.max(0, event.at - row.receivedAt), errorCode: event.code, blame: "client" };
  }
  const { outcome, durationMs, longestSilenceMs, bytesIn, bytesOut, attempts, blame, errorCode, nextStep } = event;
  return {
    ...row,
    ...ended,
    outcome,
    durationMs,
    longestSilenceMs,
    bytesIn,
    bytesOut,
    attempts,
    blame,
    errorCode,
    nextStep,
    ttfbMs: event.ttfbMs ?? row.ttfbMs,
    upstreamRequestId: event.upstreamRequestId ?? row.upstreamRequestId,
  };
};
