// A table whose columns are chosen by the breadth of the terminal; one of them takes what is over.
import { segment } from "../theme.ts";
import type { Glyphs, Line, Segment } from "../theme.ts";
import type { Breadth } from "../layout.ts";
import { padEnd, padStart } from "./width.ts";

export type TableColumn<T> = {
  readonly title: string;
  /** Columns it takes; for the one that grows, at least. */
  readonly width: number;
  readonly grows?: true;
  readonly right?: true;
  readonly breadths: readonly Breadth[];
  readonly cell: (item: T) => Segment;
};

export type TableSetting = { readonly breadth: Breadth; readonly width: number; readonly glyphs: Glyphs };

const gap = "  ";

const fitted = <T>(columns: readonly TableColumn<T>[], { breadth, width }: TableSetting): readonly TableColumn<T>[] => {
  const kept = columns.filter(({ breadths }) => breadths.includes(breadth));
  const taken = kept.reduce((sum, column) => sum + column.width, 0) + gap.length * kept.length;
  return kept.map((column) => (column.grows === true ? { ...column, width: Math.max(1, column.width + width - taken) } : column));
};

const pad = <T>({ right, width }: TableColumn<T>, text: string, glyphs: Glyphs): string => (right === true ? padStart : padEnd)(text, width, glyphs);

/** The line of titles. */
export const tableHeads = <T>(columns: readonly TableColumn<T>[], setting: TableSetting): Line => ({
  segments: [segment(gap + fitted(columns, setting).map((column) => pad(column, column.title, setting.glyphs)).join(gap), "dim")],
  selected: false,
});

/** The line of one item. */
export const tableLine = <T>(columns: readonly TableColumn<T>[], item: T, selected: boolean, setting: TableSetting): Line => ({
  segments: fitted(columns, setting).flatMap((column, index) => {
    const { text, tone } = column.cell(item);
    return [segment(index > 0 ? gap : selected ? "> " : gap), segment(pad(column, text, setting.glyphs), tone)];
  }),
  selected,
});
