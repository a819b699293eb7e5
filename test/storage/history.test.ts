import { array, assert, constantFrom, jsonValue, nat, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event, EventDraft } from "../../src/messages/events.ts";
import { createOpenUsage } from "../../src/messages/usage.ts";
import { refreshLimit } from "../../src/messages/refresh-fact.ts";
import { emptyHistory, foldHistory, formatHistory, mergeHistory, parseHistory } from "../../src/storage/history.ts";
import type { History } from "../../src/storage/history.ts";

let seq = 0;
const event = (draft: EventDraft, at = 1_000): Event => Object.freeze({ ...draft, at, seq: (seq += 1) });
const refreshed = (accountId: string, at: number): Event => event({ type: "token.refreshed", accountId, reason: "lead", durationMs: 12, oldExpiresAt: 1, newExpiresAt: 2 }, at);
const fold = (events: readonly Event[], from = emptyHistory, pid = 7): History => foldHistory(from, events, { pid, usage: createOpenUsage() });
const long = "x".repeat(1_000);

describe("the timeline", () => {
  it("says why, how long, old and new expiry, who held the lock, and when it is tried next", () => {
    const history = fold([
      refreshed("a", 1),
      event({ type: "token.adopted", accountId: "a", reason: "mandatory", newExpiresAt: 9, renewable: true, heldBy: 42 }, 2),
      event({ type: "token.refresh-failed", accountId: "b", reason: "wake", errorCode: "http-503", message: long, failures: 2, nextTryAt: 99 }, 3),
      event({ type: "account.needs-login", accountId: "b", message: "sign in", expiresAt: null }, 4),
    ]);
    expect(history.refreshes).toMatchObject([
      { at: 1, pid: 7, accountId: "a", outcome: "refreshed", reason: "lead", durationMs: 12, oldExpiresAt: 1, newExpiresAt: 2 },
      { at: 2, outcome: "adopted", reason: "mandatory", newExpiresAt: 9, heldBy: 42 },
      { at: 3, accountId: "b", outcome: "failed", reason: "wake", errorCode: "http-503", message: "x".repeat(300), failures: 2, nextTryAt: 99 },
      { at: 4, outcome: "needs-login", message: "sign in" },
    ]);
    expect(history.counters).toMatchObject({ refreshes: 1, failedRefreshes: 1 });
  });

  it("keeps the last 500", () => {
    const history = fold(Array.from({ length: refreshLimit + 20 }, (_, at) => refreshed("a", at)));
    expect([history.refreshes.length, history.refreshes[0]?.at, history.refreshes.at(-1)?.at]).toEqual([500, 20, 519]);
  });

  it("is the same object for what it does not keep", () => {
    expect(fold([event({ type: "token.refreshing", accountId: "a", reason: "lead", expiresAt: null }), event({ type: "account.healthy", accountId: "a" })])).toBe(emptyHistory);
  });
});

const at = (times: readonly number[], pid: number) => fold(times.map((time) => refreshed("a", time)), emptyHistory, pid);

describe("two histories", () => {
  it("become one in the order of time, with every record once and the counters added", () => {
    const [left, right] = [at([1, 5], 1), at([3, 5], 2)];
    const merged = mergeHistory(left, right);
    expect(merged.refreshes.map(({ at: time, pid }) => [time, pid])).toEqual([[1, 1], [3, 2], [5, 1], [5, 2]]);
    expect(merged.counters.refreshes).toBe(4);
    const [first, second] = [fold([refreshed("a", 9)], emptyHistory, 1), fold([refreshed("a", 9)], emptyHistory, 1)];
    expect(mergeHistory(second, first).refreshes).toEqual([...first.refreshes, ...second.refreshes]);
    expect(mergeHistory(merged, { ...left, counters: emptyHistory.counters }).refreshes).toEqual(merged.refreshes);
  });
});

describe("history.json", () => {
  it("comes back as it went", () => {
    const history = fold([
      refreshed("a", 1),
      event({ type: "account.needs-login", accountId: "b", message: "no", expiresAt: null }, 2),
      event({ type: "server.listening", url: "u", host: "h", port: 1, mode: "oauth", version: "1", pid: 1 }),
    ]);
    expect(parseHistory(formatHistory(history))).toEqual(history);
  });

  it("is bounded and made of our own fields only, whatever is in the file", () => {
    const field = constantFrom("at", "accountId", "outcome", "reason", "message", "pid", "__proto__", "access_token");
    const record = array(string().chain((text) => field.map((name) => [name, text] as const))).map((pairs) => ({ at: 1, accountId: "a", outcome: "failed", ...Object.fromEntries(pairs) }));
    assert(property(array(record), jsonValue(), nat(), (refreshes, counters, version) => {
      const text = JSON.stringify({ version: version % 2, refreshes, counters });
      const parsed = parseHistory(text);
      if (version % 2 === 0) expect(parsed).toBeNull();
      for (const each of parsed?.refreshes ?? []) expect(Object.keys(each)).not.toContain("access_token");
    }));
    expect(parseHistory("not json")).toBeNull();
    const refreshes = Array.from({ length: 900 }, () => ({ at: 1, accountId: "a", outcome: "failed" }));
    const text = JSON.stringify({ version: 1, refreshes, counters: { requests: -4, starts: "9" } });
    expect(parseHistory(text)).toMatchObject({ refreshes: { length: 500 }, counters: { requests: 0, starts: 0 } });
  });
});
