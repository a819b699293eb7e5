// Everything one frame is drawn from. Immutable; made anew for each frame by the controller.
import { visibleText } from "../lib/visible-text.ts";
import { isError } from "../state/select.ts";
import type { AppState, RequestRow } from "../state/state.ts";
import { statusWord } from "./format/request-row.ts";
import { layoutOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
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
  /** The picture of now: header, banner, footer. */
  readonly live: AppState;
  /** The picture the lists show: the live one, or the one of the moment of the pause. */
  readonly shown: AppState;
  readonly ui: UiState;
  /** Wall milliseconds. */
  readonly now: number;
  readonly layout: Layout;
  readonly glyphs: Glyphs;
  /** Frames are being held back because the event loop is late. */
  readonly slow: boolean;
  /** Resident memory, bytes; null when nobody measures it. */
  readonly memory: number | null;
  readonly about: About;
};

export type ViewParts = Omit<View, "layout" | "shown"> & { readonly columns: number; readonly rows: number };

/** A view of the given parts. */
export const viewOf = ({ columns, rows, ...rest }: ViewParts): View => ({
  ...rest,
  layout: layoutOf(columns, rows),
  shown: rest.ui.frozen ?? rest.live,
});

/**
 * The rows of the requests table in drawing order: open ones first (at most half of the list, the rest
 * of them stays at its start time), then newest first; filtered and without what was cleared away.
 */
export const visibleRequests = ({ shown, ui, layout }: Pick<View, "shown" | "ui" | "layout">): readonly RequestRow[] => {
  const rows = shown.requests.rows.filter((row) => isShown(row, ui));
  const most = Math.max(1, Math.floor(layout.list / 2));
  const open = rows.filter((row) => row.outcome === null).slice(0, most);
  if (open.length === 0) return rows;
  const lifted = new Set(open);
  return [...open, ...rows.filter((row) => !lifted.has(row))];
};

const isShown = (row: RequestRow, { clearedAt, errorsOnly, filter }: UiState): boolean => {
  if (row.outcome !== null && row.receivedAt <= clearedAt) return false;
  if (errorsOnly && !isError(row)) return false;
  return filter === "" || matches(row, filter);
};

/** Substring over status, phase, method, path, model, client, session, account, blame; `!text` means "without". */
export const matches = (row: RequestRow, filter: string): boolean => {
  const inverted = filter.startsWith("!");
  const wanted = (inverted ? filter.slice(1) : filter).trim().toLowerCase();
  if (wanted === "") return true;
  const { method, path, modelAsked, model, client, sessionId, agentId, accountId, blame, errorCode, id, upstreamRequestId } = row;
  const fields = [statusWord(row), method, path, modelAsked, model, client, sessionId, agentId, accountId, blame, errorCode, id, upstreamRequestId];
  const found = fields.some((field) => field !== null && visibleText(field).toLowerCase().includes(wanted));
  return found !== inverted;
};
