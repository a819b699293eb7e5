// One component drawn by ink-testing-library, in a terminal of any size: what it shows, and the keys it gets.
import { stripVTControlCharacters } from "node:util";
import { render } from "ink-testing-library";
import type { ReactElement } from "react";
import { onTestFinished } from "vitest";
import { eventually } from "../helpers/eventually.ts";

export type Drawn = {
  /** The last frame, without colours. */
  text(): string;
  /** Every frame and everything else that was written, as it was. */
  written(): string;
  press(keys: string): void;
  /** Pastes as a terminal with bracketed paste does. */
  paste(text: string): void;
  resize(columns: number, rows: number): void;
  waitFor(wanted: string | RegExp): Promise<string>;
};

export type Size = { readonly columns: number; readonly rows: number };

/** Draws `element`, which is taken down with the test. `size` is for one that asks for it; null for one that is told otherwise. */
export const draw = async (element: ReactElement, size: Size | null): Promise<Drawn> => {
  const screen = render(element);
  onTestFinished(() => {
    screen.unmount();
    screen.cleanup();
  });
  const text = (): string => stripVTControlCharacters(screen.frames.findLast((frame) => stripVTControlCharacters(frame).trim() !== "") ?? "");
  const resize = (newColumns: number, newRows: number): void => {
    Object.defineProperties(screen.stdout, { columns: { value: newColumns, configurable: true }, rows: { value: newRows, configurable: true } });
    screen.stdout.emit("resize");
  };
  const before = screen.frames.length;
  if (size !== null) {
    resize(size.columns, size.rows);
    await eventually(() => screen.frames.length, (count) => count > before, { what: "a frame of that size" });
  }
  // The hooks for keys are there after the first effects.
  await eventually(() => screen.stdin.listenerCount("readable"), (count) => count > 0, { what: "the keys" });
  return {
    text,
    written: () => screen.frames.join(""),
    press: (keys) => screen.stdin.write(keys),
    paste: (pasted) => screen.stdin.write(`\u001b[200~${pasted}\u001b[201~`),
    resize,
    waitFor: (wanted) => eventually(text, (seen) => (typeof wanted === "string" ? seen.includes(wanted) : wanted.test(seen)), { what: String(wanted) }),
  };
};
