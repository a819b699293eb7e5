// The listening socket and the connections behind it: who is there, how long each may take, and how it all ends.
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server as TcpServer } from "node:net";

import type { Clock, Timer } from "../lib/clock.ts";
import { createRoster } from "../lib/roster.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ConnectionHome, ConnectionLimits, RequestHandler } from "./connection-home.ts";

/** How long a connection may take, and how often that is looked at, in milliseconds. */
export type HttpLimits = ConnectionLimits & { readonly checkMs: number };

export type HttpServer = {
  /** Binds and hands every request to `handler`. Rejects with Node's own error. Once. */
  listen(at: { readonly host: string; readonly port: number }, handlerFor: (port: number) => RequestHandler): Promise<number>;
  /** Takes no new connection and closes those that nobody uses. */
  stop(): void;
  /** Keeps no connection any longer than its answer; resolves when the last one is closed. */
  drain(): Promise<void>;
  /** Destroys every connection. */
  cut(): void;
  /** Requests without a complete answer. */
  open(): number;
};

/** `onTrouble` hears why a connection could not be taken. */
export type HttpServerDeps = { readonly clock: Clock; readonly limits: HttpLimits; readonly onTrouble: (error: NodeJS.ErrnoException) => void };

/** Nothing is bound before `listen`. */
export const createHttpServer = ({ clock, limits, onTrouble }: HttpServerDeps): HttpServer => {
  const connections = createRoster<ClientConnection>();
  const emptied = new Set<() => void>();
  let count = 0;
  let draining = false;
  let check: Timer | null = null;

  const lookAtTimes = (): void => {
    const now = clock.monotonic();
    connections.each((connection) => connection.checkTime(now, limits));
  };
  const homeFor = (handler: RequestHandler): ConnectionHome => ({
    handler,
    keepAliveSeconds: Math.floor(limits.keepAliveMs / 1000),
    date: createDate(clock),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    onCount(change) {
      count += change;
    },
    onGone(connection) {
      connections.remove(connection);
      if (connections.size() > 0) return;
      check?.cancel();
      check = null;
      for (const tell of emptied) tell();
    },
  });

  const tcp = createTcpServer({ allowHalfOpen: true, noDelay: true });
  const accept = (home: ConnectionHome): void => {
    tcp.on("connection", (socket) => {
      const connection = new ClientConnection(socket, home);
      connections.add(connection);
      check ??= clock.setInterval(lookAtTimes, limits.checkMs);
      if (draining) connection.drain();
    });
    // Without a listener an error while accepting would end the process.
    tcp.on("error", onTrouble);
  };

  return {
    async listen(at, handlerFor) {
      await bind(tcp, at);
      const { port } = tcp.address() as AddressInfo;
      accept(homeFor(handlerFor(port)));
      return port;
    },
    stop() {
      if (tcp.listening) tcp.close();
      connections.each((connection) => connection.closeIfIdle());
    },
    drain() {
      draining = true;
      const over = new Promise<void>((resolve) => emptied.add(resolve));
      connections.each((connection) => connection.drain());
      if (connections.size() === 0) for (const tell of emptied) tell();
      return over;
    },
    cut: () => connections.each((connection) => connection.destroy()),
    open: () => count,
  };
};

const bind = (tcp: TcpServer, { host, port }: { readonly host: string; readonly port: number }): Promise<void> =>
  new Promise((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen({ host, port, exclusive: true }, () => {
      tcp.off("error", reject);
      resolve();
    });
  });

// Made once a second at most (RFC 9110 section 5.6.7).
const createDate = (clock: Pick<Clock, "now">): (() => string) => {
  let second = -1;
  let text = "";
  return () => {
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) text = new Date(now * 1000).toUTCString();
    second = now;
    return text;
  };
};
