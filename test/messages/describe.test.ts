// The words of every event, once for the reader of a log and once for the one at the dashboard.
import { expect, describe as group, it } from "vitest";
import { describe } from "../../src/messages/describe.ts";
import type { DescribeContext, Description } from "../../src/messages/describe.ts";
import type { Event } from "../../src/messages/events.ts";
import { eventTypes, fact } from "../state/facts.ts";

// Local, as the words are.
const ten = new Date(2026, 0, 2, 10).getTime();
const hour = 3_600_000;
const inLog: DescribeContext = { nameOf: (id) => id, signIn: (id) => `login --account ${id}`, request: null, outage: null };
const onScreen: DescribeContext = { nameOf: (_id, label) => label ?? "work", signIn: () => "key l", request: "POST /v1/messages", outage: { since: 1000, failures: 2 } };

const words = (event: Event, context = inLog): string => {
  const { tone, text, details } = describe(event, context);
  return `${tone}: ${text}${details === "" ? "" : ` (${details})`}`;
};

const everyday: readonly (readonly [Event, string])[] = [
  [fact("server.listening"), "good: listening on http://127.0.0.1:4001 (oauth, version 0.1.0, pid 7)"],
  [fact("server.stopping", { inFlight: 2 }), "warning: stopping (q): 2 open, up to 10s to finish"],
  [fact("server.stopped"), "info: stopped after 1m00s and 1 requests"],
  [fact("request.received"), "info: received from claude-cli/2.1.197 (1000 B)"],
  [fact("request.received", { client: "", bodyBytes: null }), "info: received from an unnamed client"],
  [fact("request.rejected"), "warning: 401 client: refused here (local-key): The local key is missing."],
  [fact("request.assigned"), "info: goes to main (only)"],
  [fact("request.assigned", { accountId: null, reason: "pass-through" }), "info: goes to the upstream with the client's own login (pass-through)"],
  [fact("attempt.started", { modelAsked: "opus" }), "info: attempt 1 as main, model opus"],
  [fact("attempt.started", { accountId: null, modelAsked: null }), "info: attempt 1 as the client"],
  [fact("attempt.failed"), "error: upstream not reached: ENOTFOUND: getaddrinfo ENOTFOUND. (attempt 1)"],
  [fact("attempt.failed", { code: "unauthorized", message: "Refused" }), "info: Refused. (attempt 1)"],
  [fact("attempt.failed", { code: "http-529", message: "Answered 529", attempt: 2 }), "info: Answered 529. (attempt 2)"],
  [fact("response.started", { ttfbMs: 12, retryAfter: "5" }), "info: the upstream answered 200 after 12ms (text/event-stream, req_011, retry-after 5)"],
  [fact("response.progress"), "info: text, 100 B, 10 tokens"],
  [fact("response.progress", { outputTokens: null }), "info: text, 100 B"],
  [fact("usage.updated", { model: null, outputTokens: null }), "info: unknown model: 200 tokens in, ? out, cache 18000 read, 0 written (end_turn)"],
  [fact("limits.updated", { at: ten, resetsAt: ten + hour }), "good: main: 5h limit allowed, 42% used, resets 11:00"],
  [fact("limits.updated", { window: "", status: "allowed_warning", utilization: null }), "warning: main: plan limit allowed warning"],
  [fact("config.loaded"), "info: settings from defaults: mode oauth, round-robin, upstream https://api.anthropic.com"],
  [fact("clock.jumped"), "warning: woke up after 2h03m of sleep; tokens are checked again"],
  [fact("clock.jumped", { kind: "back", deltaMs: -4 * hour }), "warning: the clock went back by 4h00m; tokens are checked again"],
  [fact("clock.jumped", { kind: "forward", deltaMs: 4 * hour }), "warning: the clock went forward by 4h00m; tokens are checked again"],
  [fact("notice"), "error: The disk is full. Next: free some space."],
  [fact("notice", { level: "info", message: "Done!", hint: null }), "info: Done!"],
];

