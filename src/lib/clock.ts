// Time as an argument. Nothing in the core reads Date or sets a timer by itself, so that tests own
// the clock and a suspended laptop is just another pair of numbers.

/** A running timer; `cancel` is idempotent. */
export type Timer = { cancel(): void };

/** The two clocks and the timers a part may use. */
export type Clock = {
  /** Wall clock, milliseconds since the epoch. May jump in both directions; use it for expiry only. */
  now(): number;
  /** Milliseconds that never step back; use it for durations, back-off and rate windows. */
  monotonic(): number;
  /** Runs `callback` once after `ms`. The timer does not keep the process alive. */
  setTimeout(callback: () => void, ms: number): Timer;
  /** Runs `callback` every `ms`. The timer does not keep the process alive. */
  setInterval(callback: () => void, ms: number): Timer;
};

/** The machine's own clock. */
export const createSystemClock = (): Clock => ({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  setInterval(callback, ms) {
    const timer = setInterval(callback, ms).unref();
    return { cancel: () => clearInterval(timer) };
  },
});
