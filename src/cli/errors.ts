// Failures: the one place where an error becomes text and an exit code, and the last resort for those that no code
// catches. Never a stack unless debugging, never a secret.
import type { EventEmitter } from "node:events";
import { createRedact } from "../lib/redact.ts";
import { visibleText } from "../lib/visible-text.ts";
import { AppError, meaningOf } from "../messages/errors.ts";
import type { Environment } from "./context.ts";

/** What standard error gets, ending with a line feed, and the exit code. */
export type Failure = { readonly text: string; readonly exitCode: number };

/** `error` in one clear sentence with a hint; with `debug` its stack and those of its causes too. */
export const describeFailure = (error: unknown, debug: boolean): Failure => {
  const lines = error instanceof AppError ? known(error) : unknown(error);
  const all = debug ? [...lines, ...stackOf(error)] : lines;
  const redact = createRedact();
  const text = all.flatMap((line) => line.split("\n")).map((line) => visibleText(redact(line), 2000));
  return { text: `${text.join("\n")}\n`, exitCode: error instanceof AppError ? meaningOf(error.code).exit : 1 };
};

const known = ({ message, hint }: AppError): string[] => [`claude-oauth-proxy: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])];

const unknown = (error: unknown): string[] => [
  `claude-oauth-proxy: this should not have happened: ${error instanceof Error ? error.message : String(error)}`,
  "  Run it again with --log-level debug to see where, and please report it.",
];

const stackOf = (error: unknown): string[] => {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? error.message, ...(error.cause === undefined ? [] : ["caused by:", ...stackOf(error.cause)])];
};

/** Asked before the settings are read, because reading them may be what failed. */
export const wantsStack = (argv: readonly string[], environment: Environment): boolean =>
  environment["CLAUDE_OAUTH_PROXY_LOG__LEVEL"] === "debug" ||
  argv.some((arg, index) => arg === "--log-level=debug" || (arg === "--log-level" && argv[index + 1] === "debug") || arg.endsWith("log.level=debug"));

export type CrashDeps = {
  readonly process: EventEmitter;
  /** Gives the terminal back; may throw, may be called twice. */
  readonly restoreTerminal: () => void;
  readonly write: (text: string) => void;
  readonly exit: (code: number) => void;
  readonly debug: boolean;
};

/** Listens for uncaught exceptions and unhandled rejections: the terminal is restored, the redacted sentence written, exit code 1. */
export const watchCrashes = ({ process, restoreTerminal, write, exit, debug }: CrashDeps): void => {
  const onCrash = (error: unknown): void => {
    if (isLostOutput(error)) return;
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

// A reader or terminal that has gone does not end a proxy that still serves.
const lostOutputCodes = new Set(["EPIPE", "EIO", "ERR_STREAM_DESTROYED"]);

const isLostOutput = (error: unknown): boolean => {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && lostOutputCodes.has(code) && (syscall === undefined || syscall === "write" || syscall === "read");
};
