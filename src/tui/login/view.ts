// What is drawn of the sign-in form: at most six rows, never as wide as the terminal. A row that fills the width is
// wrapped when the window gets narrower, and Ink then leaves half of it behind (measured). Pure; the pasted text is
// a secret, and only its mask gets in here.
import { identityQuestion } from "../../messages/identity.ts";
import { fit, safe, widthOf, wrap } from "../text.ts";
import { alertLine, alertSigns, glyphsFor, indented, lineOf, segment } from "../theme.ts";
import type { Line } from "../theme.ts";
import type { FormState } from "./form.ts";
import { keysOf } from "./keys.ts";
import type { LoginKey } from "./keys.ts";
import { maskPaste } from "./text.ts";

export type LoginView = {
  readonly field: string;
  /** In the place of the field: what a person has to answer with y or n; `ready` is false for a moment. */
  readonly question: { readonly text: string; readonly ready: boolean } | null;
  readonly line: { readonly tone: "busy" | "info" | "error"; readonly text: string } | null;
  /** The row of keys. */
  readonly keys: readonly KeyHint[];
  /** The time that is left. */
  readonly left: string;
};

export type KeyHint = Pick<LoginKey, "key" | "does" | "short">;

export type LoginNow = { readonly states: readonly string[]; readonly leftMs: number; readonly monotonic: number };

export const loginView = (state: FormState, { states, leftMs, monotonic }: LoginNow): LoginView => ({
  field: state.text === null ? "" : maskPaste(state.text.reveal(), states),
  question: state.phase === "asking" && state.question !== null ? { text: identityQuestion(state.question), ready: state.ready } : null,
  line: sentence(state, monotonic),
  keys: keysOf(state).filter(({ does }) => does !== "").map(({ key, does, short }) => ({ key, does, ...(short === undefined ? {} : { short }) })),
  left: state.phase === "over" ? "" : `${clockFace(leftMs)} left`,
});

const sentence = ({ phase, note, since }: FormState, monotonic: number): LoginView["line"] => {
  if (phase !== "exchanging") return note;
  const seconds = Math.floor((monotonic - (since ?? monotonic)) / 1000);
  const before = note === null ? "" : `${note.text} `;
  return { tone: "busy", text: `${before}Exchanging the code ... ${seconds}s` };
};

const clockFace = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

export type RegionSize = { readonly columns: number; readonly rows: number; readonly ascii: boolean };

const mostRows = 6;
const mostColumns = 78;
/** From here on the keys take one row. */
const wide = 70;

/** The rows from top to bottom; when there are fewer, the rule goes first, then keys, then the sentence. */
export const regionLines = (view: LoginView, { columns, rows, ascii }: RegionSize): readonly Line[] => {
  const width = Math.max(8, Math.min(columns - 2, mostColumns));
  const field = view.question === null ? [lineOf(segment(` Paste code > ${safe(view.field, { ascii })}_`))] : wrap(safe(view.question.text, { ascii }), width - 1).map((row) => lineOf(segment(` ${row}`, "accent")));
  const said = view.line === null ? [] : sentenceLines(view.line, { width, ascii });
  const keys = keyLines(view, width);
  const most = Math.max(1, Math.min(mostRows, rows - 1));
  const kept = [...field, ...said.slice(0, Math.max(1, most - field.length - keys.length)), ...keys].slice(0, most);
  const drawn = kept.length < most && width >= wide ? [lineOf(segment("-".repeat(width), "dim")), ...kept] : kept;
  return drawn.map((line) => fit(line, width, glyphsFor(ascii)));
};

const sentenceLines = ({ tone, text }: NonNullable<LoginView["line"]>, { width, ascii }: { readonly width: number; readonly ascii: boolean }): readonly Line[] => {
  if (tone === "info") return wrap(safe(text, { ascii }), width - 1).map((row) => lineOf(segment(` ${row}`)));
  const sign = `${alertSigns[tone]} `;
  const [first = "", ...more] = wrap(sign + safe(text, { ascii }), width - 1);
  return [indented(alertLine(tone, first.slice(sign.length)), 1), ...more.map((row) => lineOf(segment(` ${row}`, tone === "busy" ? "accent" : "error")))];
};

const keyLines = ({ keys, left }: LoginView, width: number): readonly Line[] => {
  const long = keys.map(({ key, does }) => `${key} ${does}`).join("  ");
  if (widthOf(long) + left.length + 3 <= width) return [bothEdges(long, left, width)];
  // The ways out stay beside the time that is left.
  const first = words(keys.filter((hint) => !isWayOut(hint)));
  return [...(first === "" ? [] : [lineOf(segment(` ${first}`, "dim"))]), bothEdges(words(keys.filter(isWayOut)), left, width)];
};

const words = (keys: readonly KeyHint[]): string => keys.map(({ key, does, short }) => `${key} ${short ?? does}`).join("  ");

const isWayOut = ({ key }: KeyHint): boolean => key === "Esc" || key === "Ctrl+C";

const bothEdges = (text: string, left: string, width: number): Line =>
  lineOf(segment(` ${text}${" ".repeat(Math.max(2, width - 1 - widthOf(text) - left.length))}${left}`.trimEnd(), "dim"));
