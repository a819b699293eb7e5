import { expect, it } from "vitest";
import { pause } from "../../src/storage/pause.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

it("lasts as long as the clock says", async () => {
  const clock = createFakeClock();
  let over = false;
  const waiting = pause(clock, 100).then(() => (over = true));
  await clock.advance(99);
  expect(over).toBe(false);
  await clock.advance(1);
  await waiting;
});

it("ends at once when it is called off, before or meanwhile, and leaves no timer", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const waiting = pause(clock, 1e9, stop.signal);
  stop.abort();
  await waiting;
  await pause(clock, 1e9, stop.signal);
  expect(clock.pendingTimers()).toBe(0);
});
