// What the dashboard asks of the process it runs in: to stop until the shell continues it, its memory, and how
// late its event loop is. Nothing else of the screens may touch the process.
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../../lib/clock.ts";

/**
 * Stops the whole job, as Ctrl+Z does in a terminal that is not in raw mode; comes back when it is
 * continued. Throws where the system has no such signal (Windows).
 */
export const suspendJob = (): void => void process.kill(0, "SIGTSTP");

/** Resident memory, bytes. */
export const residentMemory = (): number => process.memoryUsage.rss();

export type LoopDelay = {
  /** 99th percentile of the current window, milliseconds; null before the first whole second. */
  read(): number | null;
  stop(): void;
};

const resolutionMs = 10;
const windowMs = 5000;
/** One outlier in a handful of samples is not a percentile. */
const enough = 80;

/**
 * Starts measuring at once. Node's histogram counts its own sampling interval as delay, so that is taken off; the
 * window starts anew every five seconds, so that one bad second does not count for the rest of the run.
 */
export const createLoopDelay = (clock: Pick<Clock, "monotonic">): LoopDelay => {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let since = clock.monotonic();
  let last: number | null = null;
  return {
    read() {
      if (histogram.count >= enough) last = Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs);
      if (clock.monotonic() - since >= windowMs) {
        since = clock.monotonic();
        histogram.reset();
      }
      return last;
    },
    stop: () => void histogram.disable(),
  };
};
