import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressOf, createRateLimit } from "../../src/server/rate-limit.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

describe("rate limit", () => {
  it("lets a burst of the whole count in, then refuses, per peer", () => {
    const limit = createRateLimit({ count: 3, windowMs: 60_000 }, createFakeClock());
    expect([1, 2, 3, 4].map(() => limit("a"))).toEqual([null, null, null, 20]);
    expect(limit("b")).toBeNull();
  });

  it("who waits as long as it was told gets in", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.constantFrom(1000, 60_000, 3_600_000), async (count, windowMs) => {
        const clock = createFakeClock();
        const limit = createRateLimit({ count, windowMs }, clock);
        for (let index = 0; index < count; index += 1) limit("a");
        const seconds = limit("a") ?? 0;
        expect(seconds).toBeGreaterThan(0);
        await clock.advance(seconds * 1000);
        expect(limit("a")).toBeNull();
      }),
    );
  });

  it("never lets more in than a burst and what has been refilled since", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }), async (pauses) => {
        const clock = createFakeClock();
        const limit = createRateLimit({ count: 5, windowMs: 10_000 }, clock);
        let passed = 0;
        for (const pause of pauses) {
          await clock.advance(pause);
          if (limit("a") === null) passed += 1;
        }
        expect(passed).toBeLessThanOrEqual(5 + clock.monotonic() / 2000 + 1e-6);
      }),
    );
  });

  it("a long pause saves up one burst and no more", async () => {
    const clock = createFakeClock();
    const limit = createRateLimit({ count: 3, windowMs: 1000 }, clock);
    await clock.advance(3_600_000);
    limit("a");
    await clock.advance(3_600_000);
    expect([1, 2, 3, 4].map(() => limit("a") === null)).toEqual([true, true, true, false]);
  });

  it("a wall clock that jumps gives nobody anything", () => {
    const clock = createFakeClock();
    const limit = createRateLimit({ count: 1, windowMs: 60_000 }, clock);
    limit("a");
    clock.jump(90 * 24 * 3_600_000);
    expect(limit("a")).toBe(60);
  });
});

describe("the caller behind a connection", () => {
  it("is one for all of loopback, in every spelling, and the address for everyone else (S9)", () => {
    const callers = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.2"].map((remoteAddress) => addressOf({ remoteAddress }));
    expect(new Set(callers)).toEqual(new Set(["loopback"]));
    expect(addressOf({ remoteAddress: "192.0.2.7" })).toBe("192.0.2.7");
    expect(addressOf({ remoteAddress: "::ffff:192.0.2.7" })).toBe("192.0.2.7");
    expect(addressOf({})).not.toBe("loopback");
  });
});
