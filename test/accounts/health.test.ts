import { describe, expect, it } from "vitest";
import type { ResponseHeaders } from "../../src/accounts/limits.ts";
import { healthChange } from "../../src/accounts/health.ts";
import { readLimits } from "../../src/accounts/limits.ts";
import { minute, noon } from "./an-account.ts";

const change = (status: number, headers: ResponseHeaders = {}, past = { strikes: 0, limited: false }) =>
  healthChange({ status, headers }, readLimits(headers), past, noon);

const unified = (fields: Record<string, string>): ResponseHeaders =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]));

const inSeconds = (seconds: number): string => String(noon / 1000 + seconds);

const bindingFiveHours = unified({ status: "rejected", reset: inSeconds(60), "5h-reset": inSeconds(600), "5h-status": "rejected", "representative-claim": "five_hour" });

const thirdFailure = (retryAfter: number) => change(529, { "retry-after": String(retryAfter) }, { strikes: 2, limited: false });

describe("what an answer says about its account", () => {
  it.each([
    ["a plan limit: until the binding window's reset", bindingFiveHours, 600_000, "plan limit 5h reached", true],
    ["a plan limit: until the overall reset", unified({ status: "rejected", reset: inSeconds(60) }), 60_000, "plan limit reached", true],
    ["a plan limit with a reset that is over: by Retry-After", { ...unified({ status: "rejected", reset: inSeconds(-60) }), "retry-after": "30" }, 30_000, "plan limit reached", true],
    ["a plan limit that says nothing else: five minutes", unified({ status: "rejected" }), 300_000, "plan limit reached", true],
    ["a plan limit in the year 2286: eight days at most", unified({ status: "rejected", reset: "9999999999" }), 8 * 24 * 60 * minute, "plan limit reached", true],
    ["a throttle although the plan allows it", { ...unified({ status: "allowed" }), "retry-after": "7" }, 7000, "throttled by the upstream (429)", false],
    ["a throttle without any header", {}, 10_000, "throttled by the upstream (429)", false],
    ["a throttle with Retry-After 0", { "retry-after": "0" }, 1000, "throttled by the upstream (429)", false],
    ["a throttle of many days: an hour at most", { "retry-after": "600000" }, 60 * minute, "throttled by the upstream (429)", false],
    ["a throttle with a date", { "retry-after": new Date(noon + 90_000).toUTCString() }, 90_000, "throttled by the upstream (429)", false],
  ])("429 is %s", (_name, headers, ...[forMs, reason, limited]) => {
    expect(change(429, headers)).toEqual({ to: "cooling", forMs, reason, limited });
  });

  it.each([500, 502, 503, 529, 403])("%i counts only when it repeats", (status) => {
    expect(change(status)).toEqual({ to: "strike" });
    expect(change(status, {}, { strikes: 1, limited: false })).toEqual({ to: "strike" });
    expect([2, 3, 4, 5, 50].map((strikes) => change(status, {}, { strikes, limited: false }))).toMatchObject(
      [15, 30, 60, 120, 120].map((seconds) => ({ to: "cooling", forMs: seconds * 1000, limited: false })),
    );
  });

  it("a failure that repeats counts for as long as its Retry-After when that is longer, an hour at most", () => {
    expect([1, 15, 90, 86_400].map(thirdFailure)).toMatchObject([15, 15, 90, 3600].map((seconds) => ({ to: "cooling", forMs: seconds * 1000 })));
  });

  it("401 alone says nothing: that is for the refresher to find out", () => {
    expect(change(401)).toEqual({ to: "same" });
  });

  it.each([200, 304, 400, 404, 413])("%i says that the account serves", (status) => {
    expect(change(status)).toMatchObject({ to: "well" });
  });

  it("a success ends a plan limit only when the plan says so: it may have been under way before", () => {
    const past = { strikes: 0, limited: true };
    expect(change(200, {}, past)).toEqual({ to: "well", endsCooling: false });
    expect(change(200, unified({ status: "allowed_warning" }), past)).toEqual({ to: "well", endsCooling: true });
    expect(change(200)).toEqual({ to: "well", endsCooling: true });
    expect(change(400)).toEqual({ to: "well", endsCooling: false });
  });

  it("402 is a matter of billing, which five minutes do not change", () => {
    expect(change(402)).toEqual({ to: "cooling", forMs: 5 * minute, reason: "the upstream refuses for billing reasons (402)", limited: false });
  });
});
