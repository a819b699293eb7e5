// The four kinds of tokens the Messages API counts, and their arithmetic.

/** Counts as far as they are known. */
export type TokenCount = {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheCreationTokens: number | null;
};

export type KnownCount = { readonly [Key in keyof TokenCount]: number };

const kinds = ["inputTokens", "outputTokens", "cacheReadTokens", "cacheCreationTokens"] as const;

/** What `after` counts more than `before`; null when nothing. */
export const countedSince = (before: TokenCount, after: TokenCount): KnownCount | null => {
  if (kinds.every((kind) => before[kind] === after[kind])) return null;
  const [inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens] = kinds.map((kind) => (after[kind] ?? 0) - (before[kind] ?? 0)) as [number, number, number, number];
  return { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens };
};

/** Read, written and plain input together: what the model saw. */
export const totalInput = (count: Omit<TokenCount, "outputTokens">): number =>
  (count.inputTokens ?? 0) + (count.cacheReadTokens ?? 0) + (count.cacheCreationTokens ?? 0);

/** Share of the input that came from the prompt cache, 0..1; null without input. */
export const cacheReadShare = (count: Omit<TokenCount, "outputTokens">): number | null => {
  const total = totalInput(count);
  return total === 0 ? null : (count.cacheReadTokens ?? 0) / total;
};
