// One question with a few keys on the primary screen, before there is a dashboard: the text is written
// raw and stays in the scrollback, one live row waits for the key.
import { render, Text, useInput, useWindowSize } from "ink";
import { cut } from "../text.ts";
import { glyphsFor } from "../theme.ts";
import { erase } from "./login.tsx";
import type { LoginTerminal } from "./login.tsx";

export type ChoiceDeps<T extends string> = LoginTerminal & {
  /** Written once, above the row of keys; ends with a line break. */
  readonly text: string;
  /** Key → answer; letters in lower case. Any other key does nothing. */
  readonly answers: Readonly<Record<string, T>>;
  /** The row of keys, in words. */
  readonly hint: string;
  readonly ascii: boolean;
  readonly signal?: AbortSignal;
};

/** Resolves to the answer, `quit` for q, Esc, Ctrl+C and a terminal that has gone; gives the terminal back first. */
export const askChoice = async <T extends string>(deps: ChoiceDeps<T>): Promise<T | "quit"> => {
  const { stdin, stdout, text, answers, hint, ascii, signal } = deps;
  const { promise, resolve } = Promise.withResolvers<T | "quit">();
  const quit = (): void => resolve("quit");
  if (signal?.aborted === true) return "quit";
  signal?.addEventListener("abort", quit, { once: true });
  stdin.once("end", quit).once("close", quit);
  stdout.write(text);
  const onKey = (key: string): void => {
    const answer = answers[key];
    if (answer !== undefined) resolve(answer);
    else if (quitKeys.includes(key)) quit();
  };
  const options = { stdin, stdout, exitOnCtrlC: false, patchConsole: false, interactive: true, isScreenReaderEnabled: false };
  const screen = render(<KeyRow hint={hint} ascii={ascii} onKey={onKey} />, options);
  try {
    return await Promise.race([promise, screen.waitUntilExit().then(() => "quit" as const)]);
  } finally {
    signal?.removeEventListener("abort", quit);
    stdin.off("end", quit).off("close", quit);
    await erase(screen);
    screen.unmount();
    await screen.waitUntilExit();
  }
};

const quitKeys: readonly string[] = ["q", "Esc", "Ctrl+C"];

type KeyRowProps = { readonly hint: string; readonly ascii: boolean; readonly onKey: (key: string) => void };

const KeyRow = ({ hint, ascii, onKey }: KeyRowProps) => {
  const { columns } = useWindowSize();
  useInput((input, key) => {
    if (key.escape) onKey("Esc");
    else if (key.ctrl) onKey(`Ctrl+${input.toUpperCase()}`);
    else if (!key.meta) onKey(input.toLowerCase());
  });
  return <Text wrap="truncate">{cut(hint, Math.max(4, columns - 2), glyphsFor(ascii))}</Text>;
};
