// Everything one frame is drawn from, and how much of it fits into the terminal. Immutable; the controller makes
// a new one for each frame.
import type { AppState } from "../state/state.ts";
import type { Breadth } from "./table.ts";
import type { Glyphs } from "./theme.ts";
import type { UiState } from "./ui-state.ts";

/** What does not change while the program runs. */
export type About = {
  /** How a person calls this program in a shell, `npx claude-oauth-proxy`. */
  readonly program: string;
  /** Does a client have to show the local key. */
  readonly keyNeeded: boolean;
  /** Refresh this long before expiry, milliseconds. */
  readonly leadMs: number;
  readonly drainSeconds: number;
  /** Host name of the upstream. */
  readonly upstream: string;
};

export type View = {
  /** The state of now: header, banner, footer. */
  readonly live: AppState;
  /** The state the lists show: the live one, or the one of the moment of the pause. */
  readonly shown: AppState;
  readonly ui: UiState;
  /** Wall milliseconds. */
  readonly now: number;
  readonly layout: Layout;
  readonly glyphs: Glyphs;
  /** Frames are being held back because the event loop is late. */
  readonly slow: boolean;
  /** Resident memory, bytes; null when it is not measured. */
  readonly memory: number | null;
  readonly about: About;
};

export type ViewParts = Omit<View, "layout" | "shown"> & { readonly columns: number; readonly rows: number };

/** A view of the given parts. */
export const viewOf = ({ columns, rows, ...rest }: ViewParts): View => ({
  ...rest,
  layout: layoutOf(columns, rows),
  shown: rest.ui.paused ?? rest.live,
});

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

/**
 * The layout of a terminal of `columns` × `rows`; both at least 1. There is no smallest size, only less and less:
 * address and state, token and the footer are the last to go.
 */
const layoutOf = (columns: number, rows: number): Layout => {
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
