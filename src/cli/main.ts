// The entry of the binary: the process becomes a `CliContext`, the arguments a command, its outcome an exit
// code. Only this file and `parts.ts` know the real process.
import { homedir } from "node:os";
import { createSystemClock } from "../lib/clock.ts";
import { createPassphraseAsker } from "./ask-passphrase.ts";
import { runCommandLine } from "./command-line.ts";
import { watchCrashes } from "./crash.ts";
import { describeFailure, wantsStack } from "./errors.ts";
import { parts } from "./parts.ts";
import { privateVariables } from "./private-variables.ts";
import { readVersion } from "./version.ts";
import type { CliContext } from "./context.ts";
import { boundYoungGeneration } from "./young-generation.ts";

/** Runs the command line `args` (without node and script) and ends the process with its exit code. */
export const main = async (args: readonly string[]): Promise<void> => {
  // Every timer of ours is unref'd: something has to keep the process until the command is done.
  const awake = setInterval(() => {}, 2 ** 30);
  forgetReaders();
  boundYoungGeneration();
  let restore: (() => void) | null = null;
  watchCrashes({
    process,
    restoreTerminal: () => giveTerminalBack(restore),
    write: (text) => void process.stderr.write(text),
    exit: exitFlushed,
    debug: wantsStack(args, process.env),
  });
  keepDebuggerOff();
  keepWarningsOff(wantsStack(args, process.env));
  const context = worldOf(await readVersion(), takeEnvironment(), (next) => {
    restore = next;
  });
  const code = await runCommandLine(context, args);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  clearInterval(awake);
  process.exit(code);
};

// Programs that are started on the way (browser, clipboard, tmux) inherit `process.env`: what unlocks the
// store and the outbound proxy is none of their business, so from here on only the copy holds it.
const takeEnvironment = (): CliContext["environment"] => {
  const environment = { ...process.env };
  for (const name of privateVariables) delete process.env[name];
  return environment;
};

const worldOf = (version: string, environment: CliContext["environment"], atCrash: CliContext["atCrash"]): CliContext => ({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment,
  platform: process.platform,
  home: homedir(),
  cwd: process.cwd(),
  version,
  launch: [process.execPath, process.argv[1] ?? ""],
  clock: createSystemClock(),
  fetch: globalThis.fetch,
  signals: process,
  exit: (code) => process.exit(code),
  atCrash,
  askPassphrase: createPassphraseAsker(process),
  parts,
});

// A reader or terminal that has gone is no reason to stop serving; without a listener Node would throw.
const forgetReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
};

// Without a listener Node answers SIGUSR1 by opening its debugger on a port, to every user of this machine.
const keepDebuggerOff = (): void => void process.on("SIGUSR1", () => {});

// Node writes its warnings to standard error, into the middle of whatever is drawn there.
const keepWarningsOff = (debug: boolean): void => {
  process.removeAllListeners("warning");
  if (debug) process.on("warning", (warning) => void process.stderr.write(describeFailure(warning, true).text));
};

const giveTerminalBack = (restore: (() => void) | null): void => {
  restore?.();
  if (process.stdin.isTTY && process.stdin.isRaw) process.stdin.setRawMode(false);
};

// A crash ends the process at once, unless a slow terminal would then miss that it was given back.
const exitFlushed = (code: number): void => {
  const outputs = [process.stdout, process.stderr];
  if (outputs.every(({ writableLength }) => writableLength === 0)) process.exit(code);
  void Promise.all(outputs.map(flushed)).then(() => process.exit(code));
};

const longestFlushMs = 2000;

// `process.exit` would cut what a pipe has not taken yet; a reader that has stopped reading is not waited for long.
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) {
      resolve();
      return;
    }
    setTimeout(resolve, longestFlushMs);
    stream.write("", () => resolve());
  });
