import { expect, it } from "vitest";
import type { Event } from "../../src/messages/events.ts";
import { refreshFactOf, refreshLimit } from "../../src/messages/refresh-fact.ts";
import type { RefreshFact } from "../../src/messages/refresh-fact.ts";
import { initialState } from "../../src/state/state.ts";
import { lastRefreshOf, viewRefresh, withPast } from "../../src/state/refreshes.ts";
import { reduceAll } from "../../src/state/reduce.ts";

const now = new Date(2026, 0, 2, 12).getTime();
const hour = 3_600_000;
const start = initialState({ version: "1", mode: "oauth" });

const refreshed = (at: number, accountId = "ada"): RefreshFact => ({
  at, accountId, outcome: "refreshed", reason: "lead", durationMs: 412.4, oldExpiresAt: at + hour, newExpiresAt: at + 8 * hour,
  heldBy: null, errorCode: null, message: null, failures: null, nextTryAt: null,
});
const failed = (at: number): RefreshFact => ({
  ...refreshed(at), outcome: "failed", reason: "wake", errorCode: "http-500", message: "The token endpoint answered 500.", failures: 2, nextTryAt: at + 5000,
});
const added: Event = {
  type: "account.added", at: now, seq: 1, accountId: "ada", kind: "oauth", label: "Ada", enabled: true, priority: 1,
  expiresAt: now + hour, renewable: true, health: "healthy", lastError: null,
};

it("shows what earlier processes did as lines of the past, with the day when that is long ago", () => {
  const { activity, refreshes } = withPast(start, [refreshed(now - 30 * hour), failed(now - hour)], now);
  expect(refreshes).toHaveLength(2);
  expect(activity.map(({ seq, type, tone }) => [seq, type, tone])).toEqual([[-2, "token.refreshed", "good"], [-1, "token.refresh-failed", "error"]]);
  expect(activity[0]?.text).toBe("before this start (Thu 06:00): ada: token refreshed ahead of expiry in 0.4s, expiry 07:00 -> 14:00");
  expect(activity[1]?.text).toMatch(/^before this start \(11:00:00\): ada: refresh after waking up failed 2x: http-500: .*tries again in 5s\.$/);
});

it("says of an account that comes in later when its token was refreshed, without counting that for this run", () => {
  const state = reduceAll(withPast(start, [refreshed(now - 3 * hour), failed(now - hour)], now), [added]);
  expect(state.accounts[0]).toMatchObject({ refreshedAt: now - 3 * hour, lastRefreshReason: "lead", refreshCount: 0 });
  expect(lastRefreshOf(state.refreshes, "ada")).toMatchObject({ outcome: "failed" });
  expect(lastRefreshOf(state.refreshes, "grace")).toBeNull();
});

it("goes on with what happens in this run, and stays bounded", () => {
  const past = Array.from({ length: refreshLimit }, (_, index) => refreshed(now - refreshLimit + index));
  const event: Event = { type: "token.adopted", at: now, seq: 2, accountId: "ada", reason: "wake", newExpiresAt: now + hour, renewable: true, heldBy: 4711 };
  const { refreshes, activity } = reduceAll(withPast(start, past, now), [added, event]);
  expect([refreshes.length, refreshes.at(-1)?.heldBy, activity.length]).toEqual([refreshLimit, 4711, 101 + 1]);
});

it("a past without a reason or a message is shown all the same", () => {
  const { activity } = withPast(start, [{ ...failed(now - hour), reason: null, errorCode: null, message: null, failures: null }], now);
  expect(activity[0]?.text).toMatch(/: ada: refresh ahead of expiry failed 1x: unknown\. Next: tries again in 5s\.$/);
});

it("changes nothing when there is no past", () => {
  expect(withPast(start, [], now)).toBe(start);
});

it("goes outside in whole milliseconds and ISO times; a time that no calendar knows is null", () => {
  const noon = Date.UTC(2026, 0, 2, 12);
  expect(viewRefresh(refreshed(noon))).toEqual({
    at: "2026-01-02T12:00:00.000Z", reason: "lead", outcome: "refreshed", duration_ms: 412,
    old_expires_at: "2026-01-02T13:00:00.000Z", new_expires_at: "2026-01-02T20:00:00.000Z",
  });
  expect(viewRefresh({ ...refreshed(noon), oldExpiresAt: 9e15 }).old_expires_at).toBeNull();
});

it("an event that is no outcome of a refresh is no line", () => {
  expect(refreshFactOf({ type: "token.refreshing", at: now, seq: 1, accountId: "ada", reason: "lead", expiresAt: null })).toBeNull();
  expect(refreshFactOf({ type: "account.needs-login", at: now, seq: 1, accountId: "ada", message: "x".repeat(400), expiresAt: null })?.message).toHaveLength(300);
});
