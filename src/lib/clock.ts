// Time as an argument. No part of the core reads Date or sets a timer by itself, so that tests own
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

// Node fires a longer timer at once, and a negative one with a warning on the terminal.
const longestMs = 2 ** 31 - 1;
const possible = (ms: number): number => Math.min(longestMs, Math.max(0, ms));

/** The machine's own clock. A timer of more than 24.8 days fires after 24.8 days: a caller that plans so far ahead looks at the time again. */
export const createSystemClock = (): Clock => ({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, possible(ms)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  setInterval(callback, ms) {
    const timer = setInterval(callback, possible(ms)).unref();
    return { cancel: () => clearInterval(timer) };
  },
});

export type SleepOptions = {
  /** Ends the sleep at once. */
  readonly signal?: AbortSignal | undefined;
  /** Keeps the process alive meanwhile, which the timers of a clock do not. */
  readonly keepAlive?: boolean;
};

/** Resolves after `ms` of `clock`, or as soon as the signal aborts. Never rejects, and leaves no timer behind. */
export const sleep = (clock: Pick<Clock, "setTimeout">, ms: number, { signal, keepAlive = false }: SleepOptions = {}): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const alive = keepAlive ? setInterval(() => {}, 60_000) : undefined;
    const end = (): void => {
      clearInterval(alive);
      timer.cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
