// What every endpoint gets: one admitted request, and the parts of the running program that it may use.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands } from "../messages/commands.ts";
import type { Store } from "../state/store.ts";

/** How a request proved itself: by the local key, by a browser session, or not at all (open endpoints). */
export type Access = "key" | "session" | "none";

/** One admitted request for an endpoint of ours. */
export type Call = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly access: Access;
  /** The parameters after `?`; the first of several wins, so look for doubles where that matters. */
  readonly query: URLSearchParams;
  /** The last path segment, decoded, of routes that end in one; else empty. */
  readonly param: string;
  /** The JSON object in the body (empty when there is none). Throws `AppError` when it is not one. */
  body(): Promise<Readonly<Record<string, unknown>>>;
};

/** Answers one call. An `AppError` thrown becomes our error envelope. */
export type Endpoint = (call: Call) => void | Promise<void>;

/** Browser sessions as the sign-in page needs them. */
export type PageSessions = {
  open(): { readonly setCookie: string; readonly csrf: string; readonly seconds: number };
  /** Ends the session of a `Cookie` header. Returns the `Set-Cookie` value that makes the browser forget. */
  close(cookie: string | null): string;
  closeAll(): void;
};

/** What the endpoints may use. */
export type ApiDeps = {
  readonly commands: Commands;
  readonly store: Pick<Store, "snapshot">;
  readonly subscribe: Bus["subscribe"];
  readonly clock: Clock;
  readonly random: Random;
  readonly sessions: PageSessions;
  /** Answers a challenge to prove the local key; null for a caller that does not know it. */
  readonly proveKey: (challenge: { readonly host: string; readonly nonce: string; readonly proof: string }) => string | null;
  readonly version: string;
  readonly mode: "oauth" | "pass-through";
  /** How long before its expiry a token counts as due. */
  readonly refreshLeadSeconds: number;
  /** Aborted when the server stops accepting: streams without an end are ended. */
  readonly stopping: AbortSignal;
};
