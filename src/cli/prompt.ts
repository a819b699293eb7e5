// One line from standard input: typed without an echo on a terminal, piped otherwise. What was read is treated as a
// secret, and it never comes from argv.
import { StringDecoder } from "node:string_decoder";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { CliContext, Input, Output } from "./context.ts";

/** Longest line that is read, in characters; a key or code is far below. */
const longest = 65_536;

export type Question = {
  readonly stdin: Input;
  /** Where the question goes; never standard output. */
  readonly write: (text: string) => void;
  readonly question: string;
  /** Stops asking; the answer is then null. */
  readonly signal?: AbortSignal;
};

/**
 * The line without its end and without surrounding blanks, null when the input ended before one
 * (or `signal` fired, or Ctrl+C or Ctrl+D was pressed). On a terminal nothing of it is shown.
 */
export const askLine = async ({ stdin, write, question, signal }: Question): Promise<Secret | null> => {
  const isTerminal = stdin.isTTY === true;
  if (isTerminal) {
    // Before the question: an answer typed at once must not be echoed either.
    stdin.setRawMode?.(true);
    write(question);
  }
  try {
    const line = await readLine(stdin, isTerminal, signal);
    return line === null || line.trim() === "" ? null : secret(line.trim());
  } finally {
    if (isTerminal) {
      stdin.setRawMode?.(false);
      write("\n");
    }
    stdin.pause();
  }
};

/** Asks for the passphrase of a sealed store: on a terminal only, so that a script never hangs, and once, although a command may open the store twice. */
export const createPassphrasePrompt = ({ stdin, stderr }: { readonly stdin: Input; readonly stderr: Output }): CliContext["askPassphrase"] => {
  let answer: Promise<Secret | null> | null = null;
  return () => {
    if (stdin.isTTY !== true) return Promise.resolve(null);
    answer ??= askLine({ stdin, write: (text) => void stderr.write(text), question: "Passphrase of the account store: " });
    return answer;
  };
};

type Reading = { characters: string[]; done: boolean; cancelled: boolean };

const readLine = (stdin: Input, isTerminal: boolean, signal: AbortSignal | undefined): Promise<string | null> =>
  new Promise((resolve) => {
    const decoder = new StringDecoder("utf8");
    const reading: Reading = { characters: [], done: false, cancelled: false };
    const finish = (line: string | null): void => {
      stdin.off("data", onData);
      stdin.off("end", onEnd);
      stdin.off("error", onEnd);
      signal?.removeEventListener("abort", onAbort);
      resolve(line);
    };
    const onData = (chunk: Buffer | string): void => {
      const text = typeof chunk === "string" ? chunk : decoder.write(chunk);
      for (const character of text) take(reading, character, isTerminal);
      if (reading.cancelled) finish(null);
      else if (reading.done) finish(reading.characters.join(""));
    };
    const onEnd = (): void => finish(reading.characters.length === 0 ? null : reading.characters.join(""));
    const onAbort = (): void => finish(null);
    if (signal?.aborted === true) {
      resolve(null);
      return;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    stdin.on("data", onData).on("end", onEnd).on("error", onEnd);
    stdin.resume();
  });

const take = (reading: Reading, character: string, isTerminal: boolean): void => {
  if (reading.done || reading.cancelled) return;
  const edit = isTerminal ? edits[character] : undefined;
  if (character === "\n" || character === "\r") endLine(reading, isTerminal);
  else if (edit !== undefined) edit(reading);
  else if (reading.characters.length < longest) reading.characters.push(character);
};

// On a terminal an empty line is no answer. Its blanks go with it: looked at again at each further line, a paste of
// blank lines would take seconds.
const endLine = (reading: Reading, isTerminal: boolean): void => {
  reading.done = !isTerminal || reading.characters.some((character) => character.trim() !== "");
  if (!reading.done) reading.characters = [];
};

// Raw mode: the terminal no longer edits the line, so the few keys of editing are ours.
const cancel = (reading: Reading): void => void (reading.cancelled = true);
const eraseOne = (reading: Reading): void => void reading.characters.pop();
const eraseAll = (reading: Reading): void => void (reading.characters = []);

const edits: Readonly<Record<string, (reading: Reading) => void>> = {
  "\u0003": cancel,
  "\u0004": cancel,
  "\u0008": eraseOne,
  "\u007f": eraseOne,
  "\u0015": eraseAll,
};
