// The whole proxy inside another program: start, stop, events. Nothing listens before `start`.
import type { Listening } from "../app/app.ts";
import { createApp } from "../app/create-app.ts";
import type { Secret } from "../lib/secret.ts";
import type { Commands } from "../messages/commands.ts";
import type { Event } from "../messages/events.ts";
import type { AppState } from "../state/state.ts";
import { openingFor } from "./surroundings.ts";
import type { LibraryOptions } from "./surroundings.ts";

export type ProxyOptions = LibraryOptions & {
  /** The account that every request uses; null or left out: chosen per request. */
  readonly accountId?: string | null;
};

export type Proxy = {
  /** What a client shows as `Authorization: Bearer`; null when none is required. */
  readonly key: Secret | null;
  /** Accounts, sign-in, refresh: what the dashboard and the HTTP API can do. */
  readonly commands: Commands;
  /** Binds the port and says where. Throws `AppError` `port-taken`. */
  start(): Promise<Listening>;
  /** Lets open requests finish for `server.drainSeconds`, then closes everything; a second call cuts that short. */
  stop(reason?: string): Promise<void>;
  /** Calls `listener` for every later event; returns the way to stop. */
  subscribe(listener: (event: Event) => void): () => void;
  /** The picture that the dashboard shows; the same object until something changed. */
  snapshot(): AppState;
};

/** Throws `AppError` (`bad-config`, `unsafe-settings`, `store-…`). */
export const createProxy = async ({ accountId = null, ...options }: ProxyOptions = {}): Promise<Proxy> => {
  const app = await createApp({ ...(await openingFor(options)), accountId });
  return {
    key: app.key,
    commands: app.commands,
    start: () => app.start(),
    stop: (reason = "stopped by the program") => app.commands.stop(reason),
    subscribe: (listener) => app.bus.subscribe(listener),
    snapshot: () => app.store.snapshot(),
  };
};
