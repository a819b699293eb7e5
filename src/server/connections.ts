// The connections of one listener, and the exchange that each carries. node:http announces every pipelined request
// as soon as it is parsed; here the later ones wait, so that a connection carries one exchange at a time, in order,
// and nothing is begun for a client that has left or on a connection that is to close (RFC 9112 section 9.3.2).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";

export type Socket = IncomingMessage["socket"];

/** One request and the answer that belongs to it. */
export type HttpExchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly requestId: string };

type Waiting = HttpExchange & { readonly begin: () => void };

export type Connection = {
  readonly socket: Socket;
  current: HttpExchange | null;
  readonly waiting: Waiting[];
  /** The last request that node:http announced. Until it is complete, what comes is its body. */
  latest: IncomingMessage | null;
  /** The bytes on it stopped making sense, or an answer closes it: no request that comes from now on is begun. */
  closing: boolean;
  /** Sends the answer that closes the connection, after those of the requests that wait. */
  lastAnswer: (() => void) | null;
};

export type Connections = {
  /** Watches `socket` until it is closed. */
  accept(socket: Socket): void;
  /** Calls `begin` when it is this exchange's turn, or never. */
  enqueue(exchange: HttpExchange, begin: () => void): void;
  of(socket: Socket): Connection | undefined;
  /** Exchanges that were begun and have no complete answer yet. */
  inFlight(): number;
  /** Keeps no connection from now on; resolves when the last one is closed. */
  drain(): Promise<void>;
  /** Destroys every connection. */
  destroy(): void;
};

/**
 * With more requests than this waiting, nothing further is read from the connection. From then on a client that leaves
 * is noticed only by what is written to it (as behind every body that nothing reads), so the limit is above what any
 * client sends ahead.
 */
const mostWaiting = 64;

/** A connection that is closed over unread bytes is still read for so long. */
const lingerMs = 1000;

export const createConnections = (clock: Pick<Clock, "setTimeout">): Connections => {
  const connections = new Map<Socket, Connection>();
  const drained = new Set<() => void>();
  let inFlight = 0;
  let draining = false;

  const begin = (connection: Connection, exchange: Waiting): void => {
    const { response } = exchange;
    connection.current = exchange;
    inFlight += 1;
    if (draining) response.shouldKeepAlive = false;
    response.on("close", () => {
      if (connection.current?.response !== response) return;
      connection.current = null;
      inFlight -= 1;
      advance(connection, response.shouldKeepAlive);
    });
    exchange.begin();
  };

  const advance = (connection: Connection, keepAlive: boolean): void => {
    const { socket, waiting } = connection;
    if (!keepAlive || socket.destroyed) {
      connection.closing = true;
      waiting.length = 0;
      connection.lastAnswer = null;
    }
    const next = waiting.shift();
    if (next !== undefined) {
      if (waiting.length === mostWaiting) socket.resume();
      begin(connection, next);
      holdBack(connection);
    } else if (connection.lastAnswer !== null) connection.lastAnswer();
    else if (draining) socket.destroySoon();
  };

  // Deferred, because node:http resumes the socket at the end of every request that it reads (Node 24).
  const holdBack = ({ socket, waiting }: Connection): void => {
    if (waiting.length > mostWaiting) queueMicrotask(() => socket.pause());
  };

  const enqueue = (exchange: HttpExchange, go: () => void): void => {
    const connection = connections.get(exchange.request.socket);
    if (connection === undefined || connection.closing) return;
    connection.latest = exchange.request;
    const waiting = { ...exchange, begin: go };
    if (connection.current === null) return begin(connection, waiting);
    connection.waiting.push(waiting);
    holdBack(connection);
  };

  // Node calls `destroySoon` behind the last answer. To close over unread bytes would reset the connection and could
  // destroy the answer on its way (RFC 9112 section 9.6).
  const lingerAtEnd = (connection: Connection): void => {
    const { socket } = connection;
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (!connection.closing && connection.latest?.complete !== false) return destroySoon();
      socket.end().resume();
      const timer = clock.setTimeout(() => socket.destroy(), lingerMs);
      socket.once("close", () => timer.cancel());
    };
  };

  const accept = (socket: Socket): void => {
    const connection: Connection = { socket, current: null, waiting: [], latest: null, closing: false, lastAnswer: null };
    connections.set(socket, connection);
    lingerAtEnd(connection);
    socket.once("close", () => {
      connections.delete(socket);
      connection.waiting.length = 0;
      if (connection.current !== null) inFlight -= 1;
      connection.current = null;
      if (connections.size === 0) for (const resolve of drained) resolve();
    });
  };

  const drain = (): Promise<void> => {
    draining = true;
    for (const { socket, current } of connections.values()) {
      if (current === null) socket.destroySoon();
      else if (!current.response.headersSent) current.response.shouldKeepAlive = false;
    }
    return connections.size === 0 ? Promise.resolve() : new Promise((resolve) => drained.add(resolve));
  };

  return {
    accept,
    enqueue,
    of: (socket) => connections.get(socket),
    inFlight: () => inFlight,
    drain,
    destroy() {
      for (const socket of connections.keys()) socket.destroy();
    },
  };
};
