// Facts: flat, frozen, JSON-ready records. The log line, GET /events, --record, the metrics and the
// dashboard all come from these. Never a token, code, verifier, key, body or e-mail address; every
// text that came from outside has been through `visibleText`.

/** Who is at fault for a failed request, as the blame line names them. */
export type Blame = "client" | "proxy" | "network" | "throttle" | "plan-limit" | "overload" | "credential" | "upstream";

/** What a request in flight is doing. */
export type Phase = "connecting" | "waiting" | "thinking" | "text" | "tool" | "body";

export type Outcome = "ok" | "upstream-error" | "client-left" | "timeout" | "shutdown" | "failed";

export type AccountKind = "oauth" | "api_key";

/** Why a refresh runs: before expiry, in the mandatory window, after a 401, by hand, after a wake-up, by age. */
export type RefreshReason = "lead" | "mandatory" | "unauthorized" | "manual" | "wake" | "rotate";

/** Why an account was chosen for a request. */
export type PickReason = "only" | "sticky" | "round-robin" | "priority" | "named" | "least-bad" | "pass-through";

export type ServerEvent =
  | { type: "server.listening"; url: string; host: string; port: number; mode: string; version: string; pid: number }
  | { type: "server.stopping"; reason: string; inFlight: number; drainSeconds: number }
  | { type: "server.stopped"; requestsTotal: number; uptimeSeconds: number };

export type RequestEvent =
  | {
      type: "request.received";
      requestId: string;
      method: string;
      /** The path without its query, made visible and cut at 200 characters. */
      path: string;
      /** The first product of the User-Agent, e.g. `claude-cli/2.1.197`; empty when there was none. */
      client: string;
      sessionId: string | null;
      agentId: string | null;
      parentAgentId: string | null;
      /** Content-Length, null when the body is chunked or absent. */
      bodyBytes: number | null;
    }
  /** Refused by ourselves before anything was forwarded; the last event of this request. */
  | {
      type: "request.rejected";
      requestId: string;
      status: number;
      code: string;
      message: string;
      /** How many refusals of its kind this one stands for, when it is more than one: of a flood only the first few are told one by one. */
      count?: number;
    }
  | { type: "request.assigned"; requestId: string; accountId: string | null; reason: PickReason }
  /** The last event of a request that was not rejected: exactly one, whatever was cut. */
  | {
      type: "request.finished";
      requestId: string;
      /** What the client got; null when it left before an answer. */
      status: number | null;
      outcome: Outcome;
      durationMs: number;
      ttfbMs: number | null;
      longestSilenceMs: number;
      bytesIn: number;
      bytesOut: number;
      attempts: number;
      upstreamRequestId: string | null;
      blame: Blame | null;
      /** Code of our own error, or the upstream's error type. */
      errorCode: string | null;
      /** The upstream's own sentence, or ours. */
      message: string | null;
      nextStep: string | null;
    };

export type AttemptEvent =
  | { type: "attempt.started"; requestId: string; attempt: number; accountId: string | null; modelAsked: string | null }
  | { type: "attempt.failed"; requestId: string; attempt: number; code: string; message: string };

export type ResponseEvent =
  | {
      type: "response.started";
      requestId: string;
      status: number;
      ttfbMs: number;
      upstreamRequestId: string | null;
      contentType: string | null;
      contentEncoding: string | null;
      retryAfter: string | null;
    }
  /** At most four a second for one request. */
  | { type: "response.progress"; requestId: string; phase: Phase; bytesOut: number; outputTokens: number | null };

export type UsageEvent = {
  type: "usage.updated";
  requestId: string;
  model: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheCreationTokens: number | null;
  stopReason: string | null;
};

/** One window of one account's limits, as the unified (or the classic) headers give it. */
export type LimitsEvent = {
  type: "limits.updated";
  accountId: string;
  /** `5h`, `7d`, `7d_oi`, `overage`, `requests`, `input-tokens` …: the part of the header's name; empty for the whole. */
  window: string;
  status: string | null;
  /** 0..1, can exceed 1. */
  utilization: number | null;
  /** Wall milliseconds. */
  resetsAt: number | null;
  /** The header `…-representative-claim` names this window as the binding one. */
  representative: boolean;
};

export type AccountEvent =
  | {
      type: "account.added";
      accountId: string;
      kind: AccountKind;
      /** Never an e-mail address. */
      label: string;
      enabled: boolean;
      priority: number;
      expiresAt: number | null;
      /** It holds a refresh token. */
      renewable: boolean;
      health: AccountHealth;
      lastError: string | null;
    }
  | { type: "account.removed"; accountId: string; reason: string }
  | { type: "account.enabled" | "account.disabled"; accountId: string; reason: string }
  | { type: "account.changed"; accountId: string; label: string; priority: number }
  | { type: "account.cooling"; accountId: string; until: number; reason: string; limited: boolean }
  | { type: "account.healthy"; accountId: string }
  /** `expiresAt`: until then the access token that it still holds is used; null when that has no known end. */
  | { type: "account.needs-login"; accountId: string; message: string; expiresAt: number | null };

/** What is to be known of an account. Whether it can serve depends on its token too: `accounts/can-serve.ts`. */
export type AccountHealth = "healthy" | "cooling" | "limited" | "disabled" | "needs-login";

export type TokenEvent =
  | { type: "token.refreshing"; accountId: string; reason: RefreshReason; expiresAt: number | null }
  | {
      type: "token.refreshed";
      accountId: string;
      reason: RefreshReason;
      durationMs: number;
      oldExpiresAt: number | null;
      newExpiresAt: number | null;
    }
  /** Another process (named by pid when known) had refreshed already; its token is used. */
  | { type: "token.adopted"; accountId: string; reason: RefreshReason; newExpiresAt: number | null; renewable: boolean; heldBy: number | null }
  | {
      type: "token.refresh-failed";
      accountId: string;
      reason: RefreshReason;
      errorCode: string;
      message: string;
      failures: number;
      nextTryAt: number | null;
    };

export type LoginEvent =
  | { type: "login.started"; attemptId: string; kind: "max" | "console"; expiresAt: number }
  | { type: "login.waiting"; attemptId: string; step: "code" | "exchange" | "confirm" }
  | { type: "login.succeeded"; attemptId: string; accountId: string }
  | { type: "login.failed"; attemptId: string; errorCode: string; message: string };

export type ProcessEvent =
  | { type: "config.loaded"; mode: string; strategy: string; upstream: string; source: string }
  /** `deltaMs` is how far the wall clock went beyond the monotonic one since the last look. */
  | { type: "clock.jumped"; deltaMs: number; kind: "suspend" | "forward" | "back" }
  | { type: "notice"; level: "info" | "warning" | "error"; code: string; message: string; hint: string | null };

export type EventDraft =
  | ServerEvent
  | RequestEvent
  | AttemptEvent
  | ResponseEvent
  | UsageEvent
  | LimitsEvent
  | AccountEvent
  | TokenEvent
  | LoginEvent
  | ProcessEvent;

/** A published fact: `at` is wall milliseconds, `seq` counts from 1 in this process. */
export type Event = Readonly<EventDraft & { at: number; seq: number }>;

export type EventType = EventDraft["type"];
