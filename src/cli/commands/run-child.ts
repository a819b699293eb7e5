// One child process with our own terminal: signals go on to it, its exit code becomes ours.
import { spawn } from "node:child_process";
import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import { visibleText } from "../../lib/visible-text.ts";
import { takeOver } from "../signals.ts";
import type { Environment } from "../context.ts";

export type ChildWish = {
  /** The command and its arguments; never passed through a shell. */
  readonly words: readonly string[];
  readonly environment: Environment;
  /** Where our own signals arrive. */
  readonly signals: EventEmitter;
  /** On a terminal Ctrl+C reaches the child by itself; sending it again would count as a second press. */
  readonly isTerminal: boolean;
  readonly tell: (text: string) => void;
};

/**
 * Resolves to the exit code when the child has ended: its own, 128 + signal, 127 not found, 126 not allowed.
 * The listeners stay: whoever is to hear signals after the child takes them over.
 */
export const runChild = ({ words, environment, signals, isTerminal, tell }: ChildWish): Promise<number> =>
  new Promise((resolve) => {
    const [command = "", ...rest] = words;
    // Before the child exists: it may be seen, and its parent be told to end, before `spawn` has returned.
    forwardSignals(signals, isTerminal, (name) => void child.kill(name));
    const child = spawn(command, rest, { stdio: "inherit", env: { ...environment } });
    child.once("error", (error: NodeJS.ErrnoException) => {
      tell(`claude-oauth-proxy: ${visibleText(command)} could not be started (${error.code ?? "unknown error"}).\n  Check the name and whether it may be executed.\n`);
      resolve(error.code === "EACCES" ? 126 : 127);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });

const forwardSignals = (signals: EventEmitter, isTerminal: boolean, send: (name: NodeJS.Signals) => void): void => {
  const names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  const listeners = names.map((name) => {
    const fromTerminal = isTerminal && (name === "SIGINT" || name === "SIGQUIT");
    return [name, () => void (fromTerminal || send(name))] as const;
  });
  takeOver(signals, listeners);
};
