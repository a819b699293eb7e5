import { expect, it } from "vitest";
import { createLoopDelay } from "../../../src/tui/edges/process.ts";
import { eventually } from "../../helpers/eventually.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

const busyFor = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

it("sees an event loop that is held up, and forgets it with the window", async () => {
  const clock = createFakeClock();
  const delay = createLoopDelay(clock);
  try {
    expect(delay.read()).toBeNull();
    await eventually(() => delay.read(), (ms) => ms !== null);
    for (let count = 0; count < 12; count += 1) {
      busyFor(60);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const late = (await eventually(() => delay.read(), (ms) => (ms ?? 0) > 25)) ?? 0;
    await clock.advance(5000);
    delay.read();
    await eventually(() => delay.read(), (ms) => (ms ?? late) < late, { within: 12_000 });
  } finally {
    delay.stop();
  }
});
