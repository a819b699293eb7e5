// A short wait that ends early when it is called off.
import type { Clock } from "../lib/clock.ts";

/**
 * Resolves after `ms` of `clock` or when `signal` aborts. Keeps the process alive meanwhile (the clock's
 * own timers do not): a command that waits for a lock must not end in silence.
 */
export const pause = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const alive = setInterval(() => {}, 60_000);
    const done = (): void => {
      clearInterval(alive);
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
