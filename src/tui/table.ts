// The one table of the program. On the dashboard the breadth of the terminal chooses the columns, and some of
// them share what is left over; on the command line each column is as wide as its content. Pure.
import { padEnd, padStart, widthOf } from "./text.ts";
import { segment } from "./theme.ts";
import type { Glyphs, Line, Segment } from "./theme.ts";

/** How much room there is: `wide` from 110, `normal` from 70, `narrow` from 40 terminal columns, `tiny` below. */
export type Breadth = "wide" | "normal" | "narrow" | "tiny";

/** Where a cell is drawn: `width` terminal columns. */
export type Place = { readonly width: number; readonly breadth: Breadth };

/** A column of a listing: all that the command line needs. */
export type TextColumn<Row> = {
  readonly title: string;
  /** Text at the right edge, as for numbers. */
  readonly right?: true;
  /** Safe text; the table cuts and pads it. */
  readonly cell: (row: Row, place: Place) => Segment | string;
};

/** A column of the dashboard. Adding one is adding one such record. */
export type Column<Row> = TextColumn<Row> & {
  /** Terminal columns it takes at least; a breadth that is not named does not have this column. */
  readonly width: Widths;
  /** What it takes of the terminal columns that are left over: at most `most`, the lowest `turn` first. */
  readonly grows?: { readonly turn: number; readonly most: number };
  /** Takes what is still left after that; of several such columns the first one does. */
  readonly rest?: true;
};

export type Widths = Readonly<Partial<Record<Breadth, number>>>;

const breadths: readonly Breadth[] = ["wide", "normal", "narrow", "tiny"];

/** The same width in every breadth from `wide` down to `narrowest`. */
export const downTo = (narrowest: Breadth, width: number): Widths =>
  Object.fromEntries(breadths.slice(0, breadths.indexOf(narrowest) + 1).map((breadth) => [breadth, width]));

export type TableOptions = { readonly breadth: Breadth; readonly width: number; readonly glyphs: Glyphs; readonly gap?: string };

export type Table<Row> = {
  /** The line of titles. */
  readonly heads: Line;
  readonly line: (row: Row, selected: boolean) => Line;
};

/** A table that fills `width` terminal columns. The gap before the first column holds the mark of the selected line. */
export const tableOf = <Row>(columns: readonly Column<Row>[], { breadth, width, glyphs, gap = "  " }: TableOptions): Table<Row> => {
  const planned = plan(columns, { breadth, width, gap: gap.length });
  const fitted = ({ right, width: wide }: Planned<Row>, text: string): string => (right === true ? padStart : padEnd)(text, wide, glyphs);
  return {
    heads: { segments: [segment(gap + planned.map((column) => fitted(column, column.title)).join(gap), "dim")], selected: false },
    line: (row, selected) => ({
      segments: planned.flatMap((column, index) => {
        const { text, tone } = cellOf(column, row, { width: column.width, breadth });
        return [segment(index > 0 ? gap : `${selected ? ">" : " "}${gap.slice(1)}`), segment(fitted(column, text), tone)];
      }),
      selected,
    }),
  };
};

/** Rows of text without line feeds, each column as wide as its widest cell; the titles come first unless `heads` is false. */
export const textTable = <Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[], { heads = true }: { readonly heads?: boolean } = {}): readonly string[] => {
  const anywhere: Place = { width: Number.POSITIVE_INFINITY, breadth: "wide" };
  const cells = rows.map((row) => columns.map((column) => cellOf(column, row, anywhere).text));
  const texts = heads ? [columns.map(({ title }) => title), ...cells] : cells;
  const widths = columns.map((_, column) => Math.max(0, ...texts.map((row) => widthOf(row[column] ?? ""))));
  return texts.map((row) => row.map((text, column) => (columns[column]?.right === true ? padStart : padEnd)(text, widths[column] ?? 0)).join("  ").trimEnd());
};

const cellOf = <Row>({ cell }: TextColumn<Row>, row: Row, place: Place): Segment => {
  const made = cell(row, place);
  return typeof made === "string" ? segment(made) : made;
};

type Planned<Row> = Omit<Column<Row>, "width"> & { readonly width: number };

// The columns of this breadth, as wide as they are drawn.
const plan = <Row>(columns: readonly Column<Row>[], { breadth, width, gap }: { readonly breadth: Breadth; readonly width: number; readonly gap: number }): readonly Planned<Row>[] => {
  const kept = columns.flatMap(({ width: widths, ...column }) => (widths[breadth] === undefined ? [] : [{ ...column, width: widths[breadth] }]));
  let left = Math.max(0, width - kept.reduce((sum, column) => sum + column.width + gap, 0));
  for (const column of kept.toSorted((one, other) => (one.grows?.turn ?? 0) - (other.grows?.turn ?? 0))) {
    const more = Math.min(left, column.grows?.most ?? 0);
    column.width += more;
    left -= more;
  }
  const last = kept.find(({ rest }) => rest === true);
  if (last !== undefined) last.width += left;
  return kept;
};
