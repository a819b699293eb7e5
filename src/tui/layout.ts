// How much of the dashboard fits into a terminal of a given size. Pure; there is no smallest size, only
// less and less: address and state, token and the footer are the last to go.

/** Which columns a table has: `wide` from 110, `normal` from 70, `narrow` from 40 columns, none below. */
export type Breadth = "wide" | "normal" | "narrow" | "tiny";

export type Layout = {
  readonly columns: number;
  readonly rows: number;
  readonly breadth: Breadth;
  /** Lines of the header: 3, 2, or 1 when that is the whole screen. */
  readonly header: 1 | 2 | 3;
  readonly rules: boolean;
  readonly heads: boolean;
  readonly events: 0 | 1 | 2;
  /** Lines of the list. */
  readonly list: number;
  readonly footer: boolean;
};

const breadthOf = (columns: number): Breadth => (columns >= 110 ? "wide" : columns >= 70 ? "normal" : columns >= 40 ? "narrow" : "tiny");

/** The layout of a terminal of `columns` × `rows`; both at least 1. */
export const layoutOf = (columns: number, rows: number): Layout => {
  const base = { columns: Math.max(1, columns), rows: Math.max(1, rows), breadth: breadthOf(columns) };
  if (rows < 3) return { ...base, header: 1, rules: false, heads: false, events: 0, list: 0, footer: false };
  if (base.breadth === "tiny" || rows < 10) return { ...base, header: 2, rules: false, heads: false, events: 0, list: rows - 3, footer: true };
  if (rows < 16) {
    const heads = columns >= 70;
    return { ...base, header: 2, rules: false, heads, events: 0, list: rows - (heads ? 4 : 3), footer: true };
  }
  if (rows >= 24 && base.breadth === "wide") return { ...base, header: 3, rules: true, heads: true, events: 2, list: rows - 10, footer: true };
  return { ...base, header: 2, rules: true, heads: true, events: 1, list: rows - 7, footer: true };
};
