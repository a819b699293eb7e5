// One request from its head to the part that answers it. Errors of endpoints are caught here and nowhere else; what
// is forwarded is the forwarder's after `forward` was called. What is no request for a handler (bytes that do not
// parse, heads and bodies that never end, CONNECT) gets one well-formed answer, then its connection is closed.
import { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { Forward } from "../proxy/forward.ts";
import { connectRefusal } from "./admission.ts";
import type { Admission, Admitted } from "./admission.ts";
import type { Connections, HttpExchange, Socket } from "./connections.ts";
import { corsHeaders, preflightHeaders } from "./origin.ts";
import { readBody } from "./read-body.ts";
import type { RefusalReports } from "./refusal-reports.ts";
import { receivedEvent, requestInfoOf } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import { refusal, respondEmpty, respondError, setHeaders } from "./respond.ts";
import type { Refusal } from "./respond.ts";

export type HandlerDeps = {
  readonly admit: Admission;
  readonly forward: Forward;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly random: Random;
  readonly connections: Connections;
  readonly reports: RefusalReports;
  /** True once the server stops: nothing new is begun. */
  readonly isStopping: () => boolean;
};

/** The listeners of a `node:http` server. */
export type Handler = {
  /** `request`, `checkContinue` and `checkExpectation`. */
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  /** `clientError`: the bytes on `socket` are no request, or never became one. */
  onClientError(error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }, socket: Duplex): void;
  /** `connect`: node:http has let go of the socket. */
  onConnect(request: IncomingMessage, socket: Duplex): void;
};

type Arrival = HttpExchange & { readonly info: RequestInfo };

export const createHandler = (deps: HandlerDeps): Handler => {
  const { admit, clock, connections, reports } = deps;
  const nextId = createRequestIds(deps.random);

  const handle = (exchange: HttpExchange): void => {
    const receivedAt = clock.monotonic();
    const { request, response } = exchange;
    // node:http ignores the upgrade, and with it whatever came behind this request in the same read (Node 24).
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    const arrival: Arrival = { ...exchange, info: requestInfoOf(request) };
    const admitted = deps.isStopping() ? stopping : admit(arrival.info, request.socket);
    if (!admitted.ok) refuse(arrival, admitted);
    else if (admitted.to === "preflight") answerPreflight(arrival, admitted.corsOrigin);
    else if (admitted.to === "forward") forward(deps, arrival, { receivedAt, corsOrigin: admitted.corsOrigin });
    else void callEndpoint(deps, arrival, admitted);
  };

  const refuse = (arrival: Arrival, why: Refusal): void => {
    reports.refused(arrival.info, arrival.requestId, why);
    // After a doubtful frame the next byte could be part of anything (RFC 9112 section 6.3).
    sendRefusal(deps, arrival, { ...why, close: why.code === "bad-request" || arrival.info.method === "TRACE" });
  };

  /** Answers in the place of a request that never became one. */
  const answerBroken = (exchange: HttpExchange, why: Refusal): void => {
    reports.refused(exchange.request.method === null ? null : requestInfoOf(exchange.request), exchange.requestId, why);
    answerAndClose(deps, exchange, why);
  };

  /** An answer on a socket for which node:http has none. */
  const bareExchange = (socket: Socket, request = new IncomingMessage(socket)): HttpExchange => {
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.on("finish", () => socket.destroySoon());
    return { request, response, requestId: nextId() };
  };

  return {
    onRequest(request, response) {
      const exchange = { request, response, requestId: nextId() };
      connections.enqueue(exchange, () => handle(exchange));
    },
    onClientError(error, socket) {
      const connection = connections.of(socket as Socket);
      if (connection === undefined) return void socket.destroy();
      if (connection.closing) return;
      connection.closing = true;
      if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
      const why = faultOf(error);
      const { current, waiting, latest } = connection;
      if (latest === null || latest.complete) {
        const answerBehind = (): void => answerBroken(bareExchange(socket as Socket), why);
        if (current === null) answerBehind();
        else connection.lastAnswer = answerBehind;
      } else if (latest === current?.request) {
        breakOffUpload(deps, current, { ...why, left: error.code === "HPE_INVALID_EOF_STATE" });
      } else {
        const unfinished = waiting.pop();
        // Without one, that request has its answer, and another would be taken for the answer to the next one.
        if (unfinished === undefined) socket.destroy();
        else connection.lastAnswer = () => answerBroken(unfinished, why);
      }
    },
    onConnect(request, socket) {
      const connection = connections.of(socket as Socket);
      if (connection === undefined || connection.closing || connection.current !== null) return void socket.destroy();
      connection.closing = true;
      answerBroken(bareExchange(socket as Socket, request), connectRefusal);
    },
  };
};

const stopping = refusal("shutting-down", "This proxy is stopping.", "Start it again, then repeat the request.");

/** Each call gives the next id, such as `cop-3f9a01c2-1z`: a prefix for each run and a counter, no secret. */
const createRequestIds = (random: Random): (() => string) => {
  const prefix = `cop-${Buffer.from(random(4)).toString("hex")}-`;
  let count = 0;
  return () => {
    count += 1;
    return prefix + count.toString(36);
  };
};

const answerPreflight = ({ response, info }: Arrival, origin: string): void => {
  setHeaders(response, preflightHeaders(origin, info.fields));
  respondEmpty(response, 204);
};

/**
 * Hands a request to the forwarder. A chunked body is parsed first as far as it has come: the bad chunk of a
 * smuggled request is mostly in the same packet, and node:http announces the request before it.
 */
