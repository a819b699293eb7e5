// Text in terminal columns: measured, cut, padded, wrapped, and put together into lines. Every line that is
// drawn goes through here, so this is where no line can become too wide. Pure.
import stringWidth from "string-width";
import { visibleText } from "../lib/visible-text.ts";
import { glyphsFor, segment } from "./theme.ts";
import type { Glyphs, Line, Segment } from "./theme.ts";

// Terminals disagree on the width of these: variation selectors, keycaps, flags, skin tones.
// oxlint-disable-next-line no-misleading-character-class -- single code points, not a sequence
const unsteady = /[\u{fe00}-\u{fe0f}\u{20e3}\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}\u{e0100}-\u{e01ef}]/gu;
const notAscii = /[^\u0020-\u007e]/u;
const segmenter = new Intl.Segmenter();

/** Terminal columns that `text` takes. */
export const widthOf = (text: string): number => (notAscii.test(text) ? stringWidth(text) : text.length);

/** `text` without anything that could move a cursor, hide, reorder or have an uncertain width. */
export const safe = (text: string, { ascii }: Pick<Glyphs, "ascii">): string => {
  const visible = visibleText(text, 2000);
  if (!notAscii.test(visible)) return visible;
  const steady = visible.replace(unsteady, "");
  return ascii ? steady.replace(/…/g, "~").replace(/\P{ASCII}/gu, "?") : steady;
};

/** The first `width` columns of safe text; a cut is marked by the ellipsis in the last of them. */
export const cut = (text: string, width: number, { ellipsis }: Pick<Glyphs, "ellipsis">): string => {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return "";
  if (!notAscii.test(text)) return `${text.slice(0, width - 1)}${ellipsis}`;
  let kept = "";
  let used = 0;
  for (const { segment: character } of segmenter.segment(text)) {
    const wide = stringWidth(character);
    if (used + wide > width - 1) break;
    kept += character;
    used += wide;
  }
  return `${kept}${ellipsis}`;
};

/** Exactly `width` columns, text at the left. */
export const padEnd = (text: string, width: number, glyphs: Pick<Glyphs, "ellipsis"> = glyphsFor(false)): string => {
  const fitted = cut(text, width, glyphs);
  return fitted + " ".repeat(Math.max(0, width - widthOf(fitted)));
};

/** Exactly `width` columns, text at the right. */
export const padStart = (text: string, width: number, glyphs: Pick<Glyphs, "ellipsis"> = glyphsFor(false)): string => {
  const fitted = cut(text, width, glyphs);
  return " ".repeat(Math.max(0, width - widthOf(fitted))) + fitted;
};

/** Safe text in rows of at most `width` columns, broken at blanks where possible; at least one row. */
export const wrap = (text: string, width: number): readonly string[] => {
  const rows: string[] = [];
  let row = "";
  let used = 0;
  for (const { text: word, columns } of text.split(" ").flatMap((part) => pieces(part, Math.max(2, width)))) {
    if (row === "" && columns <= width) [row, used] = [word, columns];
    else if (row !== "" && used + 1 + columns <= width) [row, used] = [`${row} ${word}`, used + 1 + columns];
    else {
      rows.push(row);
      [row, used] = [word, columns];
    }
  }
  return [...rows, row];
};

type Piece = { readonly text: string; readonly columns: number };

// A word wider than the row is cut into rows of its own. Each character is measured once: a row that is measured again
// for each of its characters takes a tenth of a second for one long word of emoji.
const pieces = (word: string, width: number): readonly Piece[] => {
  const columns = widthOf(word);
  if (columns <= width) return [{ text: word, columns }];
  const parts: Piece[] = [];
  let part = "";
  let used = 0;
  for (const { segment: character } of segmenter.segment(word)) {
    const wide = widthOf(character);
    if (used + wide > width) {
      parts.push({ text: part, columns: used });
      [part, used] = ["", 0];
    }
    part += character;
    used += wide;
  }
  return [...parts, { text: part, columns: used }];
};

/** Terminal columns of all segments together. */
export const widthOfAll = (segments: readonly Segment[]): number => segments.reduce((sum, { text }) => sum + widthOf(text), 0);

/** The line cut to `width` columns; a selected line is filled up, so that its inverse bar reaches the edge. */
export const fit = (line: Line, width: number, glyphs: Glyphs): Line => {
  const total = widthOfAll(line.segments);
  if (total === width || (total < width && !line.selected)) return line;
  if (total < width) return { ...line, segments: [...line.segments, segment(" ".repeat(width - total))] };
  return { ...line, segments: cutAll(line.segments, width, glyphs) };
};

/** `left` at the left edge and `right` at the right one; `left` is cut first, and `right` dropped when even that is not enough. */
export const spread = (left: readonly Segment[], right: readonly Segment[], width: number, glyphs: Glyphs): Line => {
  const taken = widthOfAll(right);
  const free = width - taken - 1;
  if (taken === 0 || free < Math.min(12, widthOfAll(left))) return { segments: cutAll(left, width, glyphs), selected: false };
  const fitted = cutAll(left, free, glyphs);
  const gap = width - taken - widthOfAll(fitted);
  return { segments: [...fitted, segment(" ".repeat(gap)), ...right], selected: false };
};

/** Groups of segments with `separator` between them, as many of them as fit into `width`: the first ones win. */
export const joinFitting = (groups: readonly (readonly Segment[])[], width: number, separator = "  "): readonly Segment[] => {
  const joined: Segment[] = [];
  let used = 0;
  for (const group of groups) {
    const own = widthOfAll(group);
    if (own === 0) continue;
    const wide = own + (joined.length === 0 ? 0 : separator.length);
    if (used + wide > width) continue;
    if (joined.length > 0) joined.push(segment(separator));
    joined.push(...group);
    used += wide;
  }
  return joined;
};

const cutAll = (segments: readonly Segment[], width: number, glyphs: Glyphs): readonly Segment[] => {
  const kept: Segment[] = [];
  let free = width;
  for (const [index, { text, tone }] of segments.entries()) {
    const wide = widthOf(text);
    const rest = segments.slice(index + 1);
    // A segment that just fits must still give its last column to the mark when others follow it.
    if (wide < free || (wide === free && rest.every(({ text: later }) => later === ""))) {
      kept.push({ text, tone });
      free -= wide;
      continue;
    }
    const shortened = wide > free ? cut(text, free, glyphs) : cut(`${text} `, free, glyphs);
    kept.push({ text: shortened, tone });
    break;
  }
  return kept;
};
