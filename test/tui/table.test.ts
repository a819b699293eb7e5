import { describe, expect, it } from "vitest";
import { downTo, textTable, tableOf } from "../../src/tui/table.ts";
import type { Column, TextColumn } from "../../src/tui/table.ts";
import { widthOf } from "../../src/tui/text.ts";
import { glyphsFor, segment } from "../../src/tui/theme.ts";
import { textOf } from "./scene.ts";

type Fruit = { readonly name: string; readonly count: number };
const apple: Fruit = { name: "apple", count: 12 };
const columns: readonly Column<Fruit>[] = [
  { title: "NAME", width: { wide: 6, narrow: 3 }, grows: { turn: 2, most: 4 }, rest: true, cell: ({ name }) => segment(name, "strong") },
  { title: "LENGTH", width: downTo("wide", 6), grows: { turn: 1, most: 2 }, cell: ({ name }, { width }) => `${name.length}/${width}` },
  { title: "COUNT", width: downTo("tiny", 5), right: true, cell: ({ count }) => String(count) },
];
const glyphs = glyphsFor(false);
const drawn = (breadth: "wide" | "narrow" | "tiny", width: number, selected = false): readonly string[] => {
  const { heads, line } = tableOf(columns, { breadth, width, glyphs });
  return [textOf(heads), textOf(line(apple, selected))];
};

describe("a table of the dashboard", () => {
  it("has the columns that are as wide as its breadth asks for", () => {
    expect(drawn("wide", 23)).toEqual(["  NAME    LENGTH  COUNT", "  apple   5/6        12"]);
    expect(drawn("narrow", 12)).toEqual(["  NA…  COUNT", "  ap…     12"]);
    expect(drawn("tiny", 7)).toEqual(["  COUNT", "     12"]);
  });

  it("gives what is left over to the columns that grow, in their turn, and the rest to the one that takes it", () => {
    expect(drawn("wide", 24)[1]).toBe("  apple   5/7         12");
    expect(drawn("wide", 26)[1]).toBe("  apple    5/8          12");
    expect(drawn("wide", 40)[1]).toBe(`  apple${" ".repeat(18)}5/8          12`);
    for (const width of [23, 24, 25, 29, 30, 90]) expect(drawn("wide", width).map(widthOf)).toEqual([width, width]);
  });

  it("marks the selected line and keeps the tones of its cells", () => {
    const line = tableOf(columns, { breadth: "wide", width: 23, glyphs, gap: " " }).line(apple, true);
    expect(textOf(line)).toMatch(/^>apple /);
    expect([line.selected, line.segments[1]?.tone]).toEqual([true, "strong"]);
  });
});

describe("a listing of the command line", () => {
  const rows = [apple, { name: "日本語", count: 7 }];
  const texts: readonly TextColumn<Fruit>[] = [
    { title: "NAME", cell: ({ name }) => name },
    { title: "N", right: true, cell: ({ count }) => segment(String(count)) },
    { title: "REMARK", cell: ({ count }) => (count > 10 ? "many" : "") },
  ];

  it("makes each column as wide as its widest cell in terminal columns, without blanks at the end", () => {
    expect(textTable(texts, rows)).toEqual(["NAME     N  REMARK", "apple   12  many", "日本語   7"]);
  });

  it("may go without titles, and may be empty", () => {
    expect(textTable(texts, rows, { heads: false })).toEqual(["apple   12  many", "日本語   7"]);
    expect(textTable(texts, [], { heads: false })).toEqual([]);
  });
});
