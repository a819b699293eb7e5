// Pane 1: the requests. Which of them are shown and in which order, the columns of their table, and the words
// and tones for their outcome.
import { amount, clockTime, duration } from "../../lib/units.ts";
import { visibleText } from "../../lib/visible-text.ts";
import { totalInput } from "../../messages/usage.ts";
import { clientSilenceMs, isError, silenceMs } from "../../state/select.ts";
import type { RequestRow } from "../../state/state.ts";
import { clientAddress, setupLines } from "../setup-lines.ts";
import { downTo, tableOf } from "../table.ts";
import type { Column, Table } from "../table.ts";
import { safe } from "../text.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line, Segment, Tone } from "../theme.ts";
import type { UiState } from "../ui-state.ts";
import type { View } from "../view.ts";
import { listingOf } from "./listing.ts";
import type { Listing } from "./listing.ts";

/** The requests as they are to be drawn. */
export const requestsListing = (view: View): Listing =>
  listingOf({
    rows: visibleRequests(view),
    table: requestTable(view),
    id: ({ id }) => id,
    empty: view.shown.requests.rows.length === 0 ? firstSteps(view) : [lineOf(segment(" No request matches. Esc shows all.", "dim"))],
  });

/** The table of requests: its titles, and the line of any request. */
export const requestTable = ({ layout: { breadth, columns: width }, now, glyphs }: Pick<View, "layout" | "now" | "glyphs">): Table<RequestRow> =>
  tableOf(requestColumns({ now, glyphs }), { breadth, width, glyphs, gap: breadth === "wide" ? "  " : " " });

const requestColumns = ({ now, glyphs }: Pick<View, "now" | "glyphs">): readonly Column<RequestRow>[] => [
  { title: "TIME", width: downTo("narrow", 8), cell: ({ receivedAt }) => clockTime(receivedAt) },
  { title: "ST", width: downTo("tiny", 5), cell: (row) => segment(statusWord(row), statusTone(row)) },
  { title: "METH", width: { wide: 4 }, cell: ({ method }) => segment(safe(method, glyphs), "dim") },
  {
    title: "PATH",
    width: { wide: 22, normal: 12 },
    grows: { turn: 2, most: 9 },
    rest: true,
    cell: (row, { width, breadth }) => silence(row, now, width) ?? (breadth === "wide" ? safe(row.path, glyphs) : safe(row.path, glyphs).replace(/^\/v1\//, "")),
  },
  {
    title: "MODEL",
    width: { wide: 18, normal: 13, narrow: 10, tiny: 1 },
    grows: { turn: 3, most: 12 },
    rest: true,
    cell(row, { width, breadth }) {
      const model = safe(row.model ?? row.modelAsked ?? "-", glyphs);
      if (breadth === "wide") return model;
      // Where there is no path the silence stands here.
      const silent = breadth === "normal" ? null : silence(row, now, width);
      return silent ?? model.replace(/^claude-/, "").replace(/-20\d{6}$/, "");
    },
  },
  { title: "TTFB", width: downTo("normal", 6), right: true, cell: ({ ttfbMs }) => (ttfbMs === null ? "-" : duration(ttfbMs)) },
  { title: "TOTAL", width: downTo("tiny", 6), right: true, cell: ({ durationMs, receivedAt }) => duration(durationMs ?? now - receivedAt) },
  { title: "IN", width: downTo("normal", 6), right: true, cell: (row) => (row.inputTokens === null ? "-" : amount(totalInput(row))) },
  { title: "OUT", width: downTo("narrow", 6), right: true, cell: ({ outputTokens }) => (outputTokens === null ? "-" : amount(outputTokens)) },
  { title: "CLIENT", width: { wide: 9 }, grows: { turn: 1, most: 5 }, cell: ({ client }, { width }) => segment(shortClient(safe(client === "" ? "-" : client, glyphs), width), "dim") },
];

// The version goes before the name does.
const shortClient = (client: string, width: number): string => (client.length > width ? (client.split("/")[0] ?? client) : client);

// `silent 247/300`: seconds without a byte, and after how many the client gives up.
const silence = (row: RequestRow, now: number, width: number): Segment | null => {
  const silent = silenceMs(row, now);
  if (silent === null || silent < 20_000) return null;
  const limit = width < 14 ? "" : `/${clientSilenceMs / 1000}`;
  return segment(`silent ${Math.floor(silent / 1000)}${limit}`, silent < 240_000 ? "warning" : "error");
};

const phases: Readonly<Record<RequestRow["phase"], string>> = { connecting: "con", waiting: "wait", thinking: "think", text: "text", tool: "tool", body: "body" };

/** Phase of an open request, else what the client got: `499` when it left, `504`/`502` when it got nothing, `200!` for an answer that broke off. */
export const statusWord = (row: RequestRow): string => {
  if (row.outcome === null) return phases[row.phase];
  if (row.outcome === "client-left") return "499";
  if (row.status === null) return row.outcome === "timeout" ? "504" : "---";
  return row.status < 400 && isError(row) ? `${row.status}!` : String(row.status);
};

/** The tone of a request's outcome. */
export const statusTone = (row: RequestRow): Tone => {
  if (row.outcome === null) return "accent";
  if (row.outcome === "client-left" || row.outcome === "shutdown") return "dim";
  if (!isError(row)) return "good";
  return row.status !== null && row.status >= 400 && row.status < 500 ? "warning" : "error";
};

/**
 * The rows of the table in drawing order: open ones first (at most half of the list, the rest of them stays at
 * its start time), then newest first; filtered and without what was cleared away.
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

// Substring over status, phase, method, path, model, client, session, account, blame; `!text` means "without".
const matches = (row: RequestRow, filter: string): boolean => {
  const inverted = filter.startsWith("!");
  const wanted = (inverted ? filter.slice(1) : filter).trim().toLowerCase();
  if (wanted === "") return true;
  const { method, path, modelAsked, model, client, sessionId, agentId, accountId, blame, errorCode, id, upstreamRequestId } = row;
  const fields = [statusWord(row), method, path, modelAsked, model, client, sessionId, agentId, accountId, blame, errorCode, id, upstreamRequestId];
  const found = fields.some((field) => field !== null && visibleText(field).toLowerCase().includes(wanted));
  return found !== inverted;
};

const command = (text: string): Line => lineOf(segment(` ${text}`, "strong"));

// The next action, not "no data".
const firstSteps = (view: View): readonly Line[] => {
  const { breadth, list } = view.layout;
  const shorter = command(`${view.about.program} run claude`);
  if (breadth === "narrow" || breadth === "tiny") {
    return [
      lineOf(segment("No requests yet. In another terminal:")),
      shorter,
      lineOf(segment("or point a client at it:")),
      command("ANTHROPIC_BASE_URL="),
      command(clientAddress(view)),
      lineOf(segment("c copies the lines for Claude Code")),
    ];
  }
  const lines = setupLines(view).map(command);
  const gap = list > lines.length + 4 ? [emptyLine] : [];
  return [
    lineOf(segment(" No requests yet. Point Claude Code at it, in another terminal:")),
    ...gap,
    ...lines,
    ...gap,
    lineOf(segment(" c copies these lines. Shorter, with everything set:")),
    shorter,
  ];
};
