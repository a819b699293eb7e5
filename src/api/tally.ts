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

  const place = (first: string, second: string | undefined, add: number | null, value: number): void => {
    const seconds = counts.get(first);
    const known = seconds?.get(second);
    if (known !== undefined) seconds?.set(second, add === null ? value : known + add);
    else if (size < limit || isRest(first, second)) begin(first, second, value);
    else place(other, second === undefined ? undefined : other, add, value);
  };

  const begin = (first: string, second: string | undefined, value: number): void => {
    const seconds: Counts = counts.get(first) ?? new Map();
    counts.set(first, seconds.set(second, value));
    size += 1;
  };

  return {
    add: (amount, first, second) => place(first, second, amount, amount),
    set: (value, first, second) => place(first, second, null, value),
    drop(first) {
      size -= counts.get(first)?.size ?? 0;
      counts.delete(first);
    },
    entries: () => [...counts].flatMap(([first, seconds]) => [...seconds].map(([second, value]) => ({ labels: second === undefined ? [first] : [first, second], value }))),
  };
};

const other = "other";

const isRest = (first: string, second: string | undefined): boolean => first === other && (second ?? other) === other;
