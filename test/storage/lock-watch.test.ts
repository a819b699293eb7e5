import { expect, it } from "vitest";
import { createLockWatch, lockTiming } from "../../src/storage/lock-watch.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

const setUp = () => {
  const clock = createFakeClock();
  const watch = createLockWatch(clock, lockTiming);
  /** Looks every 100 ms for `ms`; true as soon as the holder counts as hung. */
  const looks = async (ms: number, touchedAt: () => number): Promise<boolean> => {
    for (let passed = 0; passed <= ms; passed += 100) {
      if (watch({ token: "t", touchedAt: touchedAt() })) return true;
      await clock.advance(100);
    }
    return false;
  };
  return { clock, watch, looks };
};

it("a laptop that slept ten hours with the holder does not take its lock", async () => {
  const { clock, looks } = setUp();
  const before = clock.now();
  expect(await looks(1_000, () => before)).toBe(false);
  // Both clocks may have gone on meanwhile, depending on the system.
  clock.jump(36_000_000);
  await clock.advance(36_000_000);
  expect(await looks(0, () => before)).toBe(false);
  const beats = { last: clock.now() };
  expect(await looks(30_000, () => (beats.last = clock.now()))).toBe(false);
});

it("a holder that dates itself a little ahead is watched for the whole time", async () => {
  const { clock, looks } = setUp();
  const ahead = clock.now() + 4_000;
  expect(await looks(19_000, () => ahead)).toBe(false);
  expect(await looks(1_500, () => ahead)).toBe(true);
});

it("a new claim starts the watch anew", async () => {
  const { clock, watch, looks } = setUp();
  const old = clock.now();
  expect(await looks(19_000, () => old)).toBe(false);
  expect(watch({ token: "another", touchedAt: old })).toBe(false);
});
