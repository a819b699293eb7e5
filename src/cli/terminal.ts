// The terminal under a command: whether it can be drawn on, how it is written to without waiting, and the sequences
// that give it back.
import { readTerminal } from "../tui/edges/terminal.ts";
import type { CliContext, ParsedArgs, Screen } from "./context.ts";

/** The screen to draw on, null where lines are right (also for `--headless` and its alias `--plain`). */
export const screenOf = ({ stdin, stdout, environment, platform }: CliContext, { options, global }: ParsedArgs): Screen | null => {
  const facts = readTerminal({
    stdinIsTty: stdin.isTTY === true,
    stdoutIsTty: stdout.isTTY === true,
    env: environment,
    platform,
    headless: options["headless"] === true || options["plain"] === true,
    ascii: global.ascii,
  });
  return facts.plainBecause === null ? { stdin, stdout, ascii: !facts.utf8 } : null;
};

/** For the primary screen: bracketed paste off, colours off, cursor shown. */
export const primarySequence = "\u001b[?2004l\u001b[0m\u001b[?25h";

/** The same after leaving the alternate screen; only while that is on, because it also moves the cursor. */
export const restoreSequence = `\u001b[?1049l${primarySequence}`;

type Handle = { setBlocking?(blocking: boolean): unknown };

/** The part of `process.stdout` and `process.stderr` that is used. */
export type BlockingOutput = { readonly isTTY?: boolean; readonly writableLength: number };

/**
 * Writes to terminals without waiting for them; does nothing to other outputs. A terminal can stop reading (a line that
 * hangs, Ctrl+S, a pane whose window sleeps), and Node writes to terminals synchronously, so the whole proxy would stop
 * with it (measured: no request was answered until the reader went on). What the terminal does not take then waits in
 * the stream, as it does for pipes: see `writableNeedDrain` and `writableLength`. Returns the way back, for the very
 * end, because other programs may share the descriptor.
 */
export const unblock = (outputs: readonly BlockingOutput[]): (() => void) => {
  const terminals = outputs.filter(({ isTTY }) => isTTY === true);
  for (const terminal of terminals) setBlocking(terminal, false);
  return () => {
    // Libraries write to either once more while the process ends, and would wait for a terminal that takes nothing.
    if (terminals.some(({ writableLength }) => writableLength > 0)) return;
    for (const terminal of terminals) setBlocking(terminal, true);
  };
};

// Node offers no public way: `tty.WriteStream` makes its handle blocking in the constructor.
const setBlocking = (terminal: BlockingOutput, blocking: boolean): void => {
  const { _handle: handle } = terminal as { _handle?: Handle | null };
  handle?.setBlocking?.(blocking);
};
