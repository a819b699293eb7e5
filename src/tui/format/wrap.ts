// Breaks safe text into rows of a given width, at blanks where possible: for the detail views only.
import { widthOf } from "./width.ts";

const segmenter = new Intl.Segmenter();

/** At least one row; no row is wider than `width` columns. */
export const wrap = (text: string, width: number): readonly string[] => {
  const rows: string[] = [];
  let row = "";
  for (const word of text.split(" ").flatMap((part) => pieces(part, Math.max(2, width)))) {
    const longer = row === "" ? word : `${row} ${word}`;
    if (widthOf(longer) <= width) row = longer;
    else {
      rows.push(row);
      row = word;
    }
  }
  return [...rows, row];
};

// A word wider than the row is cut into rows of its own.
const pieces = (word: string, width: number): readonly string[] => {
  if (widthOf(word) <= width) return [word];
  const parts: string[] = [];
  let part = "";
  for (const { segment } of segmenter.segment(word)) {
    if (widthOf(part + segment) > width) {
      parts.push(part);
      part = "";
    }
    part += segment;
  }
  return [...parts, part];
};
