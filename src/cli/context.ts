// What a command gets: the surroundings it runs in, the parsed command line, and the parts of the program it may
// start. All of it comes as arguments, so that a test can hand in its own.
import type { EventEmitter } from "node:events";
import type { App } from "../app/app.ts";
import type { CoreOptions } from "../app/core.ts";
import type { AppOptions } from "../app/create-app.ts";
import type { OpenKey, OpenKeyOptions } from "../app/open-key.ts";
import type { OpenStore } from "../app/open-store.ts";
import type { GivenFlag } from "../config/load.ts";
import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { LoginDeps, LoginEnd } from "../tui/login/login.tsx";
import type { PortTakenChoice, PortTakenDeps, QuestionDeps, TermsChoice } from "../tui/questions.tsx";
import type { DashboardDeps, RunningDashboard } from "../tui/run.tsx";
import type { Connect } from "./connection.ts";

/** Resolves to the exit code; throws `AppError` for what `errors.ts` reports. */
export type Command = (context: CliContext, args: ParsedArgs) => Promise<number>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Standard input as the commands use it. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown; unref?(): unknown };

/** Standard output or error as the commands use them. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly writableLength: number };

export type CliContext = {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  /** The user whose files are trusted; null on a system without owners (Windows). */
  readonly uid: number | null;
  /** Host and port at which the debugger of this process is open; null when it is closed. */
  readonly debuggerAt: string | null;
  readonly home: string;
  readonly cwd: string;
  /** Our own version. */
  readonly version: string;
  /** The interpreter and the script of this process. */
  readonly launch: readonly string[];
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** To a proxy that may run on this machine. */
  readonly connect: Connect;
  /** Where signals arrive: `process`. */
  readonly signals: EventEmitter;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** What a crash does first, while something is drawn; null afterwards. */
  readonly atCrash: (restore: (() => void) | null) => void;
  /** Asks a person at most once; null when there is no terminal to ask on. */
  readonly askPassphrase: () => Promise<Secret | null>;
  readonly parts: Parts;
};

/** The command line behind the name of the command. */
export type ParsedArgs = {
  readonly positionals: readonly string[];
  /** By long name without dashes: `no-browser` is `browser: false`. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** The options among them that stand for a setting. */
  readonly settings: readonly GivenFlag[];
  readonly global: GlobalOptions;
};

/** Options that are valid with every command. */
export type GlobalOptions = { readonly dir: string | undefined; readonly set: readonly string[]; readonly ascii: boolean };

/** The other parts of the program, each loaded when it is first needed. */
export type Parts = {
  createApp(options: WithoutProcess<AppOptions>): Promise<App>;
  openKey(options: WithoutProcess<OpenKeyOptions>): Promise<OpenKey>;
  openStore(options: WithoutProcess<CoreOptions>): Promise<OpenStore>;
  loadScreens(context: CliContext): Promise<Screens>;
};

/** `main.ts` adds the process. */
export type WithoutProcess<Options> = Omit<Options, "process">;

/** Everything that draws; loading it costs Ink and React. */
export type Screens = {
  askTerms(options: QuestionDeps): Promise<TermsChoice>;
  askPortTaken(options: PortTakenDeps): Promise<PortTakenChoice>;
  /** `dir` is the data folder, where the link is written on request. */
  runLogin(options: Omit<LoginDeps, "clock" | "version" | "edges"> & { readonly dir: string }): Promise<LoginEnd>;
  runDashboard(options: Pick<DashboardDeps, "stdin" | "stdout" | "ascii" | "login"> & { readonly app: App }): RunningDashboard;
};

/** A terminal to draw on. `ascii`: asked for, or all that the terminal can. */
export type Screen = { readonly stdin: Input; readonly stdout: Output; readonly ascii: boolean };
