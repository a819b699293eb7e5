import { afterEach, expect, it } from "vitest";
import { createSystemClock } from "../../src/lib/clock.ts";

const warnings: Error[] = [];
const note = (warning: Error): void => void warnings.push(warning);

afterEach(() => {
  process.off("warning", note);
  warnings.length = 0;
});

it("takes a moment that has passed and one beyond Node's limit without a warning", async () => {
  process.on("warning", note);
  const clock = createSystemClock();
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, -0.5));
  const far = clock.setTimeout(() => warnings.push(new Error("fired at once")), 2 ** 40);
  // Warnings are emitted on the next tick, and a timer out of range would fire after 1 ms.
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, 20));
  far.cancel();
  expect(warnings).toEqual([]);
});

it("does not fire what was cancelled", async () => {
  const clock = createSystemClock();
  let fired = false;
  clock.setTimeout(() => {
    fired = true;
  }, 1).cancel();
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, 20));
  expect(fired).toBe(false);
});
