// How late the event loop is. Node's histogram counts its own sampling interval as delay, so that is
// taken off; the window starts anew every five seconds, or one bad second would be held against us for good.
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../lib/clock.ts";

export type LoopDelay = {
  /** 99th percentile of the current window, milliseconds; null before the first whole second. */
  read(): number | null;
  stop(): void;
};

const resolutionMs = 10;
const windowMs = 5000;
/** One outlier in a handful of samples is not a percentile. */
const enough = 80;

/** Starts measuring at once. */
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
