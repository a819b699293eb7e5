// The picture before the first event.
import type { AppState, RequestsState } from "./state.ts";

export const noRequests: RequestsState = {
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
};

/** A program that has not listened yet. */
export const initialState = ({ version, mode }: { readonly version: string; readonly mode: string }): AppState => ({
  server: { status: "starting", url: null, host: null, port: null, mode, version, startedAt: null, stopDeadline: null },
  requests: noRequests,
  sessions: [],
  accounts: [],
  refreshes: [],
  login: { attemptId: null, kind: "max", step: "idle", expiresAt: null, message: null },
  upstream: { failingSince: null, failures: 0, code: null, message: null },
  activity: [],
});
