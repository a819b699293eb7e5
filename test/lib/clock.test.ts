import { afterEach, describe, expect, it } from "vitest";
import { createSystemClock, sleep } from "../../src/lib/clock.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

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

const activeTimers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

describe("sleep", () => {
  it("lasts as long as the clock says", async () => {
    const clock = createFakeClock();
    let over = false;
    const waiting = sleep(clock, 100).then(() => (over = true));
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    await waiting;
  });

  it("ends at once when its signal aborts, before or meanwhile, and leaves no timer", async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const waiting = sleep(clock, 1e9, stop);
    stop.abort();
    await waiting;
    await sleep(clock, 1e9, stop);
    expect(clock.pendingTimers()).toBe(0);
  });

  it("keeps the process alive when asked to, and no longer than it lasts", async () => {
    const [clock, before] = [createSystemClock(), activeTimers()];
    const stop = new AbortController();
    const asleep = [sleep(clock, 1e6, stop), sleep(clock, 1e6, { signal: stop.signal, keepAlive: true })];
    expect(activeTimers()).toBe(before + 1);
    stop.abort();
    await Promise.all(asleep);
    expect(activeTimers()).toBe(before);
  });
});
