// Puts segments together into a line of a given width. Everything that is drawn goes through here, so
// this is where no line can become too wide.
import type { Glyphs, Line, Segment } from "../theme.ts";
import { segment } from "../theme.ts";
import { cut, widthOf } from "./width.ts";

/** Columns of all segments together. */
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
  const wanted = widthOfAll(right);
  const room = width - wanted - 1;
  if (wanted === 0 || room < Math.min(12, widthOfAll(left))) return { segments: cutAll(left, width, glyphs), selected: false };
  const fitted = cutAll(left, room, glyphs);
  const gap = width - wanted - widthOfAll(fitted);
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
  let room = width;
  for (const [index, { text, tone }] of segments.entries()) {
    const wide = widthOf(text);
    const rest = segments.slice(index + 1);
    // A segment that just fits must still give its last column to the mark when others follow it.
    if (wide < room || (wide === room && rest.every(({ text: later }) => later === ""))) {
      kept.push({ text, tone });
      room -= wide;
      continue;
    }
    const shortened = wide > room ? cut(text, room, glyphs) : cut(`${text} `, room, glyphs);
    kept.push({ text: shortened, tone });
    break;
  }
  return kept;
};
