// The last resort: something threw where nobody catches. The terminal comes first, then the sentence.
import type { EventEmitter } from "node:events";
import { describeFailure } from "./errors.ts";

export type CrashDeps = {
  readonly process: EventEmitter;
  /** Gives the terminal back; may throw, may be called twice. */
  readonly restoreTerminal: () => void;
  readonly write: (text: string) => void;
  readonly exit: (code: number) => void;
  readonly debug: boolean;
};

/** Codes of a reader or terminal that has gone: no reason to end a proxy that still serves. */
const harmless = new Set(["EPIPE", "EIO", "ERR_STREAM_DESTROYED"]);

/** Listens for uncaught exceptions and unhandled rejections: restored terminal, redacted sentence, exit 1. */
export const watchCrashes = ({ process, restoreTerminal, write, exit, debug }: CrashDeps): void => {
  const onCrash = (error: unknown): void => {
    if (isGoneOutput(error)) return;
    try {
      restoreTerminal();
    } finally {
      write(describeFailure(error, debug).text);
      exit(1);
    }
  };
  process.on("uncaughtException", onCrash);
  process.on("unhandledRejection", onCrash);
};

const isGoneOutput = (error: unknown): boolean => {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && harmless.has(code) && (syscall === undefined || syscall === "write" || syscall === "read");
};

/** On the primary screen: bracketed paste off, colours off, cursor shown. */
export const primarySequence = "\u001b[?2004l\u001b[0m\u001b[?25h";

/** The same after leaving the alternate screen; only while that is on, because it also moves the cursor. */
export const restoreSequence = `\u001b[?1049l${primarySequence}`;
