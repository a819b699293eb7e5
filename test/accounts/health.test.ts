import { describe, expect, it } from "vitest";
import type { AnswerHeaders } from "../../src/accounts/limits.ts";
import { lessonOf } from "../../src/accounts/health.ts";
import { readLimits } from "../../src/accounts/limits.ts";
import { minute, noon } from "./an-account.ts";

const lesson = (status: number, headers: AnswerHeaders = {}, past = { strikes: 0, limited: false }) =>
  lessonOf({ status, headers }, readLimits(headers), past, noon);

const unified = (fields: Record<string, string>): AnswerHeaders =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]));

const inSeconds = (seconds: number): string => String(noon / 1000 + seconds);

describe("what an answer says about its account", () => {
  it.each([
    ["a plan limit: until the binding window's reset", unified({ status: "rejected", reset: inSeconds(60), "5h-reset": inSeconds(600), "5h-status": "rejected", "representative-claim": "five_hour" }), 600_000, "plan limit 5h reached", true],
    ["a plan limit: until the overall reset", unified({ status: "rejected", reset: inSeconds(60) }), 60_000, "plan limit reached", true],
    ["a plan limit with a reset that is over: by Retry-After", { ...unified({ status: "rejected", reset: inSeconds(-60) }), "retry-after": "30" }, 30_000, "plan limit reached", true],
    ["a plan limit that says nothing else: five minutes", unified({ status: "rejected" }), 300_000, "plan limit reached", true],
    ["a plan limit in the year 2286: eight days at most", unified({ status: "rejected", reset: "9999999999" }), 8 * 24 * 60 * minute, "plan limit reached", true],
    ["a throttle although the plan allows it", { ...unified({ status: "allowed" }), "retry-after": "7" }, 7000, "throttled by the upstream (429)", false],
    ["a throttle without any header", {}, 10_000, "throttled by the upstream (429)", false],
    ["a throttle with Retry-After 0", { "retry-after": "0" }, 1000, "throttled by the upstream (429)", false],
    ["a throttle with a date", { "retry-after": new Date(noon + 90_000).toUTCString() }, 90_000, "throttled by the upstream (429)", false],
  ])("429 is %s", (_name, headers, ...[forMs, reason, limited]) => {
    expect(lesson(429, headers)).toEqual({ learnt: "cool", forMs, reason, limited });
  });

  it.each([500, 502, 503, 529, 403])("%i counts only when it repeats", (status) => {
    expect(lesson(status)).toEqual({ learnt: "strike" });
    expect(lesson(status, {}, { strikes: 1, limited: false })).toEqual({ learnt: "strike" });
    expect([2, 3, 4, 5, 50].map((strikes) => lesson(status, {}, { strikes, limited: false }))).toMatchObject(
      [15, 30, 60, 120, 120].map((seconds) => ({ learnt: "cool", forMs: seconds * 1000, limited: false })),
    );
  });

  it("401 alone says nothing: that is for the refresher to find out", () => {
    expect(lesson(401)).toEqual({ learnt: "nothing" });
  });

  it.each([200, 304, 400, 404, 413])("%i says that the account serves", (status) => {
    expect(lesson(status)).toMatchObject({ learnt: "well" });
  });

  it("a success ends a plan limit only when the plan says so: it may have been under way before", () => {
    const past = { strikes: 0, limited: true };
    expect(lesson(200, {}, past)).toEqual({ learnt: "well", clears: false });
    expect(lesson(200, unified({ status: "allowed_warning" }), past)).toEqual({ learnt: "well", clears: true });
    expect(lesson(200)).toEqual({ learnt: "well", clears: true });
    expect(lesson(400)).toEqual({ learnt: "well", clears: false });
  });

  it("402 is a matter of billing", () => {
    expect(lesson(402)).toMatchObject({ learnt: "cool", reason: expect.stringContaining("billing"), limited: false });
  });
});
