// Events for tests of the picture: each with everything an event has, so that a test names only what it is about.
import type { Event, EventDraft } from "../../src/messages/events.ts";

type Type = EventDraft["type"];
type Draft<T extends Type> = EventDraft & { readonly type: T };

const ordinary: { readonly [T in Type]: Omit<Draft<T>, "type"> } = {
  "server.listening": { url: "http://127.0.0.1:4001", host: "127.0.0.1", port: 4001, mode: "oauth", version: "0.1.0", pid: 7 },
  "server.stopping": { reason: "q", inFlight: 0, drainSeconds: 10 },
  "server.stopped": { requestsTotal: 1, uptimeSeconds: 60 },
  "request.received": { requestId: "r1", method: "POST", path: "/v1/messages", client: "claude-cli/2.1.197", sessionId: null, agentId: null, parentAgentId: null, bodyBytes: 1000 },
  "request.rejected": { requestId: "r1", status: 401, code: "local-key", message: "The local key is missing." },
  "request.assigned": { requestId: "r1", accountId: "main", reason: "only" },
  "request.finished": {
    requestId: "r1", status: 200, outcome: "ok", durationMs: 3300, ttfbMs: 400, longestSilenceMs: 300, bytesIn: 1000, bytesOut: 500, attempts: 1,
    upstreamRequestId: "req_011", blame: null, errorCode: null, message: null, nextStep: null,
  },
  "attempt.started": { requestId: "r1", attempt: 1, accountId: "main", modelAsked: "claude-sonnet-4-5" },
  "attempt.failed": { requestId: "r1", attempt: 1, code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND" },
  "response.started": { requestId: "r1", status: 200, ttfbMs: 400, upstreamRequestId: "req_011", contentType: "text/event-stream", contentEncoding: null, retryAfter: null },
  "response.progress": { requestId: "r1", phase: "text", bytesOut: 100, outputTokens: 10 },
  "usage.updated": { requestId: "r1", model: "claude-sonnet-4-5", inputTokens: 200, outputTokens: 310, cacheReadTokens: 18_000, cacheCreationTokens: 0, stopReason: "end_turn" },
  "limits.updated": { accountId: "main", window: "5h", status: "allowed", utilization: 0.42, resetsAt: null, representative: true },
  "account.added": { accountId: "main", kind: "oauth", label: "main", enabled: true, priority: 1, expiresAt: null, renewable: true, health: "healthy", lastError: null },
  "account.removed": { accountId: "main", reason: "by hand" },
  "account.enabled": { accountId: "main", reason: "by hand" },
  "account.disabled": { accountId: "main", reason: "by hand" },
  "account.changed": { accountId: "main", label: "renamed", priority: 2 },
  "account.cooling": { accountId: "main", until: 60_000, reason: "529", limited: false },
  "account.healthy": { accountId: "main" },
  "account.needs-login": { accountId: "main", message: "invalid_grant", expiresAt: null },
  "token.refreshing": { accountId: "main", reason: "lead", expiresAt: null },
  "token.refreshed": { accountId: "main", reason: "lead", durationMs: 400, oldExpiresAt: null, newExpiresAt: null },
  "token.adopted": { accountId: "main", reason: "lead", newExpiresAt: null, renewable: true, heldBy: 4242 },
  "token.refresh-failed": { accountId: "main", reason: "lead", errorCode: "invalid_grant", message: "Refresh token not found", failures: 1, nextTryAt: null },
  "login.started": { attemptId: "l1", kind: "max", expiresAt: 600_000 },
  "login.waiting": { attemptId: "l1", step: "exchange" },
  "login.succeeded": { attemptId: "l1", accountId: "main" },
  "login.failed": { attemptId: "l1", errorCode: "login-expired", message: "Too late" },
  "config.loaded": { mode: "oauth", strategy: "round-robin", upstream: "https://api.anthropic.com", source: "defaults" },
  "clock.jumped": { deltaMs: 7_380_000, kind: "suspend" },
  notice: { level: "error", code: "store-unwritable", message: "The disk is full", hint: "free some space" },
};

/** Every type of event. */
export const eventTypes = Object.keys(ordinary) as readonly Type[];

/** An event of `type`: ordinary, except for what `about` says. */
export const fact = <T extends Type>(type: T, about: Partial<Omit<Draft<T>, "type">> & { at?: number; seq?: number } = {}): Event =>
  ({ at: 1000, seq: 1, type, ...ordinary[type], ...about }) as unknown as Event;
