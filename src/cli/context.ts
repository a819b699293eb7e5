// What a command gets: the surroundings it runs in, what was given to it, and the parts it may start.
// Commands take all of it as arguments, so that a test can hand in its own.
import type { EventEmitter } from "node:events";
import type { App } from "../app/app.ts";
import type { AppOptions } from "../app/create-app.ts";
import type { OpenStore } from "../app/open-store.ts";
import type { CoreOptions } from "../app/core.ts";
import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands, StartLogin } from "../messages/commands.ts";
import type { RunningDashboard } from "../tui/run.tsx";
import type { LoginEnd } from "../tui/screens/login.tsx";
import type { PortTakenChoice, PortTakenFacts } from "../tui/screens/port-taken.tsx";
import type { TermsChoice } from "../tui/screens/terms.tsx";

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
  readonly home: string;
  readonly cwd: string;
  /** Our own version. */
  readonly version: string;
  /** The interpreter and the script of this process. */
  readonly launch: readonly string[];
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Where signals arrive: `process`. */
  readonly signals: EventEmitter;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** What a crash does first, while something is drawn; null afterwards. */
  readonly atCrash: (restore: (() => void) | null) => void;
  /** Asks a person at most once; null when there is nobody to ask. */
  readonly askPassphrase: () => Promise<Secret | null>;
  readonly parts: Parts;
};

/** What stood on the command line behind the name of the command. */
export type ParsedArgs = {
  readonly positionals: readonly string[];
  /** By long name without dashes: `no-browser` is `browser: false`. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly global: GlobalOptions;
};

/** Options that are valid with every command. */
export type GlobalOptions = { readonly dir: string | undefined; readonly set: readonly string[]; readonly ascii: boolean };

/** Resolves to the exit code; throws `AppError` for what `failure.ts` reports. */
export type Command = (context: CliContext, args: ParsedArgs) => Promise<number>;

/** What opens the store or a proxy; the process is added by `parts.ts`. */
export type AppWish = Omit<AppOptions, "process">;
export type StoreWish = Omit<CoreOptions, "process">;

/** How the screens are drawn and where. `ascii` is decided: asked for, or all the terminal can. */
export type ScreenWish = { readonly stdin: Input; readonly stdout: Output; readonly ascii: boolean };

export type PortTakenWish = ScreenWish & { readonly facts: PortTakenFacts };

export type LoginScreenWish = ScreenWish & {
  readonly commands: Commands;
  readonly subscribe: Bus["subscribe"];
  readonly wish: StartLogin;
  /** One clause on why a sign-in is needed. */
  readonly reason: string;
  readonly autoOpen: boolean;
  /** The data folder, where the link is written on request. */
  readonly dir: string;
  readonly signal?: AbortSignal;
};

export type DashboardWish = ScreenWish & {
  readonly app: App;
  readonly login: (wish: { readonly accountId: string | null; readonly signal: AbortSignal }) => Promise<void>;
};

/** Everything that draws; loading it costs Ink and React. */
export type Screens = {
  askTerms(wish: ScreenWish & { readonly signal?: AbortSignal }): Promise<TermsChoice>;
  askPortTaken(wish: PortTakenWish): Promise<PortTakenChoice>;
  runLogin(wish: LoginScreenWish): Promise<LoginEnd>;
  runDashboard(wish: DashboardWish): RunningDashboard;
};

/** The other parts of the program. */
export type Parts = {
  createApp(wish: AppWish): Promise<App>;
  openStore(wish: StoreWish): Promise<OpenStore>;
  loadScreens(context: CliContext): Promise<Screens>;
};
