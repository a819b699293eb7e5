// What the front ends (dashboard, headless log, commands) hold of the running program.
import type { Config } from "../config/schema.ts";
import type { Secret } from "../lib/secret.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands } from "../messages/commands.ts";
import type { Store } from "../state/store.ts";

export type Listening = { readonly url: string; readonly host: string; readonly port: number };

/** One proxy: made by `createApp`, started once, stopped once by `commands.stop`. */
export type App = {
  readonly config: Config;
  /** The data folder. */
  readonly dir: string;
  /** The local key a client has to show; null when none is required. */
  readonly key: Secret | null;
  readonly bus: Bus;
  readonly store: Store;
  readonly commands: Commands;
  /** Binds the port and starts the refresh loop. Throws `AppError` `port-taken` and leaves nothing behind. */
  start(): Promise<Listening>;
  /** Resolves when everything is down, whoever asked for it. */
  readonly stopped: Promise<void>;
};
