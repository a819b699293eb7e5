// What the requests that are open have cost so far: their usage is told several times and grows, and whoever
// adds it up may count each token once.
import type { Event } from "./events.ts";

export type UsageReport = Extract<Event, { readonly type: "usage.updated" }>;

/** Tokens that were not counted yet. */
export type Increase = { readonly inputTokens: number; readonly outputTokens: number; readonly cacheReadTokens: number; readonly cacheCreationTokens: number };

/** Adds `more` to `sums`. */
export const addTokens = (sums: { -readonly [Kind in keyof Increase]: number }, more: Increase): void => {
  sums.inputTokens += more.inputTokens;
  sums.outputTokens += more.outputTokens;
  sums.cacheReadTokens += more.cacheReadTokens;
  sums.cacheCreationTokens += more.cacheCreationTokens;
};

export type OpenUsage = {
  /** What `report` says beyond what its request was known to have cost. */
  add(report: UsageReport): Increase;
  /** The request is over. */
  close(requestId: string): void;
};

type Open = { readonly requestId: string; inputTokens: number; outputTokens: number; cacheReadTokens: number; cacheCreationTokens: number };

/** Remembers every request that reported and is not closed. */
export const createOpenUsage = (): OpenUsage => {
  // A short answer reports once, right before its end: the last one at hand is nearly always the one meant, and
  // a map that is filled and emptied all day is dear (see `lib/roster.ts`).
  let latest: Open | null = null;
  const others = new Map<string, Open>();

  const find = (requestId: string): Open => {
    if (latest?.requestId === requestId) return latest;
    if (latest !== null) others.set(latest.requestId, latest);
    const known = others.get(requestId);
    others.delete(requestId);
    return known ?? { requestId, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };
  };

  return {
    add(report) {
      const open = find(report.requestId);
      latest = open;
      return {
        inputTokens: grow(open, "inputTokens", report),
        outputTokens: grow(open, "outputTokens", report),
        cacheReadTokens: grow(open, "cacheReadTokens", report),
        cacheCreationTokens: grow(open, "cacheCreationTokens", report),
      };
    },
    close(requestId) {
      if (latest?.requestId === requestId) latest = null;
      else if (others.size > 0) others.delete(requestId);
    },
  };
};

const grow = (open: Open, kind: keyof Increase, report: UsageReport): number => {
  const more = Math.max(0, (report[kind] ?? 0) - open[kind]);
  open[kind] += more;
  return more;
};
