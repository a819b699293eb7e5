// The built command line in a process of its own: clean environment, home in a temporary folder, output
// collected, everything waited for with a deadline, nothing left behind.
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Event, EventType } from "../../src/messages/events.ts";
import { eventually } from "./eventually.ts";
import type { Patience } from "./eventually.ts";
import { compiledCode } from "./global-setup.ts";
import { killGroup, releaseLater, temporaryFolder } from "./leftovers.ts";

const root = resolve(import.meta.dirname, "../..");
/** The launcher that npm installs; it runs what `npm run build` made. */
export const launcher = join(root, "bin/claude-oauth-proxy.js");

export type Environment = Readonly<Record<string, string>>;

/**
 * Nothing of the machine's own environment but PATH: home and XDG folders below `home`, UTC and a plain UTF-8 locale
 * (or those that the test project names), no CI, browser, proxy, SSH or tmux; compiled code goes to the test run's place.
 */
export const cleanEnvironment = (home: string, more: Environment = {}): Record<string, string> => ({
  PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
  HOME: home,
  XDG_CONFIG_HOME: join(home, ".config"),
  XDG_DATA_HOME: join(home, ".local/share"),
  XDG_STATE_HOME: join(home, ".local/state"),
  XDG_CACHE_HOME: join(home, ".cache"),
  XDG_RUNTIME_DIR: home,
  TMPDIR: home,
  TZ: process.env["TEST_TZ"] ?? "UTC",
  LANG: process.env["TEST_LANG"] ?? "C.UTF-8",
  TERM: "xterm-256color",
  BROWSER: "none",
  ...compiledCode(),
  ...more,
});

export type ProgramOptions = {
  readonly args?: readonly string[];
  readonly env?: Environment;
  /** Home of the process; a fresh temporary folder unless given (to start again on the same data). */
  readonly home?: string;
  /** Another program than the launcher, such as a fixture; run by this Node. */
  readonly script?: string;
  /** Options of Node itself, before the script. */
  readonly nodeArgs?: readonly string[];
};

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Program = {
  readonly child: ChildProcessWithoutNullStreams;
  readonly pid: number;
  readonly home: string;
  /** Resolves when the process has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  /** The first line of either stream that fits. */
  waitForLine(wanted: string | RegExp, patience?: Patience): Promise<string>;
  /** The first JSON record of that type on either stream (`--log-format json`); `fits` narrows it. */
  waitForEvent<T extends EventType>(type: T, fits?: (event: Extract<Event, { type: T }>) => boolean, patience?: Patience): Promise<Extract<Event, { type: T }>>;
  /** `exited`, with a deadline that prints what the process said. */
  waitForExit(patience?: Patience): Promise<Exit>;
  write(text: string): void;
  /** Ends standard input. */
  endInput(): void;
  kill(signal?: NodeJS.Signals): void;
  /** Kills the process and what it started, and waits for its end. */
  stop(): Promise<void>;
};

/** Starts the launcher (or `script`) with pipes for all three streams, in a process group of its own. */
export const startProgram = ({ args = [], env = {}, home = temporaryFolder(), script = launcher, nodeArgs = [] }: ProgramOptions = {}): Program => {
  mkdirSync(home, { recursive: true });
  const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
    cwd: home,
    env: cleanEnvironment(home, env),
    stdio: "pipe",
    detached: true,
  });
  const pid = child.pid ?? fail("the program could not be started");
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (said.stderr += text));
  child.stdin.on("error", () => {});
  const exited = new Promise<Exit>((done) => void child.once("close", (code, signal) => done({ code, signal })));
  const release = releaseLater(() => killGroup(pid));
  return {
    child,
    pid,
    home,
    exited,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    ...waits(child, exited, said),
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    kill: (signal = "SIGTERM") => void child.kill(signal),
    async stop() {
      release();
      await exited;
    },
  };
};

const fail = (message: string): never => {
  throw new Error(message);
};

type Said = { stdout: string; stderr: string };

const waits = (
  child: ChildProcessWithoutNullStreams,
  exited: Promise<Exit>,
  said: Said,
): Pick<Program, "waitForLine" | "waitForEvent" | "waitForExit"> => {
  const account = (): string => `--- stdout\n${said.stdout}\n--- stderr\n${said.stderr}`;
  const lines = (): readonly string[] => `${said.stdout}\n${said.stderr}`.split("\n");
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const find = async <T>(look: () => T | undefined, what: string, patience: Patience): Promise<T> => {
    let found: T | undefined;
    let ended = false;
    // One more look after the end: the last output arrives with it.
    await eventually(account, () => (found = look()) !== undefined || ended || ((ended = gone()), false), { what, ...patience });
    if (found === undefined) await exited;
    return look() ?? fail(`the program ended before ${what}:\n${account()}`);
  };
  return {
    waitForLine: (wanted, patience = {}) =>
      find(() => lines().find((line) => (typeof wanted === "string" ? line.includes(wanted) : wanted.test(line))), `a line with ${String(wanted)}`, patience),
    waitForEvent: <T extends EventType>(type: T, fits: (event: Extract<Event, { type: T }>) => boolean = () => true, patience: Patience = {}) =>
      find(() => lines().map(asEvent).find((event): event is Extract<Event, { type: T }> => event?.type === type && fits(event as never)), `an event ${type}`, patience),
    async waitForExit(patience = {}) {
      await eventually(account, gone, { what: "the end of the program", ...patience });
      return exited;
    },
  };
};

const asEvent = (line: string): Event | null => {
  if (!line.startsWith("{")) return null;
  try {
    return JSON.parse(line) as Event;
  } catch {
    return null;
  }
};
