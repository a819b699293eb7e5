import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backOffMs, refreshNeed } from "../../src/accounts/refresh-plan.ts";
import { hour, minute } from "./an-account.ts";

const settings = { leadMs: 5 * minute, mandatoryMs: minute, rotateAfterMs: 0 };

describe("when a token is refreshed", () => {
  it.each([
    [hour, { need: "none" }],
    [5 * minute + 1, { need: "none" }],
    [5 * minute, { need: "soon", reason: "lead" }],
    [minute + 1, { need: "soon", reason: "lead" }],
    [minute, { need: "now", reason: "mandatory" }],
    [1, { need: "now", reason: "mandatory" }],
    [0, { need: "now", reason: "mandatory" }],
    [-hour, { need: "now", reason: "mandatory" }],
    [null, { need: "none" }],
  ])("with %j ms to live: %j", (remainingMs, need) => {
    expect(refreshNeed({ remainingMs, ageMs: null }, settings)).toEqual(need);
  });

  it("by age, when that is asked for and the age is known", () => {
    const rotating = { ...settings, rotateAfterMs: hour };
    expect(refreshNeed({ remainingMs: null, ageMs: hour }, rotating)).toEqual({ need: "soon", reason: "rotate" });
    expect(refreshNeed({ remainingMs: 2 * hour, ageMs: hour - 1 }, rotating)).toEqual({ need: "none" });
    expect(refreshNeed({ remainingMs: 2 * hour, ageMs: null }, rotating)).toEqual({ need: "none" });
    expect(refreshNeed({ remainingMs: 0, ageMs: hour }, rotating)).toEqual({ need: "now", reason: "mandatory" });
  });
});

describe("the pause after a failure", () => {
  const failure = fc.record({
    failures: fc.integer({ min: 1, max: 10_000 }),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e12 })),
    uncertain: fc.boolean(),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  it("is never shorter than Retry-After (up to an hour), never shorter than 2.5 s, never longer than 66 minutes", () => {
    fc.assert(fc.property(failure, (each) => {
      const pause = backOffMs(each);
      expect(pause).toBeGreaterThanOrEqual(Math.max(2500, Math.min(each.retryAfterMs ?? 0, hour)));
      expect(pause).toBeLessThanOrEqual(66 * minute);
    }));
  });

  it("grows with the failures, and is longer when the token may be spent", () => {
    fc.assert(fc.property(failure, (each) => {
      expect(backOffMs({ ...each, failures: each.failures + 1 })).toBeGreaterThanOrEqual(backOffMs(each));
      expect(backOffMs({ ...each, uncertain: true })).toBeGreaterThanOrEqual(backOffMs({ ...each, uncertain: false }));
    }));
  });

  it("is spread by chance, so that many processes do not come back at once", () => {
    expect(backOffMs({ failures: 3, retryAfterMs: null, uncertain: false, random: 0 })).toBe(10_000);
    expect(backOffMs({ failures: 3, retryAfterMs: null, uncertain: false, random: 1 })).toBe(20_000);
    expect(backOffMs({ failures: 1, retryAfterMs: 60_000, uncertain: false, random: 1 })).toBe(66_000);
  });
});
