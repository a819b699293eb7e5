// The time of the simulated upstream: the hour is right, but a pause lasts until `step` is called. So the
// next piece of a stream cannot be sent before the one before it was seen at the other end.
import type { Clock, Timer } from "../lib/clock.ts";

export type StepClock = Clock & {
  /** Ends the pause that has waited longest, or the next one when none has begun yet. */
  step(): void;
};

export const createStepClock = (clock: Clock): StepClock => {
  const waiting = new Set<() => void>();
  let owed = 0;
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout(callback): Timer {
      // An own function per timer, so that the same callback may wait twice.
      const wake = (): void => callback();
      if (owed > 0) {
        owed -= 1;
        setImmediate(wake);
      } else waiting.add(wake);
      return { cancel: () => void waiting.delete(wake) };
    },
    setInterval: (callback, ms) => clock.setInterval(callback, ms),
    step() {
      const [first] = waiting;
      if (first === undefined) {
        owed += 1;
        return;
      }
      waiting.delete(first);
      first();
    },
  };
};
