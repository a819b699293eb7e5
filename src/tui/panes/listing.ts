// What a pane gives to the dashboard: lines that are made only when they are drawn.
import type { Table } from "../table.ts";
import { emptyLine } from "../theme.ts";
import type { Line } from "../theme.ts";

export type Listing = {
  readonly heads: Line;
  /** One entry for each line; null for a line that belongs to the one above and cannot be selected. */
  readonly ids: readonly (string | null)[];
  readonly line: (index: number, selected: boolean) => Line;
  /** What is said instead of an empty list. */
  readonly empty: readonly Line[];
};

/** Where the lines of a listing come from: the rows of a table, each with lines of its own below it. */
export type ListingParts<Row> = {
  readonly rows: readonly Row[];
  readonly table: Table<Row>;
  readonly id: (row: Row) => string;
  readonly below?: (row: Row) => readonly Line[];
  readonly empty: readonly Line[];
};

/** The rows of a table as a listing. */
export const listingOf = <Row>({ rows, table, id, below = () => [], empty }: ListingParts<Row>): Listing => {
  const lines = rows.flatMap((row) => [{ id: id(row), draw: (selected: boolean) => table.line(row, selected) }, ...below(row).map((line) => ({ id: null, draw: () => line }))]);
  return { heads: table.heads, ids: lines.map((line) => line.id), line: (index, selected) => lines[index]?.draw(selected) ?? emptyLine, empty };
};

/** Index of the selected line: the first one while nothing, or something that is gone, is selected; -1 for an empty list. */
export const selectedIndex = ({ ids }: Pick<Listing, "ids">, selected: string | null): number => {
  const index = selected === null ? -1 : ids.indexOf(selected);
  return index === -1 ? ids.findIndex((id) => id !== null) : index;
};

/** First line of a window of `height` lines that keeps `index` in the middle as far as the ends allow. */
export const windowStart = (length: number, height: number, index: number): number =>
  Math.max(0, Math.min(index - Math.floor(height / 2), length - height));
