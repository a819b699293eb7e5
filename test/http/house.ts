// Client connections on real sockets, one home for all of them, and a clock that stands still.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

import { ClientConnection } from "../../src/http/client-connection.ts";
import type { ConnectionHome, ConnectionLimits, RequestHandler } from "../../src/http/connection-home.ts";
import type { HttpRequest } from "../../src/http/request.ts";
import type { HttpResponse } from "../../src/http/response.ts";
import type { WireFault } from "../../src/http/wire-fault.ts";
import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";

/** A request that was announced, and what became of it: `data:…`, `end`, `abort`, `closed:` and whether all was sent. */
export type Exchange = { readonly request: HttpRequest; readonly response: HttpResponse; readonly log: string[] };

/** A fault that was announced, with the request that came with it. */
type Fault = { readonly code: WireFault["code"]; readonly response: HttpResponse; readonly request: HttpRequest | null; readonly log: string[] };

type Answering = {
  readonly answer?: (exchange: Exchange) => void;
  /** Else a fault is answered with its code. */
  readonly answerFault?: (fault: Fault) => void;
  /** Nobody reads the body before `answer`, and what comes of it is in no log. */
  readonly readsItself?: boolean;
};

/** Remembers what comes. */
export const remember = ({ answer = () => {}, answerFault = answerWithCode, readsItself = false }: Answering = {}) => {
  const exchanges: Exchange[] = [];
  const faults: Fault[] = [];
  const handler: RequestHandler = {
    onRequest(request, response) {
      const log: string[] = [];
      const exchange = { request, response, log };
      exchanges.push(exchange);
      response.onClose(() => void log.push(`closed:${response.isFinished}`));
      if (!readsItself) request.read({ onData: (piece) => void log.push(`data:${piece.toString("latin1")}`), onEnd: () => void log.push("end"), onAbort: () => void log.push("abort") });
      answer(exchange);
    },
    onFault({ code }, response, request) {
      const fault: Fault = { code, response, request, log: [] };
      faults.push(fault);
      response.onClose(() => void fault.log.push(`closed:${response.isFinished}`));
      answerFault(fault);
    },
  };
  return { exchanges, faults, handler };
};

const answerWithCode = ({ code, response }: Fault): void => {
  response.writeHead(400, []);
  response.end(code);
};

export const limits: ConnectionLimits = { headersMs: 15_000, requestMs: 60_000, keepAliveMs: 90_000 };

/** Listens, and gives every connection the same home. */
export const openHouse = async (answering: Answering = {}) => {
  const clock = createFakeClock();
  const { handler, ...seen } = remember(answering);
  const connections: ClientConnection[] = [];
  let open = 0;
  let gone = 0;
  const home: ConnectionHome = {
    handler,
    keepAliveSeconds: limits.keepAliveMs / 1000,
    date: () => new Date(clock.now()).toUTCString(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    onCount: (change) => { open += change; },
    onGone: () => { gone += 1; },
  };
  const tcp = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void connections.push(new ClientConnection(socket, home)));
  await once(tcp.listen(0, "127.0.0.1"), "listening");
  const { port } = tcp.address() as AddressInfo;
  return {
    ...seen,
    port,
    clock,
    connections,
    open: () => open,
    gone: () => gone,
    /** Looks at the time of every connection. */
    check: () => connections.forEach((connection) => connection.checkTime(clock.monotonic(), limits)),
    /** Once the first connection has read so many bytes. */
    received: (bytes: number) => eventually(() => connections[0]?.socket.bytesRead ?? -1, (read) => read >= bytes, { what: `${bytes} bytes` }),
    /** Once every connection is gone. */
    allGone: () => eventually(() => connections.length - gone, (left) => left === 0, { what: "the end of every connection" }),
    async [Symbol.asyncDispose]() {
      connections.forEach(({ socket }) => socket.destroy());
      tcp.close();
      await once(tcp, "close");
    },
  };
};

/** A client that keeps its own side open whatever the server does. */
export const openStubborn = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
  await once(socket, "connect");
  return socket;
};

export const get = (path: string, ...fields: readonly string[]): string => [`GET ${path} HTTP/1.1`, "host: a", ...fields, "", ""].join("\r\n");

/** The head of a POST with a body of so many bytes. */
export const post = (path: string, framing: number | "chunked", ...fields: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, framing === "chunked" ? "transfer-encoding: chunked" : `content-length: ${framing}`, ...fields, "", ""].join("\r\n");
