// The state of the running program, folded from events. A projection: nothing decides by it.
import type { Tone } from "../messages/describe.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import type { AccountHealth, AccountKind, Blame, Outcome, Phase, PickReason, RefreshReason } from "../messages/events.ts";

/** One row of the requests table. Times are wall milliseconds, durations milliseconds. */
export type RequestRow = {
  readonly id: string;
  readonly receivedAt: number;
  readonly method: string;
  readonly path: string;
  readonly client: string;
  readonly sessionId: string | null;
  readonly agentId: string | null;
  readonly parentAgentId: string | null;
  readonly accountId: string | null;
  readonly pickReason: PickReason | null;
  readonly attempts: number;
  readonly status: number | null;
  /** Null while it is open. `rejected` is our own refusal. */
  readonly outcome: Outcome | "rejected" | null;
  readonly phase: Phase;
  readonly modelAsked: string | null;
  readonly model: string | null;
  readonly ttfbMs: number | null;
  readonly finishedAt: number | null;
  readonly durationMs: number | null;
  /** When the last byte from upstream was seen (to the resolution of `response.progress`). */
  readonly lastByteAt: number | null;
  readonly longestSilenceMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheCreationTokens: number | null;
  readonly stopReason: string | null;
  readonly upstreamRequestId: string | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly retryAfter: string | null;
  readonly blame: Blame | null;
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly nextStep: string | null;
};

export type RequestsState = {
  /** Newest first; at most 500, open ones are never evicted. */
  readonly rows: readonly RequestRow[];
  readonly total: number;
  readonly inFlight: number;
  readonly ok: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  /** Start times of the last minute's requests, oldest first (at most 2000). */
  readonly recentStarts: readonly number[];
  /** Time to first byte of the last 200 answered requests, in the order of arrival. */
  readonly recentTtfb: readonly number[];
  readonly lastUpstreamOkAt: number | null;
};

/** Requests of one Claude Code session, subagents included (official headers). */
export type SessionRow = {
  readonly id: string;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly client: string;
  readonly requests: number;
  readonly inFlight: number;
  readonly errors: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  /** Cache-read share (0..1) of the last ten answered requests, oldest first. */
  readonly cacheShares: readonly number[];
  readonly agents: readonly AgentRow[];
};

export type AgentRow = { readonly id: string; readonly parentId: string | null; readonly requests: number; readonly inputTokens: number; readonly outputTokens: number };

export type LimitReading = {
  readonly window: string;
  readonly status: string | null;
  readonly utilization: number | null;
  readonly resetsAt: number | null;
  readonly representative: boolean;
  readonly readAt: number;
};

export type AccountRow = {
  readonly id: string;
  readonly kind: AccountKind;
  readonly label: string;
  readonly enabled: boolean;
  readonly priority: number;
  readonly health: AccountHealth;
  readonly coolingUntil: number | null;
  readonly healthReason: string | null;
  readonly expiresAt: number | null;
  /** It holds a refresh token. */
  readonly renewable: boolean;
  readonly refreshing: boolean;
  readonly refreshFailures: number;
  readonly nextRefreshAt: number | null;
  readonly refreshedAt: number | null;
  readonly lastRefreshReason: RefreshReason | null;
  readonly refreshCount: number;
  readonly lastError: string | null;
  readonly limits: readonly LimitReading[];
  readonly requests: number;
};

export type ServerState = {
  readonly status: "starting" | "running" | "stopping" | "stopped";
  readonly url: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly mode: string;
  readonly version: string;
  readonly startedAt: number | null;
  readonly stopDeadline: number | null;
};

export type LoginState = {
  readonly attemptId: string | null;
  readonly kind: "max" | "console";
  readonly step: "idle" | "code" | "exchange" | "confirm" | "succeeded" | "failed";
  readonly expiresAt: number | null;
  readonly message: string | null;
};

/** A run of failures to reach the upstream; null count means it answers. */
export type UpstreamState = { readonly failingSince: number | null; readonly failures: number; readonly code: string | null; readonly message: string | null };

/** One line of the Events pane. */
export type ActivityLine = {
  readonly seq: number;
  readonly at: number;
  readonly tone: Tone;
  /** The event's type, for filters. */
  readonly type: string;
  readonly text: string;
};

export type AppState = {
  readonly server: ServerState;
  readonly requests: RequestsState;
  readonly sessions: readonly SessionRow[];
  readonly accounts: readonly AccountRow[];
  /** Oldest first, at most 500; those of earlier processes included. */
  readonly refreshes: readonly RefreshFact[];
  readonly login: LoginState;
  readonly upstream: UpstreamState;
  /** Newest last, at most 1000. */
  readonly activity: readonly ActivityLine[];
};

/** The state before the first event: a program that has not listened yet. */
export const initialState = ({ version, mode }: { readonly version: string; readonly mode: string }): AppState => ({
  server: { status: "starting", url: null, host: null, port: null, mode, version, startedAt: null, stopDeadline: null },
  requests: {
    rows: [],
    total: 0,
    inFlight: 0,
    ok: 0,
    clientErrors: 0,
    serverErrors: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheCreationTokens: 0,
    recentStarts: [],
    recentTtfb: [],
    lastUpstreamOkAt: null,
  },
  sessions: [],
  accounts: [],
  refreshes: [],
  login: { attemptId: null, kind: "max", step: "idle", expiresAt: null, message: null },
  upstream: { failingSince: null, failures: 0, code: null, message: null },
  activity: [],
});
