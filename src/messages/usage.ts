// The four kinds of tokens that the Messages API counts, their arithmetic, and what the open requests have cost so far.
import type { Event } from "./events.ts";

/** Known counts. */
export type TokenCounts = { readonly inputTokens: number; readonly outputTokens: number; readonly cacheReadTokens: number; readonly cacheCreationTokens: number };

/** Counts as far as they are known. */
export type ReportedTokens = { readonly [Kind in keyof TokenCounts]: number | null };

const kinds = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheCreationTokens"] as const satisfies readonly (keyof TokenCounts)[];

const none: TokenCounts = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };

/** Adds `more` to `sums`. */
export const addTokens = (sums: { -readonly [Kind in keyof TokenCounts]: number }, more: TokenCounts): void => {
  for (const kind of kinds) sums[kind] += more[kind];
};

/** What `after` counts more than `before`; null when they are the same. */
export const countedSince = (before: ReportedTokens, after: ReportedTokens): TokenCounts | null => {
  if (kinds.every((kind) => before[kind] === after[kind])) return null;
  const more = { ...none };
  for (const kind of kinds) more[kind] = (after[kind] ?? 0) - (before[kind] ?? 0);
  return more;
};

/** Read, written and plain input together: what the model saw. */
export const totalInput = ({ inputTokens, cacheReadTokens, cacheCreationTokens }: Omit<ReportedTokens, "outputTokens">): number =>
  (inputTokens ?? 0) + (cacheReadTokens ?? 0) + (cacheCreationTokens ?? 0);

/** Share of the input that came from the prompt cache, 0..1; null without input. */
export const cacheReadShare = (counts: Omit<ReportedTokens, "outputTokens">): number | null => {
  const total = totalInput(counts);
  return total === 0 ? null : (counts.cacheReadTokens ?? 0) / total;
};

export type UsageReport = Extract<Event, { readonly type: "usage.updated" }>;

export type OpenUsage = {
  /** What `report` says beyond what its request was known to have cost. */
  add(report: UsageReport): TokenCounts;
  /** The request is over. */
  close(requestId: string): void;
};

/** For sums over all requests: usage is reported several times for one request and grows, and each token counts once. */
export const createOpenUsage = (): OpenUsage => {
  const open = new Map<string, TokenCounts>();
  return {
    add(report) {
      const before = open.get(report.requestId) ?? none;
      const after = { ...before };
      for (const kind of kinds) after[kind] = Math.max(before[kind], report[kind] ?? 0);
      open.set(report.requestId, after);
      return countedSince(before, after) ?? none;
    },
    close(requestId) {
      open.delete(requestId);
    },
  };
};
