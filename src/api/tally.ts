// Counts by label, cheap enough for every request: one Map entry per combination, nothing is hashed or
// built until somebody asks. Bounded: names come from outside, and a hostile one must not fill the memory.

export type Tally = {
  /** Adds `amount` to the combination of one or two labels. */
  add(amount: number, first: string, second?: string): void;
  /** Sets instead of adding. */
  set(value: number, first: string, second?: string): void;
  /** Removes every combination whose first label is `first`. */
  drop(first: string): void;
  entries(): readonly { readonly labels: readonly string[]; readonly value: number }[];
};

type Counts = Map<string | undefined, number>;

/** At most `limit` combinations; further ones are counted together under `other`. */
export const createTally = (limit: number): Tally => {
  const counts = new Map<string, Counts>();
  let size = 0;

  const begin = (first: string, second: string | undefined, value: number): void => {
    const seconds: Counts = counts.get(first) ?? new Map();
    counts.set(first, seconds.set(second, value));
    size += 1;
  };

  const put = (value: number, isSum: boolean, first: string, second: string | undefined): void => {
    const seconds = counts.get(first);
    const known = seconds?.get(second);
    if (known !== undefined) seconds?.set(second, isSum ? known + value : value);
    else if (size < limit || isRest(first, second)) begin(first, second, value);
    else put(value, isSum, other, second === undefined ? undefined : other);
  };

  return {
    add: (amount, first, second) => put(amount, true, first, second),
    set: (value, first, second) => put(value, false, first, second),
    drop(first) {
      size -= counts.get(first)?.size ?? 0;
      counts.delete(first);
    },
    entries: () => [...counts].flatMap(([first, seconds]) => [...seconds].map(([second, value]) => ({ labels: second === undefined ? [first] : [first, second], value }))),
  };
};

const other = "other";

const isRest = (first: string, second: string | undefined): boolean => first === other && (second ?? other) === other;
