// The entry of the binary: the process becomes a `CliContext`, the command line a command, its outcome the exit code.
import inspector from "node:inspector";
import { homedir } from "node:os";
import { readVersion } from "../app/version.ts";
import { privateVariables } from "../config/text.ts";
import { createSystemClock } from "../lib/clock.ts";
import type { CliContext, Parts } from "./context.ts";
import { describeFailure, wantsStack, watchCrashes } from "./errors.ts";
import { chooseCommand } from "./parse-args.ts";
import { createPassphrasePrompt } from "./prompt.ts";
import { boundYoungGeneration } from "./young-generation.ts";

/** Runs the command line `argv` (without node and script) and ends the process with its exit code. */
export const main = async (argv: readonly string[]): Promise<void> => {
  // All our timers are unref'd: this one keeps the process until the command is done.
  const awake = setInterval(() => {}, 2 ** 30);
  const debug = wantsStack(argv, process.env);
  ignoreLostOutputs();
  boundYoungGeneration();
  let restore: (() => void) | null = null;
  watchCrashes({
    process,
    restoreTerminal: () => restoreTerminal(restore),
    write: (text) => void process.stderr.write(text),
    exit: exitFlushed,
    debug,
  });
  keepDebuggerOff();
  keepWarningsOff(debug);
  const context = contextOf(await readVersion(), takeEnvironment(), (next) => {
    restore = next;
  });
  const code = await runCommandLine(context, argv);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  clearInterval(awake);
  process.exit(code);
};

/** One command line to its exit code: here commands run, and their failures are written to standard error. */
export const runCommandLine = async (context: CliContext, argv: readonly string[]): Promise<number> => {
  try {
    const chosen = chooseCommand(argv, context.version, (text) => void context.stdout.write(text));
    if (chosen === null) return 0;
    const command = await chosen.load();
    return await command(context, chosen.args);
  } catch (error) {
    const { text, exitCode } = describeFailure(error, wantsStack(argv, context.environment));
    context.stderr.write(text);
    return exitCode;
  }
};

// Programs that are started on the way (browser, clipboard, tmux) inherit `process.env`, and must not get what
// unlocks the store or the outbound proxy: from here on only the copy holds it.
const takeEnvironment = (): CliContext["environment"] => {
  const environment = { ...process.env };
  for (const name of privateVariables) delete process.env[name];
  return environment;
};

const contextOf = (version: string, environment: CliContext["environment"], atCrash: CliContext["atCrash"]): CliContext => ({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment,
  platform: process.platform,
  uid: process.geteuid?.() ?? null,
  debuggerAt: debuggerAddress(),
  home: homedir(),
  cwd: process.cwd(),
  version,
  launch: [process.execPath, process.argv[1] ?? ""],
  clock: createSystemClock(),
  fetch: globalThis.fetch,
  async connect(url, timeoutMs) {
    const { connectTo } = await import("./connection.ts");
    return connectTo(url, timeoutMs);
  },
  signals: process,
  exit: (code) => process.exit(code),
  atCrash,
  askPassphrase: createPassphrasePrompt(process),
  parts,
});

// Open by `--inspect` (also in NODE_OPTIONS), or by a program that was loaded before this one. Its path is left out: with
// it a reader of the log could connect.
const debuggerAddress = (): string | null => {
  const url = inspector.url();
  return url === undefined ? null : new URL(url).host;
};

// Each part is loaded when it is first needed: `print-key` and `status` of a proxy that runs pay neither for undici nor for Ink.
const parts: Parts = {
  async createApp(options) {
    const { createApp } = await import("../app/create-app.ts");
    return createApp({ ...options, process });
  },
  async openKey(options) {
    const { openKey } = await import("../app/open-key.ts");
    return openKey({ ...options, process });
  },
  async openStore(options) {
    const { openStore } = await import("../app/open-store.ts");
    return openStore({ ...options, process });
  },
  async loadScreens(context) {
    const { createScreens } = await import("./screens.ts");
    return createScreens(context);
  },
};

// A reader or terminal that has gone is no reason to stop serving; without a listener Node would throw.
const ignoreLostOutputs = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
};

// Without a listener Node answers SIGUSR1 by opening its debugger on a port, to every user of this machine.
const keepDebuggerOff = (): void => void process.on("SIGUSR1", () => {});

// Node writes its warnings to standard error, into the middle of what is drawn there.
const keepWarningsOff = (debug: boolean): void => {
  process.removeAllListeners("warning");
  if (debug) process.on("warning", (warning) => void process.stderr.write(describeFailure(warning, true).text));
};

const restoreTerminal = (restore: (() => void) | null): void => {
  restore?.();
  if (process.stdin.isTTY && process.stdin.isRaw) process.stdin.setRawMode(false);
};

// A crash ends the process at once, unless a slow terminal would then not get the restoring sequence.
const exitFlushed = (code: number): void => {
  const outputs = [process.stdout, process.stderr];
  if (outputs.every(({ writableLength }) => writableLength === 0)) process.exit(code);
  void Promise.all(outputs.map(flushed)).then(() => process.exit(code));
};

const longestFlushMs = 2000;

// `process.exit` would cut what a pipe has not taken yet; for a reader that has stopped reading it does not wait long.
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) {
      resolve();
      return;
    }
    setTimeout(resolve, longestFlushMs);
    stream.write("", () => resolve());
  });
