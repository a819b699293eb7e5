import { describe, expect, it } from "vitest";
import { initialState } from "../../src/state/state.ts";
import { reduceAll } from "../../src/state/reduce.ts";
import { cacheReadShare } from "../../src/messages/usage.ts";
import {
  cacheCollapse, canServe, currentLimits, headerWord, isError, isSignInNeeded, leadingAccount, requestsPerMinute, silenceMs, tokenState,
  ttfbPercentiles, worstCache, worstLimit,
} from "../../src/state/select.ts";
import type { AccountRow, AppState } from "../../src/state/state.ts";
import type { Event } from "../../src/messages/events.ts";
import { fact } from "./facts.ts";

const noRequests = initialState({ version: "1", mode: "oauth" }).requests;

const after = (...events: readonly Event[]): AppState => reduceAll(initialState({ version: "1", mode: "oauth" }), events);
const account = (about: Partial<AccountRow> = {}): AccountRow => ({ ...(after(fact("account.added")).accounts[0] as AccountRow), ...about });

const ended = (about: object) => after(fact("request.received"), fact("request.finished", about)).requests.rows[0];

describe("rates and times", () => {
  it("counts the requests of the last minute, from whenever it is asked", () => {
    const requests = { ...noRequests, recentStarts: [0, 1000, 59_000] };
    expect(requestsPerMinute(requests, 59_500)).toBe(3);
    expect(requestsPerMinute(requests, 60_500)).toBe(2);
    expect(requestsPerMinute({ ...noRequests, recentStarts: [59_000] }, 59_500)).toBe(1);
    expect(requestsPerMinute(requests, 200_000)).toBe(0);
  });

  it("extrapolates when its memory is shorter than a minute", () => {
    expect(requestsPerMinute({ ...noRequests, recentStarts: Array.from({ length: 2000 }, (_, index) => index) }, 2000)).toBe(60_000);
  });

  it("gives median and 95th percentile, and nothing before the first answer", () => {
    expect(ttfbPercentiles(noRequests)).toBeNull();
    expect(ttfbPercentiles({ ...noRequests, recentTtfb: Array.from({ length: 100 }, (_, index) => 100 - index) })).toEqual({ p50: 50, p95: 95 });
    expect(ttfbPercentiles({ ...noRequests, recentTtfb: [7] })).toEqual({ p50: 7, p95: 7 });
  });

  it("measures silence from the last byte, and only while a request is open (N1)", () => {
    const open = after(fact("request.received", { at: 1000 }), fact("response.started", { at: 3000 }));
    const [row] = open.requests.rows;
    expect(row === undefined ? null : silenceMs(row, 10_000)).toBe(7000);
    const [waiting] = after(fact("request.received", { at: 1000 })).requests.rows;
    expect(waiting === undefined ? null : silenceMs(waiting, 10_000)).toBe(9000);
    const [closed] = reduceAll(open, [fact("request.finished")]).requests.rows;
    expect(closed === undefined ? 0 : silenceMs(closed, 10_000)).toBeNull();
  });

  it("calls a failure what is neither an answer nor a choice of the client", () => {
    const verdicts = (["ok", "client-left", "shutdown", "timeout", "upstream-error", "failed"] as const).map((outcome) => {
      const row = ended({ outcome });
      return row !== undefined && isError(row);
    });
    expect(verdicts).toEqual([false, false, false, true, true, true]);
  });
});

describe("the prompt cache", () => {
  it("has collapsed when it served half of the input and two answers in a row get next to nothing (N9)", () => {
    expect(cacheCollapse({ cacheShares: [0.9, 0.9, 0.1, 0] })).toEqual({ before: 0.9, now: 0.05 });
    for (const cacheShares of [[], [0.9, 0, 0], [0.9, 0.9, 0.9, 0], [0.4, 0.4, 0, 0], [0.9, 0.9, 0.1, 0.3]]) expect(cacheCollapse({ cacheShares })).toBeNull();
  });

  it("is asked of sessions seen lately", () => {
    const state = { ...after(fact("request.received", { sessionId: "s1" })) };
    const sessions = state.sessions.map((session) => ({ ...session, cacheShares: [0.9, 0.9, 0, 0] }));
    expect(worstCache({ ...state, sessions }, 2000)?.id).toBe("s1");
    expect(worstCache({ ...state, sessions }, 2 * 3_600_000)).toBeNull();
  });

  it("has no share without input", () => {
    expect(cacheReadShare({ inputTokens: 0, cacheReadTokens: null, cacheCreationTokens: null })).toBeNull();
    expect(cacheReadShare({ inputTokens: 50, cacheReadTokens: 100, cacheCreationTokens: 50 })).toBe(0.5);
  });
});

