import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxLines } from "../../src/state/activity.ts";
import { initialState } from "../../src/state/state.ts";
import { foldLogin, foldServer, foldUpstream, reduce, reduceAll } from "../../src/state/reduce.ts";
import { maxRows, maxStarts, maxTtfb } from "../../src/state/requests.ts";
import { maxSessions } from "../../src/state/sessions.ts";
import type { AppState } from "../../src/state/state.ts";
import type { Event, EventType } from "../../src/messages/events.ts";
import { eventTypes, fact } from "./facts.ts";

const start = initialState({ version: "0.1.0", mode: "oauth" });
const ids = ["r1", "r2", "r3", "r4"];

/** Any event about few requests, sessions and accounts, so that they meet; time mostly runs, sometimes back. */
const anyEvent: fc.Arbitrary<Event> = fc
  .record({
    type: fc.constantFrom(...eventTypes),
    requestId: fc.constantFrom(...ids),
    sessionId: fc.constantFrom(null, "s1", "s2"),
    agentId: fc.constantFrom(null, "a1", "a2"),
    accountId: fc.constantFrom("main", "second", "gone"),
    status: fc.constantFrom(null, 200, 404, 429, 500, 529),
    outcome: fc.constantFrom("ok", "upstream-error", "client-left", "timeout", "shutdown", "failed"),
    at: fc.integer({ min: 0, max: 200_000 }),
    outputTokens: fc.constantFrom(null, 0, 5, 5000),
    inputTokens: fc.constantFrom(null, 0, 7, 70_000),
    window: fc.constantFrom("", "5h", "7d", "overage"),
  })
  .map(({ type, status, ...about }) => fact(type, { ...about, ...((status === null && type !== "request.finished") || type === "limits.updated" ? {} : { status }) } as Parameters<typeof fact>[1]));

const story = fc.array(anyEvent, { maxLength: 120 }).map((events) => events.map((event, index) => ({ ...event, seq: index + 1 })));

const keys = Object.keys(start).sort() as (keyof AppState)[];

/** What each type of event changes once an account, a request of a session and a sign-in are there. */
const changedBy: Readonly<Record<EventType, string>> = {
  "server.listening": "activity server",
  "server.stopping": "activity server",
  "server.stopped": "activity server",
  "request.received": "",
  "request.rejected": "activity requests sessions",
  "request.assigned": "accounts requests",
  "request.finished": "requests sessions",
  "attempt.started": "requests",
  "attempt.failed": "activity requests upstream",
  "response.started": "requests",
  "response.progress": "requests sessions",
  "usage.updated": "requests sessions",
  "limits.updated": "accounts",
  "account.added": "accounts activity",
  "account.removed": "accounts activity",
  "account.enabled": "accounts activity",
  "account.disabled": "accounts activity",
  "account.changed": "accounts activity",
  "account.cooling": "accounts activity",
  "account.healthy": "accounts",
  "account.needs-login": "accounts activity refreshes",
  "token.refreshing": "accounts",
  "token.refreshed": "accounts activity refreshes",
  "token.adopted": "accounts activity refreshes",
  "token.refresh-failed": "accounts activity refreshes",
  "login.started": "activity login",
  "login.waiting": "login",
  "login.succeeded": "activity login",
  "login.failed": "activity login",
  "config.loaded": "activity",
  "clock.jumped": "activity",
  notice: "activity",
};

const check = (state: AppState): void => {
  const { rows, inFlight, total } = state.requests;
  const open = rows.filter(({ outcome }) => outcome === null);
  expect(inFlight).toBe(open.length);
  expect(total).toBeGreaterThanOrEqual(inFlight);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  expect(rows.length - open.length).toBeLessThanOrEqual(maxRows);
  expect(state.requests.recentStarts.length).toBeLessThanOrEqual(maxStarts);
  expect(state.requests.recentTtfb.length).toBeLessThanOrEqual(maxTtfb);
  expect(state.activity.length).toBeLessThanOrEqual(maxLines);
  expect(state.sessions.length).toBeLessThanOrEqual(maxSessions + open.length);
  for (const session of state.sessions) expect(session.inFlight).toBe(open.filter(({ sessionId }) => sessionId === session.id).length);
  const { outputTokens } = state.requests;
  expect(outputTokens).toBe(rows.reduce((sum, row) => sum + (row.outputTokens ?? 0), 0));
};

