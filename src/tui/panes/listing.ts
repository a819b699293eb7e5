// What a pane gives to the dashboard: lines that are made only when they are drawn.
import type { Line } from "../theme.ts";

export type Listing = {
  readonly heads: Line | null;
  /** One entry for each line; null for a line that belongs to the one above and cannot be selected. */
  readonly ids: readonly (string | null)[];
  readonly line: (index: number, selected: boolean) => Line;
  /** What is said instead of an empty list. */
  readonly empty: readonly Line[];
};

/** Index of the selected line: the first one while nothing, or something that is gone, is selected; -1 for an empty list. */
export const selectedIndex = ({ ids }: Pick<Listing, "ids">, selected: string | null): number => {
  const index = selected === null ? -1 : ids.indexOf(selected);
  return index === -1 ? ids.findIndex((id) => id !== null) : index;
};

/** First line of a window of `height` lines that keeps `index` in the middle as far as the ends allow. */
export const windowStart = (length: number, height: number, index: number): number =>
  Math.max(0, Math.min(index - Math.floor(height / 2), length - height));
