// Signals that end a proxy: the first one drains, a second one does not wait, a closed terminal counts as a hang-up.
import type { EventEmitter } from "node:events";
import type { App } from "../app/app.ts";
import type { CliContext } from "./context.ts";

/** The exit codes that a shell expects (128 + number of the signal). */
export const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type EndingSignal = keyof typeof exitCodes;

export type Signals = {
  /** The first signal that came, null while there was none. */
  ended(): EndingSignal | null;
  dispose(): void;
};

/** From now on signals stop this proxy; `terminalInput` as in `SignalDeps`. */
export const stopOnSignals = (context: CliContext, app: App, terminalInput: EventEmitter | null): Signals =>
  watchSignals({
    process: context.signals,
    terminalInput,
    stop: (reason) => app.commands.stop(reason),
    after: (callback, ms) => void context.clock.setTimeout(callback, ms),
    exit: context.exit,
  });

export type SignalDeps = {
  /** `process`, or an emitter in a test. */
  readonly process: EventEmitter;
  /** Standard input when its end means that the terminal has gone, else null. */
  readonly terminalInput: EventEmitter | null;
  /** Drains and stops; a second call stops at once. */
  readonly stop: (reason: string) => Promise<void>;
  /** Runs `callback` once after `ms`. */
  readonly after: (callback: () => void, ms: number) => void;
  /** Ends the process at once: the third signal means that stopping itself hangs. */
  readonly exit: (code: number) => void;
};

/**
 * The drain after a hang-up is cut after this, because no person waits for a closed window. Repeated hang-ups mean
 * nothing: the kernel, the shell and the terminal each send one.
 */
const hangUpDrainMs = 2000;

/** Starts listening, alone. The caller ends the process when everything has stopped, with `exitCodes[ended()]`. */
export const watchSignals = ({ process, terminalInput, stop, after, exit }: SignalDeps): Signals => {
  let first: EndingSignal | null = null;
  let asked = 0;
  const askToStop = (reason: string): void => void stop(reason).catch(() => {});
  const end = (signal: EndingSignal): void => {
    asked += signal === "SIGHUP" ? 0 : 1;
    if (first === null || (signal !== "SIGHUP" && asked <= 2)) askToStop(signal);
    else if (asked > 2) exit(exitCodes[first]);
    if (first === null && signal === "SIGHUP") after(() => askToStop(signal), hangUpDrainMs);
    first ??= signal;
  };
  const listeners: readonly SignalListener[] = [
    ["SIGINT", () => end("SIGINT")],
    ["SIGTERM", () => end("SIGTERM")],
    ["SIGHUP", () => end("SIGHUP")],
  ];
  const terminalGone = (): void => {
    if (first === null) end("SIGHUP");
  };
  takeOver(process, listeners);
  terminalInput?.on("end", terminalGone).on("close", terminalGone);
  return {
    ended: () => first,
    dispose() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
      terminalInput?.off("end", terminalGone).off("close", terminalGone);
    },
  };
};

type SignalListener = readonly [signal: NodeJS.Signals, listener: () => void];

/**
 * Listens for these signals in the place of all others. A library below the preferences (when-exit) listens from its
 * import on and raises each signal a second time, which would count as a person's second one. Our listeners are added
 * before the others are removed: without any for a moment, a signal just caught would be dropped.
 */
export const takeOver = (process: EventEmitter, listeners: readonly SignalListener[]): void => {
  for (const [signal, listener] of listeners) {
    const others = process.listeners(signal) as (() => void)[];
    process.on(signal, listener);
    for (const other of others) process.off(signal, other);
  }
};
