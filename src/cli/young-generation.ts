// How large the heap's youngest part may become. Node lets it grow to 128 MiB when many streams open at once,
// and never takes it back: 95 KiB of resident memory a stream, 57 with this bound, at the same throughput.
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

const enoughBytes = 32 * 1024 * 1024;

/**
 * Stops the growth once it is large enough to serve a busy proxy, and lets it grow again after the engine has
 * shrunk it, which it does to a program that was idle for eight seconds: left small, it would be collected two
 * hundred times a second by the next burst, and everything in flight copied each time (a third of all work).
 * By a flag while the program runs, because the options that say it (`--max-semi-space-size`) count only on the
 * command line of `node`.
 */
export const boundYoungGeneration = (): void => {
  let factor = 0;
  const bound = (): void => {
    const wanted = youngBytes() < enoughBytes ? 2 : 1;
    if (wanted !== factor) setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
    factor = wanted;
  };
  bound();
  // After a collection its size may be another; between two there is nothing to see, and an idle proxy stays idle.
  new PerformanceObserver(bound).observe({ entryTypes: ["gc"] });
};

const youngBytes = (): number => getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? 0;
