// A terminal can stop reading: a line that hangs, Ctrl+S, a pane whose window sleeps. Node writes to
// terminals synchronously, so the whole proxy would stand still with it (measured: no request was answered
// until the reader went on). Must be undone at the end: others may share the descriptor.

type Handle = { setBlocking?(blocking: boolean): unknown };

/** The part of `process.stdout` and `process.stderr` that is used. */
export type Unblocked = { readonly isTTY?: boolean; readonly writableLength: number };

/**
 * Lets what a terminal does not take wait in the stream, as it does for pipes; `writableNeedDrain` and
 * `writableLength` tell the rest. Returns the way back, for the very end. Does nothing to what is no terminal.
 */
export const unblock = (outputs: readonly Unblocked[]): (() => void) => {
  const terminals = outputs.filter(({ isTTY }) => isTTY === true);
  for (const terminal of terminals) setBlocking(terminal, false);
  return () => {
    // Libraries write to either once more while the process ends, and would wait for a terminal that takes nothing.
    if (terminals.some(({ writableLength }) => writableLength > 0)) return;
    for (const terminal of terminals) setBlocking(terminal, true);
  };
};

// Node offers no public way: `tty.WriteStream` makes its handle blocking in the constructor.
const setBlocking = (terminal: Unblocked, blocking: boolean): void => {
  const { _handle: handle } = terminal as { _handle?: Handle | null };
  handle?.setBlocking?.(blocking);
};
