// The one place where a failure becomes words and an exit code. Never a stack unless debugging, never a secret.
import { visibleText } from "../lib/visible-text.ts";
import { createRedact } from "../lib/redact.ts";
import { AppError, meaningOf } from "../messages/errors.ts";
import type { Environment } from "./context.ts";

/** What stderr gets, ending with a line feed, and the exit code. */
export type Failure = { readonly text: string; readonly exitCode: number };

/** `error` in one clear sentence with a hint; with `debug` its stack and the causes' too. */
export const describeFailure = (error: unknown, debug: boolean): Failure => {
  const lines = error instanceof AppError ? known(error) : unknown(error);
  const all = debug ? [...lines, ...stackOf(error)] : lines;
  const redact = createRedact();
  const text = all.flatMap((line) => line.split("\n")).map((line) => visibleText(redact(line), 2000));
  return { text: `${text.join("\n")}\n`, exitCode: error instanceof AppError ? meaningOf(error.code).exit : 1 };
};

/** Asked before the settings are read, because reading them may be what failed. */
export const wantsStack = (args: readonly string[], environment: Environment): boolean =>
  environment["CLAUDE_OAUTH_PROXY_LOG__LEVEL"] === "debug" ||
  args.some((arg, index) => arg === "--log-level=debug" || (arg === "--log-level" && args[index + 1] === "debug") || arg.endsWith("log.level=debug"));

const known = ({ message, hint }: AppError): string[] => [`claude-oauth-proxy: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])];

const unknown = (error: unknown): string[] => [
  `claude-oauth-proxy: this should not have happened: ${error instanceof Error ? error.message : String(error)}`,
  "  Run it again with --log-level debug to see where, and please report it.",
];

const stackOf = (error: unknown): string[] => {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? error.message, ...(error.cause === undefined ? [] : ["caused by:", ...stackOf(error.cause)])];
};
