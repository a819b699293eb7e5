// One request as one line of the table, and the heads above it. Fixed columns for each breadth; an open
// request that has gone silent says so where its path or model would stand.
import { clientSilenceMs, isError, silenceMs, totalInput } from "../../state/select.ts";
import type { RequestRow } from "../../state/state.ts";
import { amount, clockTime, duration } from "../../state/words.ts";
import type { Breadth } from "../layout.ts";
import { segment } from "../theme.ts";
import type { Glyphs, Line, Segment, Tone } from "../theme.ts";
import { padEnd, padStart, safe } from "./width.ts";

export type RowSetting = { readonly breadth: Breadth; readonly width: number; readonly now: number; readonly glyphs: Glyphs };

type Column = "time" | "st" | "method" | "path" | "model" | "ttfb" | "total" | "in" | "out" | "client";

const titles: Readonly<Record<Column, string>> = {
  time: "TIME", st: "ST", method: "METH", path: "PATH", model: "MODEL", ttfb: "TTFB", total: "TOTAL", in: "IN", out: "OUT", client: "CLIENT",
};

const numbers: readonly Column[] = ["ttfb", "total", "in", "out"];

type Plan = { readonly columns: readonly (readonly [Column, number])[]; readonly gap: string };

/** Column widths for a table of `width` columns: what is over goes to the model first, then to the path. */
export const planOf = (breadth: Breadth, width: number): Plan => {
  if (breadth === "wide") return widen([["time", 8], ["st", 5], ["method", 4], ["path", 22], ["model", 18], ["ttfb", 6], ["total", 6], ["in", 6], ["out", 6], ["client", 9]], "  ", width);
  if (breadth === "normal") return widen([["time", 8], ["st", 5], ["path", 12], ["model", 13], ["ttfb", 6], ["total", 6], ["in", 6], ["out", 6]], " ", width);
  if (breadth === "narrow") return widen([["time", 8], ["st", 5], ["model", 10], ["total", 6], ["out", 6]], " ", width);
  return widen([["st", 5], ["model", 1], ["total", 6]], " ", width);
};

const widen = (columns: readonly (readonly [Column, number])[], gap: string, width: number): Plan => {
  const taken = columns.reduce((sum, [, wide]) => sum + wide, 0) + gap.length * (columns.length - 1) + 1 + gap.length - 1;
  const over = Math.max(0, width - taken);
  const hasPath = columns.some(([column]) => column === "path");
  const client = columns.some(([column]) => column === "client") ? Math.min(5, over) : 0;
  const path = hasPath ? Math.min(9, over - client) : 0;
  const model = Math.min(hasPath ? 12 : over, over - client - path);
  const more: Partial<Record<Column, number>> = { client, model, path: path + (hasPath ? over - client - path - model : 0) };
  return { gap, columns: columns.map(([column, wide]) => [column, wide + (more[column] ?? 0)] as const) };
};

/** The line of titles. */
export const requestHeads = ({ breadth, width, glyphs }: RowSetting): Line => {
  const { columns, gap } = planOf(breadth, width);
  const text = columns.map(([column, wide]) => (numbers.includes(column) ? padStart : padEnd)(titles[column], wide, glyphs)).join(gap);
  return { segments: [segment(`${" ".repeat(gap.length)}${text}`, "dim")], selected: false };
};

/** The line of one request. */
export const requestLine = (row: RequestRow, selected: boolean, setting: RowSetting): Line => {
  const { columns, gap } = planOf(setting.breadth, setting.width);
  const silentAt: Column = columns.some(([column]) => column === "path") ? "path" : "model";
  const cells = columns.map(([column, wide]): Segment => {
    const silence = column === silentAt ? silenceWord(row, setting.now, wide) : null;
    if (silence !== null) return segment(padEnd(silence.text, wide, setting.glyphs), silence.tone);
    const text = cellText(column, wide, row, setting);
    return segment((numbers.includes(column) ? padStart : padEnd)(text, wide, setting.glyphs), toneOf(column, row));
  });
  const marker = selected ? ">" : " ";
  return { segments: [segment(marker + gap.slice(1)), ...cells.flatMap((cell, index) => (index === 0 ? [cell] : [segment(gap), cell]))], selected };
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

// `silent 247/300`: seconds without a byte, and after how many the client gives up.
const silenceWord = (row: RequestRow, now: number, width: number): Segment | null => {
  const silence = silenceMs(row, now);
  if (silence === null || silence < 20_000) return null;
  const limit = width < 14 ? "" : `/${clientSilenceMs / 1000}`;
  return segment(`silent ${Math.floor(silence / 1000)}${limit}`, silence < 240_000 ? "warning" : "error");
};

const toneOf = (column: Column, row: RequestRow): Tone => {
  if (column === "st") return statusTone(row);
  return column === "client" || column === "method" ? "dim" : "plain";
};

const shortModel = (model: string, breadth: Breadth): string => (breadth === "wide" ? model : model.replace(/^claude-/, "").replace(/-20\d{6}$/, ""));
const shortPath = (path: string, breadth: Breadth): string => (breadth === "wide" ? path : path.replace(/^\/v1\//, ""));
const counted = (known: boolean, count: number): string => (known ? amount(count) : "-");

// The version goes before the name does.
const shortClient = (client: string, width: number): string => (client.length > width ? (client.split("/")[0] ?? client) : client);

const cellText = (column: Column, width: number, row: RequestRow, { breadth, now, glyphs }: RowSetting): string => {
  const texts: Readonly<Record<Column, () => string>> = {
    time: () => clockTime(row.receivedAt),
    st: () => statusWord(row),
    method: () => safe(row.method, glyphs),
    path: () => shortPath(safe(row.path, glyphs), breadth),
    model: () => shortModel(safe(row.model ?? row.modelAsked ?? "-", glyphs), breadth),
    ttfb: () => (row.ttfbMs === null ? "-" : duration(row.ttfbMs)),
    total: () => duration(row.durationMs ?? now - row.receivedAt),
    in: () => counted(row.inputTokens !== null, totalInput(row)),
    out: () => counted(row.outputTokens !== null, row.outputTokens ?? 0),
    client: () => shortClient(safe(row.client === "" ? "-" : row.client, glyphs), width),
  };
  return texts[column]();
};
