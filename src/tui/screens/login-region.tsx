// The live part of the sign-in: at most six rows, never as wide as the terminal. A row that fills the
// width is wrapped when the window gets narrower, and Ink then leaves half of it behind (measured).
import { Box, Text, useInput, usePaste, useWindowSize } from "ink";
import { useSyncExternalStore } from "react";
import { cut, safe, widthOf, wrap } from "../text.ts";
import { glyphsFor, looks } from "../theme.ts";
import type { Tone } from "../theme.ts";
import type { LoginForm } from "./login-form.ts";
import type { KeyHint, LoginView } from "./login-state.ts";

export type RegionSize = { readonly columns: number; readonly rows: number; readonly ascii: boolean };

type Row = { readonly text: string; readonly tone: Tone };

const mostRows = 6;
const mostColumns = 78;
/** From here on everything stands in one row. */
const wide = 70;

export const LoginRegion = ({ form, ascii }: { readonly form: LoginForm; readonly ascii: boolean }) => {
  const view = useSyncExternalStore(form.subscribe, form.snapshot);
  const size = useWindowSize();
  useInput(form.input);
  usePaste(form.paste);
  return (
    <Box flexDirection="column">
      {regionRows(view, { ...size, ascii }).map(({ text, tone }, index) => (
        <Text key={index} wrap="truncate" {...looks[tone]}>
          {text}
        </Text>
      ))}
    </Box>
  );
};

/** The rows from top to bottom; when there are fewer, the rule goes first, then keys, then the sentence. */
export const regionRows = (view: LoginView, { columns, rows, ascii }: RegionSize): readonly Row[] => {
  const width = Math.max(8, Math.min(columns - 2, mostColumns));
  const field: Row = { text: ` Paste code > ${view.field}_`, tone: "plain" };
  const line = view.line === null ? [] : lineRows(view.line, { width, ascii });
  const keys = keyRows(view, width);
  const room = Math.max(1, Math.min(mostRows, rows - 1));
  const kept = [field, ...line.slice(0, Math.max(1, room - 1 - keys.length)), ...keys].slice(0, room);
  const drawn = kept.length < room && width >= wide ? [{ text: "-".repeat(width), tone: "dim" } as const, ...kept] : kept;
  return drawn.map(({ text, tone }) => ({ text: cut(text, width, glyphsFor(ascii)), tone }));
};

const marks = { busy: "~ ", info: "", error: "x " } as const;
const tones = { busy: "accent", info: "plain", error: "error" } as const;

const lineRows = ({ tone, text }: NonNullable<LoginView["line"]>, { width, ascii }: { width: number; ascii: boolean }): readonly Row[] =>
  wrap(`${marks[tone]}${safe(text, { ascii })}`, width - 1).map((row) => ({ text: ` ${row}`, tone: tones[tone] }));

const keyRows = ({ keys, left }: LoginView, width: number): readonly Row[] => {
  const long = keys.map((hint) => `${hint.key} ${hint.does}`).join("  ");
  if (widthOf(long) + left.length + 3 <= width) return [spread(long, left, width)];
  const [first, second] = halves(keys);
  return [...(first === "" ? [] : [{ text: ` ${first}`, tone: "dim" } as const]), spread(second, left, width)];
};

// The ways out stay beside the time that is left.
const halves = (keys: readonly KeyHint[]): readonly [string, string] => [
  words(keys.filter((hint) => !isWayOut(hint))),
  words(keys.filter(isWayOut)),
];

const words = (keys: readonly KeyHint[]): string => keys.map(({ key, does, short }) => `${key} ${short ?? does}`).join("  ");

const isWayOut = ({ key }: KeyHint): boolean => key === "Esc" || key === "Ctrl+C";

const spread = (text: string, left: string, width: number): Row => ({
  text: ` ${text}${" ".repeat(Math.max(2, width - 1 - widthOf(text) - left.length))}${left}`.trimEnd(),
  tone: "dim",
});
