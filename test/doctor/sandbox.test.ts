// The clock of the simulated upstream: no pause ends by itself.
import { expect, it, vi } from "vitest";
import { createStepClock } from "../../src/doctor/sandbox.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

it("ends one pause per step, the oldest first, however long it was meant to be", async () => {
  const base = createFakeClock();
  const clock = createStepClock(base);
  const [first, second] = [vi.fn(), vi.fn()];
  clock.setTimeout(first, 1);
  clock.setTimeout(second, 1);
  await base.advance(60_000);
  expect([first, second].map((call) => call.mock.calls.length)).toEqual([0, 0]);
  clock.step();
  expect([first, second].map((call) => call.mock.calls.length)).toEqual([1, 0]);
});

it("a step that comes before its pause is kept for it; a cancelled pause is not stepped", async () => {
  const clock = createStepClock(createFakeClock());
  const gone = vi.fn();
  clock.setTimeout(gone, 1).cancel();
  clock.step();
  const woken = new Promise<void>((resolve) => void clock.setTimeout(resolve, 1));
  await woken;
  expect(gone).not.toHaveBeenCalled();
});
