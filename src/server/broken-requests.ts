// What is no request for a handler: bytes that do not parse, heads and bodies that never end, CONNECT and
// upgrades. Each gets one small, well-formed answer on the bare socket, then the connection is closed.
// Never writes into an answer that has begun, and never in the place of an earlier one.
import { STATUS_CODES } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import type { Clock } from "../lib/clock.ts";
import type { Exchanges } from "./exchanges.ts";
import { readInbound } from "./inbound.ts";
import type { Refuser } from "./refuse.ts";
import { errorAnswer } from "./respond.ts";
import { deny } from "./verdict.ts";
import type { Denied, Head } from "./verdict.ts";

export type BrokenRequests = {
  /** For node:http's `clientError`. */
  onClientError(error: NodeJS.ErrnoException, socket: Duplex): void;
  /** For `connect` and `upgrade`: the socket is ours now. */
  onTakeover(request: IncomingMessage, socket: Duplex): void;
  /** True when the bytes on `socket` stopped making sense: nothing more of it may be acted on. */
  isBroken(socket: Duplex): boolean;
};

type Deps = {
  readonly clock: Pick<Clock, "setTimeout">;
  readonly exchanges: Exchanges;
  readonly refuser: Refuser;
  readonly nextId: () => string;
  /** Told of every refusal; `head` is null when there was none. */
  readonly report: (head: Head | null, requestId: string, denied: Denied) => void;
};

/** How long a client may take to read its answer before the socket is destroyed. */
const patienceMs = 1000;

export const createBrokenRequests = ({ clock, exchanges, refuser, nextId, report }: Deps): BrokenRequests => {
  const broken = new WeakSet<Duplex>();

  const finish = (socket: Duplex, denied: Denied, requestId: string): void => {
    if (socket.destroyed || !socket.writable) return void socket.destroy();
    const timer = clock.setTimeout(() => socket.destroy(), patienceMs);
    socket.once("close", () => timer.cancel()).on("error", () => socket.destroy());
    socket.end(bareAnswer(denied, requestId));
    socket.resume();
  };

  return {
    isBroken: (socket) => broken.has(socket),
    onClientError(error, socket) {
      if (broken.has(socket)) return;
      broken.add(socket);
      const open = exchanges.on(socket as Socket);
      if (open.some(refuser.hasRefused)) {
        // Refused before: its answer is out, and there is no rest of the body that could still come.
        for (const response of open.filter(refuser.hasRefused)) response.end();
        return;
      }
      const place = placeOf(open);
      if (error.code === "ECONNRESET" || place === "taken") return void socket.destroy();
      const denied = faultOf(error.code);
      const requestId = nextId();
      if (open.length === 0 || place === "later") report(null, requestId, denied);
      if (place === "later") open.at(-1)?.once("close", () => finish(socket, denied, requestId));
      else finish(socket, denied, requestId);
    },
    onTakeover(request, socket) {
      broken.add(socket);
      const requestId = nextId();
      const denied = request.method === "CONNECT" ? tunnelDenied : upgradeDenied;
      report(headOf(request), requestId, denied);
      finish(socket, denied, requestId);
    },
  };
};

/** The request line and fields of `request`, read once. */
export const headOf = (request: IncomingMessage): Head => ({
  method: request.method ?? "",
  target: request.url ?? "",
  httpVersion: request.httpVersion,
  inbound: readInbound(request.rawHeaders),
});

const tunnelDenied: Denied = {
  ...deny("method-not-allowed", "CONNECT is not served here: this is no forward proxy.", "Set ANTHROPIC_BASE_URL, not HTTPS_PROXY, to this address."),
  allow: "GET, HEAD, POST",
};
const upgradeDenied = deny("upgrade-refused", "Only HTTP/1.1 is spoken here; no upgrade.");

/**
 * Where an answer to the broken bytes belongs: `now`, `later` (after answers that are still being made),
 * or nowhere because an answer has begun in its place.
 */
const placeOf = (open: readonly ServerResponse[]): "now" | "later" | "taken" => {
  if (open.every(({ req }) => req.complete)) return open.length === 0 ? "now" : "later";
  return open.length === 1 && open[0]?.headersSent === false ? "now" : "taken";
};

// Codes of llhttp and node:http (documentation of the `clientError` event).
const faultOf = (code: string | undefined): Denied => {
  if (code === "HPE_HEADER_OVERFLOW") return deny("headers-too-large", "The request's header fields are larger than 64 KiB.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return deny("request-timeout", "The request did not arrive in time.");
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return deny("too-large", "The chunk extensions are too large.");
  return deny("bad-request", "This is not a well-formed HTTP/1.1 request.");
};

const bareAnswer = (denied: Denied, requestId: string): string => {
  const { status, headers, body } = errorAnswer({ ...denied, requestId });
  const upgrade = status === 426 ? ["upgrade: HTTP/1.1", "connection: upgrade, close"] : ["connection: close"];
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}`, ...fields, ...upgrade, `content-length: ${Buffer.byteLength(body)}`, "", body].join("\r\n");
};
