// Which events are worth a line in the Events pane, and what the line says there.
import { describe, expect, it } from "vitest";
import { initialState } from "../../src/state/state.ts";
import { reduceAll } from "../../src/state/reduce.ts";
import type { Event } from "../../src/messages/events.ts";
import { fact } from "./facts.ts";

const hour = 3_600_000;
const ten = new Date(2026, 0, 2, 10).getTime();
const known = fact("account.added", { label: "work", expiresAt: ten });
const start = initialState({ version: "1", mode: "oauth" });
const linesAfter = (...events: readonly Event[]): readonly string[] =>
  reduceAll(start, [known, fact("request.received"), ...events]).activity.slice(1).map(({ text }) => text);
const lastAfter = (...events: readonly Event[]): string | undefined => linesAfter(...events).at(-1);

const overage = (status: string) => fact("limits.updated", { window: "overage", status, utilization: null, resetsAt: null });

describe("the blame line", () => {
  it("says who, the upstream's sentence, the request and the next step (N2)", () => {
    const failed = fact("request.finished", { status: 429, outcome: "upstream-error", blame: "plan-limit", message: "You reached your limit", nextStep: "wait until 21:42" });
    expect(lastAfter(failed)).toBe("429 plan limit: You reached your limit. Request req_011. Next: wait until 21:42.");
  });

  it("falls back to the code, and to our own id when the upstream gave none", () => {
    expect(lastAfter(fact("request.finished", { status: 502, outcome: "failed", blame: "network", errorCode: "ENOTFOUND", upstreamRequestId: null }))).toBe("502 network: ENOTFOUND. Request r1.");
  });

  it("is not written for answers, nor for a client that pressed Escape", () => {
    expect(linesAfter(fact("request.finished"))).toEqual([]);
    expect(linesAfter(fact("request.finished", { outcome: "client-left" }))).toEqual([]);
  });

  it("is written for a client that gave up a silent stream (N1)", () => {
    expect(lastAfter(fact("request.finished", { outcome: "client-left", longestSilenceMs: 300_000 }))).toBe("the client left after 5m00 without a byte. Request req_011.");
    expect(linesAfter(fact("request.finished", { outcome: "client-left", longestSilenceMs: 19_999 }))).toEqual([]);
  });

  it.each([
    ["plan-limit", "warning"], ["throttle", "warning"], ["overload", "warning"],
    ["client", "error"], ["proxy", "error"], ["network", "error"], ["credential", "error"], ["upstream", "error"],
  ] as const)("blames %s in the tone of a %s", (blame, tone) => {
    const { activity } = reduceAll(start, [fact("request.received"), fact("request.finished", { outcome: "upstream-error", blame })]);
    expect(activity.at(-1)?.tone).toBe(tone);
  });

  it("names what was refused here", () => {
    expect(lastAfter(fact("request.rejected"))).toBe("401 client: refused here (local-key) POST /v1/messages: The local key is missing.");
  });

  it("counts what is said again and again instead of repeating it", () => {
    const refusals = Array.from({ length: 3 }, () => fact("request.rejected", { requestId: "none" }));
    expect(linesAfter(...refusals)).toEqual(["401 client: refused here (local-key): The local key is missing. (x3)"]);
  });
});

it("a sentence that only begins like the last one is a line of its own", () => {
  expect(linesAfter(fact("notice"), fact("notice", { hint: null }), fact("notice", { hint: null }))).toEqual([
    "The disk is full. Next: free some space.",
    "The disk is full. (x2)",
  ]);
});

