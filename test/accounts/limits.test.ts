import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNews, readLimits } from "../../src/accounts/limits.ts";

const prefix = "anthropic-ratelimit-unified-";
const one = (headers: Record<string, string>) => readLimits(headers)[0];
const plain = { window: "5h", status: null, utilization: null, resetsAt: null, representative: false };

describe("limits from response headers", () => {
  it("reads a recorded subscription answer", () => {
    const headers = {
      [`${prefix}status`]: "allowed_warning",
      [`${prefix}reset`]: "1767366000",
      [`${prefix}5h-status`]: "allowed",
      [`${prefix}5h-reset`]: "1767366000",
      [`${prefix}5h-utilization`]: "0.43",
      [`${prefix}7d-status`]: "allowed_warning",
      [`${prefix}7d-utilization`]: "1.02",
      [`${prefix}7d_oi-utilization`]: "0.1",
      [`${prefix}representative-claim`]: "seven_day",
      [`${prefix}fallback-percentage`]: "0.5",
      [`${prefix}overage-status`]: "rejected",
      [`${prefix}overage-disabled-reason`]: "out_of_credits",
      "request-id": "req_1",
    };
    expect(readLimits(headers)).toEqual([
      { window: "", status: "allowed_warning", utilization: null, resetsAt: 1767366000_000, representative: false },
      { window: "5h", status: "allowed", utilization: 0.43, resetsAt: 1767366000_000, representative: false },
      { window: "7d", status: "allowed_warning", utilization: 1.02, resetsAt: null, representative: true },
      { window: "7d_oi", status: null, utilization: 0.1, resetsAt: null, representative: false },
      { window: "overage", status: "rejected, out_of_credits", utilization: null, resetsAt: null, representative: false },
    ]);
  });

  it("reads the documented API limits as a share that is used", () => {
    const headers = {
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-01-02T12:00:01Z",
      "anthropic-ratelimit-input-tokens-limit": "0",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-priority-input-tokens-limit": "100",
      "anthropic-priority-input-tokens-remaining": "0",
    };
    expect(readLimits(headers)).toMatchObject([
      { window: "requests", utilization: expect.closeTo(0.02), resetsAt: Date.UTC(2026, 0, 2, 12, 0, 1) },
      { window: "input-tokens", utilization: null },
      { window: "priority-input-tokens", utilization: 1 },
    ]);
  });

  it.each([
    ["1767366000", 1767366000_000],
    ["1767366000.5", 1767366000_500],
    ["1767366000000", 1767366000_000],
    ["2026-01-02T15:00:00Z", 1767366000_000],
    ["2026-01-02T16:00:00+01:00", 1767366000_000],
    ["soon", null],
    ["-5", null],
    ["", null],
    ["1e99", null],
  ])("reset %j is %j", (text, at) => {
    expect(one({ [`${prefix}5h-reset`]: text })).toEqual({ ...plain, resetsAt: at });
  });

  it.each([["0", 0], ["1", 1], ["1.02", 1.02], ["-1", null], ["NaN", null], ["Infinity", null], ["0.5 ", 0.5], ["0x1", null]])("utilization %j is %j", (text, share) => {
    expect(one({ [`${prefix}5h-utilization`]: text })).toEqual({ ...plain, utilization: share });
  });

  it.each([
    ["five_hour", "5h"],
    ["seven_day", "7d"],
    ["seven_day_opus", "7d_opus"],
    ["seven_day_overage_included", "7d_oi"],
    ["fortnight", "fortnight"],
  ])("the claim %s names the window %s", (claim, window) => {
    expect(one({ [`${prefix}${window}-status`]: "allowed", [`${prefix}representative-claim`]: claim })).toMatchObject({ window, representative: true });
  });

  it("says when requests are billed beyond the plan", () => {
    expect(one({ [`${prefix}overage-status`]: "allowed", [`${prefix}overage-in-use`]: "true" })).toMatchObject({ window: "overage", status: "allowed, in use" });
  });

  it("no header whatsoever makes it throw, grow, or speak in control characters", () => {
    const name = fc.oneof(
      fc.string().map((text) => `${prefix}${text}-status`),
      fc.string().map((text) => `anthropic-ratelimit-${text}-limit`),
      fc.string(),
      fc.constantFrom("__proto__", `${prefix}__proto__-status`, `${prefix}constructor-reset`),
    );
    const value = fc.option(fc.string({ unit: "binary" }), { nil: undefined });
    fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 60 }), (entries) => {
      const limits = readLimits(Object.fromEntries(entries));
      expect(limits.length).toBeLessThanOrEqual(24);
      // oxlint-disable-next-line no-control-regex -- these must not be there
      expect(limits.map(({ window, status }) => `${window}${status}`).join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      for (const { utilization } of limits) expect(utilization === null || utilization >= 0).toBe(true);
    }));
  });
});

describe("a reading is news", () => {
  const known = { reading: plain, readAt: 0 };

  it("when it is the first, says something else, or is a minute old", () => {
    expect(isNews(undefined, plain, 0)).toBe(true);
    expect(isNews(known, { ...plain, status: "allowed" }, 1)).toBe(true);
    expect(isNews(known, { ...plain }, 59_999)).toBe(false);
    expect(isNews(known, { ...plain }, 60_000)).toBe(true);
  });
});