describe("the state, whatever comes in whatever order", () => {
  it("never throws, and its counters agree with its rows", () => {
    fc.assert(fc.property(story, (events) => check(reduceAll(start, events))), { numRuns: 300 });
  });

  it("is the same whether events are folded one by one or together", () => {
    fc.assert(
      fc.property(story, (events) => {
        expect(reduceAll(start, events)).toEqual(events.reduce((state, event) => reduce(state, event), start));
      }),
      { numRuns: 100 },
    );
  });

  it("is a new one, and the old one stays as it was", () => {
    fc.assert(
      fc.property(story, anyEvent, (events, event) => {
        const before = reduceAll(start, events);
        const copy = structuredClone(before);
        reduce(before, event);
        expect(before).toEqual(copy);
      }),
      { numRuns: 100 },
    );
  });

  it("is the same object when an event changes nothing", () => {
    const about = reduceAll(start, [fact("request.received"), fact("request.finished")]);
    for (const type of ["response.progress", "request.finished", "request.assigned", "attempt.started"] as const) {
      expect(reduce(about, fact(type))).toBe(about);
      expect(reduce(about, fact(type, { requestId: "unknown" }))).toBe(about);
    }
    expect(reduce(about, fact("login.waiting", { attemptId: "another" }))).toBe(about);
    expect(reduce(about, fact("account.healthy", { accountId: "unknown" }))).toBe(about);
  });

  it.each(Object.entries(changedBy))("%s changes: %s", (type, slices) => {
    const before = reduceAll(start, [fact("account.added"), fact("request.received", { sessionId: "s1" }), fact("login.started")]);
    const after = reduce(before, fact(type as EventType, { sessionId: "s1" } as never));
    expect(keys.filter((key) => after[key] !== before[key]).join(" ")).toBe(slices);
  });
});

describe("the server", () => {
  it("runs from listening to stopping to stopped", () => {
    const running = foldServer(start.server, fact("server.listening", { at: 5 }));
    expect(running).toMatchObject({ status: "running", port: 4001, startedAt: 5 });
    const stopping = foldServer(running, fact("server.stopping", { at: 1000, drainSeconds: 10 }));
    expect(stopping).toMatchObject({ status: "stopping", stopDeadline: 11_000 });
    expect(foldServer(stopping, fact("server.stopped"))).toMatchObject({ status: "stopped", stopDeadline: null });
  });

  it("takes its mode from the settings, and stays the same object for what it knows", () => {
    expect(foldServer(start.server, fact("config.loaded", { mode: "pass-through" })).mode).toBe("pass-through");
    expect(foldServer(start.server, fact("config.loaded"))).toBe(start.server);
  });
});

describe("a sign-in", () => {
  const open = foldLogin(start.login, fact("login.started"));

  it("goes from the code over the exchange to its end", () => {
    expect(open).toMatchObject({ attemptId: "l1", step: "code", expiresAt: 600_000 });
    expect(foldLogin(open, fact("login.waiting"))).toMatchObject({ step: "exchange" });
    expect(foldLogin(open, fact("login.succeeded"))).toMatchObject({ step: "succeeded" });
    expect(foldLogin(open, fact("login.failed"))).toMatchObject({ step: "failed", message: "Too late" });
  });

  it("is not disturbed by an older attempt", () => {
    expect(foldLogin(open, fact("login.failed", { attemptId: "l0" }))).toBe(open);
  });
});

describe("the upstream", () => {
  it("fails from the first attempt that did not reach it until the first answer, whatever its status", () => {
    const once = foldUpstream(start.upstream, fact("attempt.failed", { at: 5 }));
    const twice = foldUpstream(once, fact("attempt.failed", { at: 9, code: "ECONNREFUSED" }));
    expect(twice).toEqual({ failingSince: 5, failures: 2, code: "ECONNREFUSED", message: "getaddrinfo ENOTFOUND" });
    expect(foldUpstream(twice, fact("response.started", { status: 529 }))).toEqual(start.upstream);
    expect(foldUpstream(start.upstream, fact("response.started"))).toBe(start.upstream);
  });

  it("is not failing when it refuses a token or answers with a status that is tried again", () => {
    const down = foldUpstream(start.upstream, fact("attempt.failed"));
    for (const code of ["unauthorized", "http-529"]) {
      expect(foldUpstream(start.upstream, fact("attempt.failed", { code }))).toBe(start.upstream);
      expect(foldUpstream(down, fact("attempt.failed", { code }))).toEqual(start.upstream);
    }
  });
});
