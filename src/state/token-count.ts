// The four kinds of tokens the Messages API counts, and their arithmetic.

/** Counts as far as they are known. */
export type TokenCount = {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheCreationTokens: number | null;
};

export type KnownCount = { readonly [Key in keyof TokenCount]: number };

/** What `after` counts more than `before`; null when nothing. */
export const countedSince = (before: TokenCount, after: TokenCount): KnownCount | null => {
  if (isSame(before, after)) return null;
  return {
    inputTokens: (after.inputTokens ?? 0) - (before.inputTokens ?? 0),
    outputTokens: (after.outputTokens ?? 0) - (before.outputTokens ?? 0),
    cacheReadTokens: (after.cacheReadTokens ?? 0) - (before.cacheReadTokens ?? 0),
    cacheCreationTokens: (after.cacheCreationTokens ?? 0) - (before.cacheCreationTokens ?? 0),
  };
};

const isSame = (before: TokenCount, after: TokenCount): boolean =>
  before.inputTokens === after.inputTokens &&
  before.outputTokens === after.outputTokens &&
  before.cacheReadTokens === after.cacheReadTokens &&
  before.cacheCreationTokens === after.cacheCreationTokens;

/** Read, written and plain input together: what the model saw. */
export const totalInput = (count: Omit<TokenCount, "outputTokens">): number =>
  (count.inputTokens ?? 0) + (count.cacheReadTokens ?? 0) + (count.cacheCreationTokens ?? 0);

/** Share of the input that came from the prompt cache, 0..1; null without input. */
export const cacheReadShare = (count: Omit<TokenCount, "outputTokens">): number | null => {
  const total = totalInput(count);
  return total === 0 ? null : (count.cacheReadTokens ?? 0) / total;
};
