// A busy afternoon as the dashboard sees it, and frames of it in any size.
import { reduceAll } from "../../src/state/reduce.ts";
import { initialState } from "../../src/state/state.ts";
import type { AppState } from "../../src/state/state.ts";
import type { Event } from "../../src/messages/events.ts";
import { glyphsFor } from "../../src/tui/theme.ts";
import type { Line } from "../../src/tui/theme.ts";
import { initialUi } from "../../src/tui/ui-state.ts";
import type { UiState } from "../../src/tui/ui-state.ts";
import { viewOf } from "../../src/tui/view.ts";
import type { View, ViewParts } from "../../src/tui/view.ts";
import { fact } from "../state/facts.ts";

export const noon = new Date(2026, 0, 2, 12).getTime();
const minute = 60_000;

export const about = { program: "claude-oauth-proxy", keyNeeded: true, leadMs: 300_000, drainSeconds: 10, upstream: "api.anthropic.com" };

/** The picture after `events`, on top of a proxy that listens since 8:48 with one account. */
export const stateOf = (events: readonly Event[] = [], mode = "oauth"): AppState =>
  reduceAll(initialState({ version: "0.1.0", mode }), [
    fact("server.listening", { at: noon - 192 * minute, mode }),
    ...(mode === "oauth" ? [fact("account.added", { at: noon - 192 * minute, label: "dana (Max)", expiresAt: noon + 252 * minute })] : []),
    ...events,
  ]);

/** Six requests: two open, one of them silent, a count, a throttle, an answer, a client that left. */
export const afternoon: readonly Event[] = [
  ...request("r1", 48, { session: "6f1c1d9e-0000-4000-8000-000000000001" }, { outcome: "client-left", durationMs: 6000, ttfbMs: 900 }),
  ...request("r2", 29, { model: "claude-haiku-4-5" }, {}),
  ...request("r3", 20, { model: "claude-opus-4-1", status: 429 }, {
    status: 429, outcome: "upstream-error", durationMs: 300, ttfbMs: 300,
    blame: "plan-limit", errorCode: "rate_limit_error", message: "This request would exceed your rate limit", nextStep: "wait until 14:00",
  }),
  ...request("r4", 16, { path: "/v1/messages/count_tokens" }, { durationMs: 200, ttfbMs: 200 }),
  ...request("r5", 260, { model: "claude-opus-4-1" }, null),
  ...request("r6", 2, {}, null),
  fact("limits.updated", { at: noon - 3 * minute, resetsAt: noon + 130 * minute }),
  fact("limits.updated", { at: noon - 3 * minute, window: "7d", utilization: 0.13, resetsAt: noon + 75 * 60 * minute, representative: false }),
  fact("token.refreshed", { at: noon - 230 * minute, oldExpiresAt: noon - 225 * minute, newExpiresAt: noon + 252 * minute }),
];

type About = { readonly path?: string; readonly model?: string; readonly session?: string; readonly status?: number };
type Ending = Parameters<typeof fact<"request.finished">>[1] | null;

function request(requestId: string, secondsAgo: number, { path, model = "claude-sonnet-4-5", session, status = 200 }: About, ending: Ending): readonly Event[] {
  const at = noon - secondsAgo * 1000;
  return [
    fact("request.received", { requestId, at, ...(path === undefined ? {} : { path }), sessionId: session ?? null }),
    fact("request.assigned", { requestId, at }),
    fact("attempt.started", { requestId, at, modelAsked: model }),
    fact("response.started", { requestId, at: at + 800, ttfbMs: 800, status }),
    ...(status === 200 ? [fact("usage.updated", { requestId, at: at + 900, model })] : []),
    fact("response.progress", { requestId, at: at + 1000, bytesOut: 900, phase: "tool" }),
    ...(ending === null ? [] : [fact("request.finished", { requestId, at: at + 1200, ...ending })]),
  ];
}

type Parts = Partial<Omit<ViewParts, "ui" | "glyphs">> & { readonly ui?: Partial<UiState>; readonly ascii?: boolean };

/** A view at noon, 120x30, of the afternoon; `parts` replace what they name. */
export const viewAt = ({ ui, ascii = false, ...parts }: Parts = {}): View =>
  viewOf({ live: stateOf(afternoon), ui: { ...initialUi, ...ui }, now: noon, columns: 120, rows: 30, glyphs: glyphsFor(ascii), slow: false, memory: 104 * 1_048_576, about, ...parts });

/** What stands in a line. */
export const textOf = (line: Line): string => line.segments.map(({ text }) => text).join("");
