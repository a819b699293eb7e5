// What a connection of a client is handed: who answers its requests, and what it shares with all others of its server.
import type { Timer } from "../lib/clock.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { HttpRequest } from "./request.ts";
import type { HttpResponse } from "./response.ts";
import type { WireFault } from "./wire-fault.ts";

/** Who answers. */
export type RequestHandler = {
  /** A head has come, and as much of its body as came with it. */
  onRequest(request: HttpRequest, response: HttpResponse): void;
  /** What came is no request, or not in time. `response` takes the answer; `request` is one that `onRequest` has not seen. */
  onFault(fault: WireFault, response: HttpResponse, request: HttpRequest | null): void;
};

/** What all connections of one server share. */
export type ConnectionHome = {
  readonly handler: RequestHandler;
  readonly keepAliveSeconds: number;
  /** The value of a `Date` field. */
  date(): string;
  monotonic(): number;
  setTimeout(callback: () => void, ms: number): Timer;
  /** An answer is awaited from now on (1), or no more (-1). */
  onCount(change: 1 | -1): void;
  onGone(connection: ClientConnection): void;
};

/** Milliseconds. */
export type ConnectionLimits = { readonly headersMs: number; readonly requestMs: number; readonly keepAliveMs: number };
