// The library face: what a program may import from "claude-oauth-proxy". Importing it does nothing.
import { createApp } from "./app/create-app.ts";
import type { Listening } from "./app/app.ts";
import type { Secret } from "./lib/secret.ts";
import { coreOptionsFor } from "./library/options.ts";
import type { LibraryOptions } from "./library/options.ts";
import type { Commands } from "./messages/commands.ts";
import type { Event } from "./messages/events.ts";
import type { AppState } from "./state/state.ts";

export { OAuthClient } from "./library/oauth-client.ts";
export { TokenStore } from "./library/token-store.ts";
export type { NewToken, StoredToken } from "./library/token-store.ts";
export type { LibraryOptions } from "./library/options.ts";
export { Secret, secret } from "./lib/secret.ts";
export type { Commands, LoginAttempt, LoginOptions } from "./messages/commands.ts";
export type { IdentityQuestion } from "./messages/identity.ts";
export { AppError } from "./messages/errors.ts";
export type { ErrorCode } from "./messages/errors.ts";
export type { Event, EventType } from "./messages/events.ts";
export type { AppState } from "./state/state.ts";

export type ProxyOptions = LibraryOptions & {
  /** The account that every request uses; null or left out: chosen per request. */
  readonly accountId?: string | null;
};

/** One proxy inside a program, without a screen. */
export type Proxy = {
  /** What a client shows as `Authorization: Bearer`; null when none is required. */
  readonly key: Secret | null;
  /** Accounts, sign-in, refresh: what the dashboard and the HTTP API can do. */
  readonly commands: Commands;
  /** Binds the port and gives its address. Throws `AppError` `port-taken`. */
  start(): Promise<Listening>;
  /** Lets open requests finish for `server.drainSeconds`, then closes everything; a second call cuts that short. */
  stop(reason?: string): Promise<void>;
  /** Calls `listener` for every later event; returns the way to stop. */
  subscribe(listener: (event: Event) => void): () => void;
  /** The state that the dashboard shows; the same object until something changed. */
  snapshot(): AppState;
};

/** Throws `AppError` (`bad-config`, `unsafe-settings`, `store-…`). */
export const createProxy = async ({ accountId = null, ...options }: ProxyOptions = {}): Promise<Proxy> => {
  const app = await createApp({ ...(await coreOptionsFor(options)), accountId });
  return {
    key: app.key,
    commands: app.commands,
    start: () => app.start(),
    stop: (reason = "stopped by the program") => app.commands.stop(reason),
    subscribe: (listener) => app.bus.subscribe(listener),
    snapshot: () => app.store.snapshot(),
  };
};