group("the words of an event", () => {
  it.each(everyday.map(([event, text]) => ({ type: event.type, event, text })))("$type reads $text", ({ event, text }) => {
    expect(words(event)).toBe(text);
  });

  it("are there for every type of event, whatever the reader", () => {
    for (const type of eventTypes) for (const context of [inLog, onScreen]) expect(describe(fact(type), context).text.length).toBeGreaterThan(5);
  });

  it("keep to times that no calendar knows", () => {
    expect(words(fact("account.added", { expiresAt: 9e15 }))).toContain("valid until --:--");
  });
});

const ends: readonly (readonly [Parameters<typeof fact<"request.finished">>[1], string])[] = [
  [{}, "info: 200 ok (3.3s, first byte 400ms, 1000 B in, 500 B out, req_011)"],
  [{ upstreamRequestId: null, ttfbMs: null, attempts: 3 }, "info: 200 ok (3.3s, 1000 B in, 500 B out, 3 attempts)"],
  [{ status: null }, "info: --- ok ("],
  [{ outcome: "client-left", status: null }, "warning: the client left. Request req_011."],
  [{ outcome: "client-left", longestSilenceMs: 19_999 }, "warning: the client left. Request req_011."],
  [{ outcome: "client-left", longestSilenceMs: 300_000 }, "warning: the client left after 5m00 without a byte. Request req_011."],
  [{ outcome: "shutdown" }, "warning: cut off by the stop of the proxy. Request req_011."],
  [{ outcome: "timeout", status: 504, blame: "upstream", message: "No answer", nextStep: "send it again" }, "error: 504 upstream: No answer. Request req_011. Next: send it again."],
  [{ outcome: "failed", status: 502, blame: "network", errorCode: "ENOTFOUND", upstreamRequestId: null }, "error: 502 network: ENOTFOUND. Request r1."],
  [{ outcome: "failed", status: null }, "error: --- failed: ended as failed. Request req_011."],
  [
    { outcome: "upstream-error", status: 429, blame: "plan-limit", message: "You reached your limit", nextStep: "wait until 21:42" },
    "warning: 429 plan limit: You reached your limit. Request req_011. Next: wait until 21:42.",
  ],
  [{ outcome: "upstream-error", status: 429, blame: "throttle", message: "Slow down!" }, "warning: 429 throttle: Slow down! Request req_011."],
  [{ outcome: "upstream-error", status: 529, blame: "overload", message: "Overloaded" }, "warning: 529 overload: Overloaded. Request req_011."],
  [{ outcome: "upstream-error", status: 401, blame: "credential", message: "Expired" }, "error: 401 credential: Expired. Request req_011."],
  [{ outcome: "upstream-error", status: 400, blame: "client", message: "No model" }, "error: 400 client: No model. Request req_011."],
];

group("the end of a request", () => {
  it.each(ends.map(([about, text]) => ({ about, text })))("reads $text", ({ about, text }) => {
    expect(words(fact("request.finished", about)).startsWith(text)).toBe(true);
  });

  it("has its figures in the details, whatever the outcome", () => {
    const { details }: Description = describe(fact("request.finished", { outcome: "failed", attempts: 2 }), inLog);
    expect(details).toBe("3.3s, first byte 400ms, 1000 B in, 500 B out, 2 attempts");
  });
});

