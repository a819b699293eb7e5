// What ends the program from outside, and what never may: signals drain first, a second one does not
// wait, a closed terminal counts as a hang-up, a crash leaves the terminal as it was found.
import type { EventEmitter } from "node:events";

/** The exit codes that a shell expects (128 + number of the signal). */
export const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type Ending = keyof typeof exitCodes;

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

export type Signals = {
  /** The first signal that came, null while there was none. */
  ended(): Ending | null;
  dispose(): void;
};

/**
 * A closed window is waited for by nobody: its drain is cut after this. Repeated hang-ups mean nothing:
 * the kernel, the shell and the terminal each send one.
 */
const hangUpDrainMs = 2000;

type SignalListener = readonly [signal: NodeJS.Signals, listener: () => void];

/**
 * Listens for these signals in the place of whoever did. A library below the preferences (when-exit) does
 * from its import on, and raises each signal a second time, which would count as a person's second wish.
 * Ours come before theirs go: without any listener for a moment, a signal just caught would be dropped.
 */
export const takeOver = (process: EventEmitter, listeners: readonly SignalListener[]): void => {
  for (const [signal, listener] of listeners) {
    const others = process.listeners(signal) as (() => void)[];
    process.on(signal, listener);
    for (const other of others) process.off(signal, other);
  }
};

/** Starts listening, alone. The caller ends the process when everything has stopped, with `exitCodes[ended()]`. */
export const watchSignals = ({ process, terminalInput, stop, after, exit }: SignalDeps): Signals => {
  let first: Ending | null = null;
  let asked = 0;
  const wishToStop = (reason: string): void => void stop(reason).catch(() => {});
  const end = (signal: Ending): void => {
    asked += signal === "SIGHUP" ? 0 : 1;
    if (first === null || (signal !== "SIGHUP" && asked <= 2)) wishToStop(signal);
    else if (asked > 2) exit(exitCodes[first]);
    if (first === null && signal === "SIGHUP") after(() => wishToStop(signal), hangUpDrainMs);
    first ??= signal;
  };
  const signals: readonly SignalListener[] = [
    ["SIGINT", () => end("SIGINT")],
    ["SIGTERM", () => end("SIGTERM")],
    ["SIGHUP", () => end("SIGHUP")],
  ];
  const gone = (): void => {
    if (first === null) end("SIGHUP");
  };
  takeOver(process, signals);
  terminalInput?.on("end", gone).on("close", gone);
  return {
    ended: () => first,
    dispose() {
      for (const [signal, listener] of signals) process.off(signal, listener);
      terminalInput?.off("end", gone).off("close", gone);
    },
  };
};
