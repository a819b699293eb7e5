// How large the heap may become. Left alone, V8 takes what a busy minute wants and keeps it: for a program that stays
// open all day its memory would be that of its worst moment.
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * Node lets the youngest part grow to 128 MiB when many streams open at once: 95 KiB of resident memory a stream, 57
 * with this bound, at the same throughput.
 */
const enoughYoungBytes = 32 * 1024 * 1024;

/**
 * How much the old part may grow between two collections, in percent of what is alive. What outlives a stream of some
 * seconds is collected only with it, and so are the bytes that waited for a slow client: V8 lets them gather up to four
 * times of what is alive, and 64 MiB of buffers beside it. With this bound a collection comes every seven seconds of
 * mixed traffic instead of every minute and takes 10 ms; resident memory stays within 7 MiB instead of 30, and
 * throughput is the same.
 */
const oldGrowthPercent = 50;
/** Before, it would only cost a short command 30 of its 400 ms. */
const startMs = 2000;

/**
 * Bounds both parts of the heap. The young one stops growing once it is large enough for a busy proxy, and may grow
 * again after the engine has shrunk it, which it does to a program that was idle for eight seconds: left small, it would
 * be collected two hundred times a second by the next burst, and everything in flight copied each time (a third of all
 * work). By flags while the program runs, because Node's options count only on its own command line.
 */
export const boundHeap = (): void => {
  let flags = "";
  const bound = (): void => {
    const wanted = flagsFor(youngBytes(), performance.now());
    if (wanted !== flags) setFlagsFromString(wanted);
    flags = wanted;
  };
  bound();
  // After a collection the sizes may be others; between two there is nothing to see, and an idle proxy stays idle.
  new PerformanceObserver(bound).observe({ entryTypes: ["gc"] });
};

const flagsFor = (young: number, runningMs: number): string =>
  `--semi-space-growth-factor=${young < enoughYoungBytes ? 2 : 1}${runningMs < startMs ? "" : ` --heap-growing-percent=${oldGrowthPercent}`}`;

const youngBytes = (): number => getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? 0;
