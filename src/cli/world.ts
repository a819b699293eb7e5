// What a command gets: the surroundings it runs in, what was given to it, and the parts it may start.
// Commands take all of it as arguments, so that a test can hand in its own.
import type { EventEmitter } from "node:events";
import type { App } from "../app/app.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands } from "../messages/commands.ts";
import type { Store } from "../state/store.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Standard input as the commands use it. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown; unref?(): unknown };

/** Standard output or error as the commands use them. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly writableLength: number };

export type World = {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly cwd: string;
  /** Our own version. */
  readonly version: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Where signals arrive: `process`. */
  readonly signals: EventEmitter;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  readonly parts: Parts;
};

/** What stood on the command line behind the name of the command. */
export type Given = {
  readonly words: readonly string[];
  /** By long name without dashes: `no-browser` is `browser: false`. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly everywhere: Everywhere;
};

/** Options that are valid with every command. */
export type Everywhere = { readonly dir: string | undefined; readonly set: readonly string[]; readonly ascii: boolean };

/** Resolves to the exit code; throws `AppError` for what `failure.ts` reports. */
export type Command = (world: World, given: Given) => Promise<number>;

/** What every way of opening the store needs. */
export type Opening = {
  readonly config: Config;
  readonly dir: string;
  readonly version: string;
  readonly environment: Environment;
  /** Asked only when the store is sealed by a passphrase that the environment does not hold. */
  readonly askPassphrase: () => Promise<Secret | null>;
};

/** The store without a server, for commands that end by themselves. */
export type OpenStore = {
  readonly commands: Commands;
  readonly store: Store;
  readonly bus: Bus;
  /** The local key; made when there was none. */
  readonly key: Secret;
  /** Reads a file of another program into the store; an account that is there already is kept. */
  importFile(path: string): Promise<Imported>;
  close(): Promise<void>;
};

export type Imported = {
  readonly imported: readonly string[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
};

/** How the screens are drawn and where. */
export type ScreenWish = { readonly stdin: Input; readonly stdout: Output; readonly environment: Environment; readonly ascii: boolean };

/** What a person chose when the port was taken. */
export type PortChoice = "next" | "quit";

export type PortTakenWish = ScreenWish & { readonly message: string; readonly port: number; readonly nextPort: number | null };

/** The other parts of the program, loaded when they are needed. */
export type Parts = {
  createApp(opening: Opening & { readonly accountId: string | null }): Promise<App>;
  openStore(opening: Opening): Promise<OpenStore>;
  /** True when both ends are terminals that can draw. */
  canDraw(wish: ScreenWish): Promise<boolean>;
  /** Draws until the app has stopped; the terminal is given back before it resolves. */
  runDashboard(app: App, wish: ScreenWish): Promise<void>;
  askPortTaken(wish: PortTakenWish): Promise<PortChoice>;
  /** Draws the sign-in; resolves to the exit code. */
  runLogin(store: OpenStore, wish: ScreenWish & LoginWish): Promise<number>;
};

export type LoginWish = { readonly kind: "max" | "console"; readonly accountId: string | null; readonly browser: boolean };