const forward = (deps: HandlerDeps, arrival: Arrival, known: { readonly receivedAt: number; readonly corsOrigin: string | null }): void => {
  const { info, request, response, requestId } = arrival;
  const received = receivedEvent(info, requestId);
  deps.publish(received);
  const begin = (): void => {
    const connection = deps.connections.of(request.socket);
    if (connection === undefined || (connection.closing && !request.complete)) return deps.reports.rejected(requestId, malformedBody);
    askForBody(arrival);
    void deps.forward(request, response, {
      requestId,
      receivedAt: known.receivedAt,
      sessionId: received.sessionId,
      headers: [...(known.corsOrigin === null ? [] : corsHeaders(known.corsOrigin)), ...(info.fields.fetchMode === "navigate" ? sandbox : [])],
    });
  };
  if (info.fields.transferEncoding === null) begin();
  else setImmediate(begin);
};

/** A page from upstream in the browser's window must not run on our origin, where the key's session lives. */
const sandbox = ["content-security-policy", "sandbox"];

const malformedBody = refusal("bad-request", "The body broke off or is not well-formed.");

const callEndpoint = async (deps: HandlerDeps, arrival: Arrival, admitted: Extract<Admitted, { to: "endpoint" }>): Promise<void> => {
  const { info, request, response, requestId } = arrival;
  if (admitted.corsOrigin !== null) setHeaders(response, corsHeaders(admitted.corsOrigin));
  askForBody(arrival);
  const query = new URLSearchParams(info.target.split("?").slice(1).join("?"));
  const call = { request, response, requestId, access: admitted.access, query, param: admitted.param, body: () => readBody(request, deps.clock) };
  try {
    await admitted.route.endpoint(call);
  } catch (error) {
    fail(deps, arrival, error);
  }
};

const fail = (deps: HandlerDeps, arrival: Arrival, error: unknown): void => {
  if (error instanceof AppError) return sendRefusal(deps, arrival, { ...refusal(error.code, error.message, error.hint), ...(error.fields === undefined ? {} : { fields: error.fields }) });
  const kind = error instanceof Error ? error.name : typeof error;
  deps.publish({ type: "notice", level: "error", code: "internal", message: `An endpoint failed unexpectedly (${kind}).`, hint: null });
  sendRefusal(deps, arrival, refusal("internal", "Something failed here unexpectedly."));
};

// RFC 9110 section 10.1.1: only now is the client asked for the body. HTTP/1.0 does not know the 100.
const askForBody = ({ info, response }: Arrival): void => {
  if (info.fields.expect === "100-continue" && info.httpVersion === "1.1") response.writeContinue();
};

/** Keeps the connection only when nothing of the request is left to be read and `close` is not asked for. */
const sendRefusal = (deps: HandlerDeps, arrival: Arrival, { close = false, ...why }: Refusal & { readonly close?: boolean }): void => {
  const { request, response, info, requestId } = arrival;
  const unread = !request.complete && (info.fields.transferEncoding !== null || Number(info.fields.contentLength ?? 0) > 0);
  if (!response.headersSent && (unread || close)) answerAndClose(deps, arrival, why);
  else respondError(response, { ...why, requestId });
};

/** Sends our own error as the last answer of its connection. */
const answerAndClose = ({ connections }: HandlerDeps, { request, response, requestId }: HttpExchange, why: Refusal): void => {
  const socket = response.socket ?? request.socket;
  if (response.headersSent || response.destroyed || socket.destroyed) return void socket.destroy();
  const connection = connections.of(socket);
  if (connection !== undefined) connection.closing = true;
  response.shouldKeepAlive = false;
  respondError(response, { ...why, requestId });
  // Whatever part of it was read: the rest is thrown away.
  request.resume();
};

/**
 * Ends the exchange under way whose request's body does not parse or never comes. The part that reads the body learns
 * why by the request's `error`: an `AppError`, or any other error when the client has left.
 */
const breakOffUpload = (deps: HandlerDeps, exchange: HttpExchange, { left, ...why }: Refusal & { readonly left: boolean }): void => {
  const { request, response } = exchange;
  // Not every part listens, and an `error` without a listener is thrown.
  request.on("error", () => {}).emit("error", left ? new Error("The client has left.") : new AppError(why));
  if (response.headersSent) request.socket.destroy();
  else answerAndClose(deps, exchange, why);
};

// Codes of llhttp and node:http (documentation of the `clientError` event).
const faultOf = ({ code, rawPacket }: { readonly code?: string | undefined; readonly rawPacket?: Buffer }): Refusal => {
  if (code === "HPE_HEADER_OVERFLOW") return refusal("headers-too-large", "The request's header fields are larger than 64 KiB.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return refusal("request-timeout", "The request did not arrive in time.");
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return refusal("too-large", "The chunk extensions are too large.");
  return refusal("bad-request", ...describeBytes(rawPacket));
};

// The two protocols that a wrong setting of a client brings here: TLS (RFC 8446 section 5.1) and HTTP/2 (RFC 9113 section 3.4).
const describeBytes = (bytes: Buffer | undefined): [message: string, hint?: string] => {
  if (bytes?.[0] === 0x16 && bytes[1] === 0x03) return ["This is a TLS handshake, and plain HTTP/1.1 is spoken here.", "Use http:// instead of https:// in the client's base URL."];
  if (bytes?.subarray(0, 14).toString("latin1") === "PRI * HTTP/2.0") return ["This is HTTP/2, and HTTP/1.1 is spoken here.", "Let the client speak HTTP/1.1."];
  return ["This is not a well-formed HTTP/1.1 request."];
};
