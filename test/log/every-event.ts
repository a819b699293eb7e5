// One event of each type, with the same hostile or harmless text in every place that can hold one.
import type { Event, EventDraft } from "../../src/messages/events.ts";

export const at = new Date(2026, 0, 2, 12, 0, 5).getTime();

export const everyEvent = (text: string): readonly Event[] => drafts(text).map((draft, index) => ({ ...draft, at, seq: index + 1 }));

const drafts = (text: string): readonly EventDraft[] => [
  { type: "server.listening", url: "http://127.0.0.1:4001", host: "127.0.0.1", port: 4001, mode: "oauth", version: text, pid: 7 },
  { type: "server.stopping", reason: text, inFlight: 2, drainSeconds: 10 },
  { type: "server.stopped", requestsTotal: 9, uptimeSeconds: 3725 },
  { type: "request.received", requestId: "r1", method: "POST", path: text, client: text, sessionId: text, agentId: null, parentAgentId: null, bodyBytes: 12 },
  { type: "request.assigned", requestId: "r1", accountId: "a", reason: "sticky" },
  { type: "attempt.started", requestId: "r1", attempt: 1, accountId: "a", modelAsked: text },
  { type: "attempt.failed", requestId: "r1", attempt: 1, code: "ECONNRESET", message: text },
  { type: "response.started", requestId: "r1", status: 200, ttfbMs: 12, upstreamRequestId: text, contentType: text, contentEncoding: null, retryAfter: text },
  { type: "response.progress", requestId: "r1", phase: "text", bytesOut: 5, outputTokens: 3 },
  { type: "usage.updated", requestId: "r1", model: text, inputTokens: 1, outputTokens: null, cacheReadTokens: 3, cacheCreationTokens: 4, stopReason: text },
  { type: "limits.updated", accountId: "a", window: text, status: text, utilization: 0.42, resetsAt: at, representative: true },
  finished(text),
  { type: "request.rejected", requestId: "r2", status: 401, code: "local-key", message: text },
  { type: "account.added", accountId: "a", kind: "oauth", label: text, enabled: true, priority: 1, expiresAt: at, renewable: true, health: "healthy", lastError: null },
  { type: "account.removed", accountId: "a", reason: text },
  { type: "account.enabled", accountId: "a", reason: text },
  { type: "account.disabled", accountId: "a", reason: text },
  { type: "account.changed", accountId: "a", label: text, priority: 2 },
  { type: "account.cooling", accountId: "a", until: at, reason: text, limited: true },
  { type: "account.healthy", accountId: "a" },
  { type: "account.needs-login", accountId: "a", message: text, expiresAt: null },
  { type: "token.refreshing", accountId: "a", reason: "lead", expiresAt: Number.NaN },
  { type: "token.refreshed", accountId: "a", reason: "lead", durationMs: 340, oldExpiresAt: at, newExpiresAt: at },
  { type: "token.adopted", accountId: "a", reason: "lead", newExpiresAt: null, renewable: true, heldBy: 99 },
  { type: "token.refresh-failed", accountId: "a", reason: "lead", errorCode: "later", message: text, failures: 2, nextTryAt: at },
  { type: "login.started", attemptId: "l", kind: "max", expiresAt: at },
  { type: "login.waiting", attemptId: "l", step: "code" },
  { type: "login.succeeded", attemptId: "l", accountId: "a" },
  { type: "login.failed", attemptId: "l", errorCode: "refused", message: text },
  { type: "config.loaded", mode: "oauth", strategy: "round-robin", upstream: text, source: "default" },
  { type: "clock.jumped", deltaMs: 3_600_000, kind: "suspend" },
  { type: "notice", level: "warning", code: "x", message: text, hint: text },
];

const finished = (text: string): EventDraft => ({
  type: "request.finished",
  requestId: "r1",
  status: 429,
  outcome: "upstream-error",
  durationMs: 12_100,
  ttfbMs: 800,
  longestSilenceMs: 20,
  bytesIn: 100,
  bytesOut: 200,
  attempts: 1,
  upstreamRequestId: "req_011CS",
  blame: "throttle",
  errorCode: "rate_limit_error",
  message: text,
  nextStep: "wait 12s",
});