const accounts: readonly (readonly [Event, string, string])[] = [
  [fact("account.added", { at: ten, label: "Ada", expiresAt: ten + 8 * hour }), "info: main: subscription, valid until 18:00 (Ada, healthy)", "info: Ada: subscription, valid until 18:00"],
  [fact("account.added", { kind: "api_key", label: "Ada", enabled: false }), "info: main: API key, disabled", "info: Ada: API key, disabled"],
  [fact("account.removed"), "warning: main: removed (by hand)", "warning: work: removed (by hand)"],
  [fact("account.enabled"), "good: main: enabled (by hand)", "good: work: enabled (by hand)"],
  [fact("account.disabled"), "warning: main: disabled (by hand)", "warning: work: disabled (by hand)"],
  [fact("account.changed"), "info: main: now named renamed, priority 2", "info: work: now named renamed, priority 2"],
  [fact("account.cooling", { at: ten, until: ten + 2000 }), "warning: main: resting for 2s (529)", "warning: work: resting for 2s (529)"],
  [fact("account.cooling", { at: ten, until: ten + hour, limited: true }), "warning: main: at its limit until 11:00 (529)", "warning: work: at its limit until 11:00 (529)"],
  [fact("account.healthy"), "good: main: serving again", "good: work: serving again"],
  [fact("account.needs-login"), "error: main: sign in again (login --account main): invalid_grant.", "error: work: sign in again (key l): invalid_grant."],
  [fact("login.started", { at: 0 }), "info: sign-in (max) started, open for 10m00s", "info: sign-in (max) started"],
  [fact("login.waiting", { step: "code" }), "info: sign-in waits for the code", "info: sign-in waits for the code"],
  [fact("login.waiting"), "info: sign-in exchanges the code", "info: sign-in exchanges the code"],
  [fact("login.waiting", { step: "confirm" }), "info: sign-in waits for a yes or no: it is of a person who was not here before", "info: sign-in waits for a yes or no"],
  [fact("login.succeeded"), "good: signed in: main", "good: signed in: work"],
  [fact("login.failed"), "warning: sign-in failed: login-expired: Too late.", "warning: sign-in failed: login-expired: Too late."],
];

const refreshes: readonly (readonly [Event, string, string])[] = [
  [fact("token.refreshing", { reason: "mandatory" }), "info: main: refreshing the token just before expiry, valid until no expiry", "info: work: refreshing the token just before expiry"],
  [
    fact("token.refreshed", { at: ten - 300_000, oldExpiresAt: ten, newExpiresAt: ten + 8 * hour }),
    "good: main: token refreshed ahead of expiry in 0.4s, expiry 10:00 -> 18:00",
    "good: work: token refreshed ahead of expiry in 0.4s",
  ],
  [fact("token.refreshed", { reason: "unauthorized" }), "good: main: token refreshed after a 401 in 0.4s, expiry no expiry -> no expiry", "good: work: token refreshed after a 401"],
  [fact("token.refreshed", { reason: "rotate" }), "good: main: token refreshed because of its age in 0.4s", "good: work: token refreshed because of its age"],
  [
    fact("token.adopted", { at: ten, newExpiresAt: ten + 8 * hour, reason: "wake" }),
    "good: main: took over the token refreshed by process 4242 (after waking up), valid until 18:00",
    "good: work: took over the token refreshed by process 4242",
  ],
  [
    fact("token.adopted", { heldBy: null, reason: "manual" }),
    "good: main: took over the token refreshed by another process (by hand), valid until no expiry",
    "good: work: took over the token refreshed by another process",
  ],
  [
    fact("token.refresh-failed", { at: ten, failures: 3, nextTryAt: ten + 30_000, errorCode: "overloaded", message: "529" }),
    "error: main: refresh ahead of expiry failed 3x: overloaded: 529. Next: tries again in 30s.",
    "error: work: refresh ahead of expiry failed 3x",
  ],
  [
    fact("token.refresh-failed"),
    "error: main: refresh ahead of expiry failed 1x: invalid_grant: Refresh token not found. Next: sign in again (login --account main).",
    "error: work: refresh ahead of expiry failed 1x",
  ],
];

group("what happens to an account", () => {
  const named = [...accounts, ...refreshes].map(([event, log, screen]) => ({ type: event.type, event, log, screen }));
  it.each(named)("$type names it by its id in a log, by its label on the screen: $log", ({ event, log, screen }) => {
    expect(words(event).startsWith(log)).toBe(true);
    expect(words(event, onScreen).startsWith(screen)).toBe(true);
  });
});

group("what stands around an event", () => {
  it("an answer after an outage says how long it was", () => {
    expect(words(fact("response.started", { at: 13_000 }), onScreen)).toBe("good: upstream answers again after 12s and 2 failed attempts (text/event-stream, req_011)");
  });

  it("a refused request is named where the line does not begin with it", () => {
    expect(words(fact("request.rejected"), onScreen)).toBe("warning: 401 client: refused here (local-key) POST /v1/messages: The local key is missing.");
  });
});