describe("the refresh timeline", () => {
  const cases: readonly (readonly [Event, string])[] = [
    [fact("token.refreshed", { at: ten - 300_000, oldExpiresAt: ten, newExpiresAt: ten + 8 * hour }), "work: token refreshed ahead of expiry in 0.4s, expiry 10:00 -> 18:00"],
    [fact("token.adopted", { at: ten, newExpiresAt: ten + 8 * hour, reason: "wake" }), "work: took over the token refreshed by process 4242 (after waking up), valid until 18:00"],
    [fact("token.adopted", { heldBy: null }), "work: took over the token refreshed by another process (ahead of expiry), valid until no expiry"],
    [
      fact("token.refresh-failed", { at: ten, failures: 3, nextTryAt: ten + 30_000, errorCode: "overloaded", message: "529" }),
      "work: refresh ahead of expiry failed 3x: overloaded: 529. Next: tries again in 30s.",
    ],
    [fact("token.refresh-failed"), "work: refresh ahead of expiry failed 1x: invalid_grant: Refresh token not found. Next: sign in again (key l)."],
    [fact("clock.jumped"), "woke up after 2h03m of sleep; tokens are checked again"],
    [fact("clock.jumped", { kind: "back", deltaMs: -4 * hour }), "the clock went back by 4h00m; tokens are checked again"],
  ];

  it.each(cases.map(([event, text]) => ({ type: event.type, event, text })))("$type reads $text (N3, N14)", ({ event, text }) => {
    expect(lastAfter(event)).toBe(text);
  });
});

const limited = (status: string) => fact("limits.updated", { at: ten, status, utilization: 0.82, resetsAt: ten + hour });

const answer = (id: string, read: number): readonly Event[] => [
  fact("request.received", { requestId: id, sessionId: "6f1c1d9e-session" }),
  fact("usage.updated", { requestId: id, inputTokens: 20_000 - read, cacheReadTokens: read }),
  fact("request.finished", { requestId: id }),
];

describe("accounts, limits and the rest", () => {
  it("tell a limit only when its status changes", () => {
    const lines = linesAfter(limited("allowed"), limited("allowed_warning"), limited("allowed_warning"), limited("allowed"));
    expect(lines).toEqual(["work: 5h limit allowed warning, 82% used, resets 11:00", "work: 5h limit allowed, 82% used, resets 11:00"]);
  });

  it("tell the first failure to reach the upstream and its end", () => {
    const second = fact("attempt.failed", { at: 2000 });
    const lines = linesAfter(fact("attempt.failed"), second, fact("response.started", { at: 13_000 }));
    expect(lines).toEqual(["upstream not reached: ENOTFOUND: getaddrinfo ENOTFOUND.", "upstream answers again after 12s and 2 failed attempts"]);
  });

  it("do not call an upstream unreachable that refused a token", () => {
    const refused = fact("attempt.failed", { code: "unauthorized", message: "The upstream refused the token (401); sent again with a newer one." });
    expect(linesAfter(refused, fact("response.started"))).toEqual(["The upstream refused the token (401); sent again with a newer one."]);
  });

  it("keep silent about usage credits that are not there, and speak when they are used", () => {
    expect(linesAfter(overage("rejected, out_of_credits"))).toEqual([]);
    expect(linesAfter(overage("allowed, in use"))).toEqual(["work: overage limit allowed, in use"]);
  });

  it("tell once that a session's prompt cache collapsed (N9)", () => {
    const lines = linesAfter(...["a", "b", "c"].flatMap((id) => answer(id, 18_000)), ...["d", "e", "f"].flatMap((id) => answer(id, 0)));
    expect(lines).toEqual(["prompt cache of session 6f1c1d9e collapsed: 0% read, was 90%. Next: look for changing tools, system prompt or model."]);
  });

  it("tell how long an account rests: seconds when it is short, the time when it is long", () => {
    expect(lastAfter(fact("account.cooling", { at: ten, until: ten + 2000 }))).toBe("work: resting for 2s (529)");
    expect(lastAfter(fact("account.cooling", { at: ten, until: ten + hour, limited: true }))).toBe("work: at its limit until 11:00 (529)");
  });

  it("say again that an account serves only when it did not", () => {
    expect(linesAfter(fact("account.healthy"))).toEqual([]);
    expect(lastAfter(fact("account.cooling"), fact("account.healthy"))).toBe("work: serving again");
  });

  it("keep a notice with its hint and its tone", () => {
    const { activity } = reduceAll(start, [fact("notice")]);
    expect(activity).toMatchObject([{ tone: "error", text: "The disk is full. Next: free some space.", type: "notice" }]);
  });
});
