// The library face: what a program may import from "claude-oauth-proxy". Importing it does nothing.
export { createProxy } from "./library/create-proxy.ts";
export type { Proxy, ProxyOptions } from "./library/create-proxy.ts";
export { OAuthClient } from "./library/oauth-client.ts";
export { TokenStore } from "./library/token-store.ts";
export type { NewToken, StoredToken } from "./library/token-store.ts";
export type { LibraryOptions } from "./library/surroundings.ts";
export { Secret, secret } from "./lib/secret.ts";
export type { Commands, LoginAttempt, StartLogin } from "./messages/commands.ts";
export { AppError } from "./messages/errors.ts";
export type { ErrorCode } from "./messages/errors.ts";
export type { Event, EventType } from "./messages/events.ts";
export type { AppState } from "./state/state.ts";
