// Text measured and cut in terminal columns. Whatever comes in is made harmless first, although it
// should have been already: a single escape would move every later column.
import stringWidth from "string-width";
import { visibleText } from "../../lib/visible-text.ts";
import type { Glyphs } from "../theme.ts";

// Terminals disagree on the width of these: variation selectors, keycaps, flags, skin tones.
// oxlint-disable-next-line no-misleading-character-class -- single code points, not a sequence
const unsteady = /[\u{fe00}-\u{fe0f}\u{20e3}\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}\u{e0100}-\u{e01ef}]/gu;
const notAscii = /[^\u0020-\u007e]/u;
const segmenter = new Intl.Segmenter();

/** Columns that `text` takes. */
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
  for (const { segment } of segmenter.segment(text)) {
    const wide = stringWidth(segment);
    if (used + wide > width - 1) break;
    kept += segment;
    used += wide;
  }
  return `${kept}${ellipsis}`;
};

/** Exactly `width` columns, text at the left. */
export const padEnd = (text: string, width: number, glyphs: Pick<Glyphs, "ellipsis">): string => {
  const fitted = cut(text, width, glyphs);
  return fitted + " ".repeat(Math.max(0, width - widthOf(fitted)));
};

/** Exactly `width` columns, text at the right. */
export const padStart = (text: string, width: number, glyphs: Pick<Glyphs, "ellipsis">): string => {
  const fitted = cut(text, width, glyphs);
  return " ".repeat(Math.max(0, width - widthOf(fitted))) + fitted;
};
