// What one event makes of one row of the requests table. A closed row changes only by a late usage report, because the
// meter may finish after the bytes.
import { isEventStream } from "../lib/http-fields.ts";
import type { Event } from "../messages/events.ts";
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

/** `row` after `event`, which is not its first; the same row when that is no news for it. */
export const foldRow = (row: RequestRow, event: TrafficEvent): RequestRow => {
  if (row.outcome !== null && event.type !== "usage.updated") return row;
  const changes = changesBy(event, row);
  return changes === null ? row : { ...row, ...changes };
};

const changesBy = (event: TrafficEvent, row: RequestRow): Partial<RequestRow> | null => {
  switch (event.type) {
    case "usage.updated":
      return byUsage(event, row);
    case "response.progress":
      return byProgress(event, row);
    case "request.assigned":
      return { accountId: event.accountId, pickReason: event.reason };
    case "attempt.started":
      return { attempts: event.attempt, accountId: event.accountId ?? row.accountId, modelAsked: event.modelAsked ?? row.modelAsked, phase: "connecting" };
    case "attempt.failed":
      return { attempts: Math.max(row.attempts, event.attempt), errorCode: event.code, message: event.message };
    case "response.started":
      return byResponse(event);
    case "request.rejected":
      return { ...ended(event), outcome: "rejected", durationMs: Math.max(0, event.at - row.receivedAt), errorCode: event.code, blame: "client" };
    case "request.finished":
      return byFinish(event, row);
    case "request.received":
      return null;
  }
};

const byUsage = (event: Of<"usage.updated">, row: RequestRow): Partial<RequestRow> => ({
  model: event.model ?? row.model,
  inputTokens: event.inputTokens ?? row.inputTokens,
  outputTokens: event.outputTokens ?? row.outputTokens,
  cacheReadTokens: event.cacheReadTokens ?? row.cacheReadTokens,
  cacheCreationTokens: event.cacheCreationTokens ?? row.cacheCreationTokens,
  stopReason: event.stopReason ?? row.stopReason,
});

// A report may name a new phase alone: only more bytes are a sign of life. The tokens of a running answer are an
// estimate that the usage report replaces, so they never fall behind it.
const byProgress = (event: Of<"response.progress">, row: RequestRow): Partial<RequestRow> => {
  const outputTokens = event.outputTokens === null ? row.outputTokens : Math.max(event.outputTokens, row.outputTokens ?? 0);
  if (event.bytesOut <= row.bytesOut) return { phase: event.phase, outputTokens };
  const longestSilenceMs = Math.max(row.longestSilenceMs, event.at - (row.lastByteAt ?? row.receivedAt));
  return { phase: event.phase, outputTokens, bytesOut: event.bytesOut, longestSilenceMs, lastByteAt: event.at };
};

const byResponse = ({ at, status, ttfbMs, upstreamRequestId, contentType, contentEncoding, retryAfter }: Of<"response.started">): Partial<RequestRow> => ({
  status,
  ttfbMs,
  lastByteAt: at,
  phase: isEventStream(contentType) ? "waiting" : "body",
  upstreamRequestId,
  contentType,
  contentEncoding,
  retryAfter,
  errorCode: null,
  message: null,
});

const byFinish = (event: Of<"request.finished">, row: RequestRow): Partial<RequestRow> => {
  const { outcome, durationMs, longestSilenceMs, bytesIn, bytesOut, attempts, blame, errorCode, nextStep } = event;
  const ttfbMs = event.ttfbMs ?? row.ttfbMs;
  const upstreamRequestId = event.upstreamRequestId ?? row.upstreamRequestId;
  return { ...ended(event), outcome, durationMs, longestSilenceMs, bytesIn, bytesOut, attempts, blame, errorCode, nextStep, ttfbMs, upstreamRequestId };
};

const ended = ({ at, status, message }: Of<"request.rejected" | "request.finished">): Partial<RequestRow> => ({ finishedAt: at, status, message });
