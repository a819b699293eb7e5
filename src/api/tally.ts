// Counts by label, cheap enough for every request: one Map entry per combination, nothing is hashed or
// built until somebody asks. Bounded: names come from outside, and a hostile one must not fill the memory.

export type Tally = {
  /** Adds `amount` to the combination of `labels`. */
  add(amount: number, ...labels: readonly string[]): void;
  /** Sets instead of adding. */
  set(value: number, ...labels: readonly string[]): void;
  /** Removes every combination whose first label is `first`. */
  drop(first: string): void;
  entries(): readonly { readonly labels: readonly string[]; readonly value: number }[];
};

/** At most `limit` combinations; further ones are counted together under `other`. */
export const createTally = (limit: number): Tally => {
  const counts = new Map<string, number>();
  // U+0000 stands in no label: all of them went through `visibleText` or are ours.
  const keyOf = (labels: readonly string[]): string => {
    const key = labels.join("\u0000");
    return counts.has(key) || counts.size < limit ? key : labels.map(() => "other").join("\u0000");
  };
  return {
    add(amount, ...labels) {
      const key = keyOf(labels);
      counts.set(key, (counts.get(key) ?? 0) + amount);
    },
    set(value, ...labels) {
      counts.set(keyOf(labels), value);
    },
    drop(first) {
      for (const key of counts.keys()) if (key.split("\u0000", 1)[0] === first) counts.delete(key);
    },
    entries: () => [...counts].map(([key, value]) => ({ labels: key.split("\u0000"), value })),
  };
};