const limit = (window: string, about: object = {}) => ({ window, status: "allowed", utilization: 0.1, resetsAt: 100, representative: false, readAt: 0, ...about });

describe("limits", () => {
  it("the rejected one binds first, then the representative, then the fullest", () => {
    const pick = (...limits: readonly ReturnType<typeof limit>[]) => worstLimit(account({ limits }), 0)?.window;
    expect(pick(limit("5h", { utilization: 0.9 }), limit("7d", { status: "rejected" }))).toBe("7d");
    expect(pick(limit("5h", { utilization: 0.9 }), limit("7d", { representative: true }))).toBe("7d");
    expect(pick(limit("5h", { utilization: 0.2 }), limit("7d", { utilization: 0.3 }))).toBe("7d");
    expect(pick()).toBeUndefined();
  });

  it("a reading whose reset has passed says nothing any more", () => {
    expect(currentLimits(account({ limits: [limit("5h"), limit("7d", { resetsAt: 200 }), limit("x", { resetsAt: null })] }), 150).map(({ window }) => window)).toEqual(["7d", "x"]);
  });
});

describe("tokens and accounts", () => {
  const now = 1_000_000_000;
  it.each([
    [{ expiresAt: now + 3_600_000 }, "ok"],
    [{ expiresAt: null }, "ok"],
    [{ expiresAt: now + 599_999 }, "expiring"],
    [{ expiresAt: now }, "expired"],
    [{ expiresAt: now, refreshing: true }, "refreshing"],
    [{ expiresAt: now + 3_600_000, refreshFailures: 1 }, "refresh-failed"],
    [{ health: "needs-login", refreshing: true }, "needs-login"],
    [{ kind: "api_key" }, "key"],
    [{ enabled: false, health: "needs-login" }, "disabled"],
  ] as const)("%j is %s", (about, expected) => expect(tokenState(account(about), now)).toBe(expected));

  it.each<[string, Partial<AccountRow>, boolean]>([
    ["an account at its limit serves", { health: "limited" }, true],
    ["one that has to be signed in again serves as long as its token lives", { health: "needs-login", expiresAt: now + 1 }, true],
    ["and not after that", { health: "needs-login", expiresAt: now }, false],
    ["an ended token is no obstacle when it can be refreshed", { expiresAt: now - 1 }, true],
    ["it is one during the back-off", { expiresAt: now - 1, nextRefreshAt: now + 1 }, false],
    ["it is one without a refresh token", { expiresAt: now - 1, renewable: false }, false],
    ["a key serves, even if an expiry was stored beside it", { kind: "api_key", expiresAt: now - 1, renewable: false }, true],
    ["a disabled account does not serve", { enabled: false, health: "disabled" }, false],
  ])("%s", (_words, about, serves) => expect(canServe(account(about), now)).toBe(serves));

  it("a sign-in is needed when no account can serve, and none will by itself", () => {
    const backingOff = account({ expiresAt: now - 1, nextRefreshAt: now + 1 });
    const dead = account({ health: "needs-login", expiresAt: now });
    expect([[], [dead], [dead, backingOff], [account({ enabled: false })]].map((rows) => isSignInNeeded(rows, now))).toEqual([true, true, false, true]);
  });

  it("the header speaks of the healthy account that comes first", () => {
    const rows = [
      account({ id: "out", health: "needs-login", priority: 0 }),
      account({ id: "limited", health: "limited", priority: 1 }),
      account({ id: "b", priority: 5 }),
      account({ id: "a", priority: 2 }),
    ];
    expect(leadingAccount(rows, now)?.id).toBe("a");
    expect(leadingAccount(rows.slice(0, 2), now)?.id).toBe("limited");
    expect(leadingAccount(rows.toReversed(), now)?.id).toBe("a");
    expect(leadingAccount([], now)).toBeNull();
  });

  it("the program has one word", () => {
    const running = [fact("server.listening")];
    expect(headerWord(after())).toBe("STARTING");
    expect(headerWord(after(...running))).toBe("RUNNING");
    expect(headerWord(after(...running, fact("attempt.failed")))).toBe("DEGRADED");
    expect(headerWord(after(...running, fact("server.stopping")))).toBe("STOPPING");
    expect(headerWord(after(...running, fact("server.stopped")))).toBe("STOPPED");
  });
});
