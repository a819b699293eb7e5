// The socket under the simulated server: plain or TLS, loopback by default, every connection counted and
// none left behind.
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { AppError } from "../messages/errors.ts";

export type ListenOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly key: string | Buffer; readonly cert: string | Buffer } | null;
  /** Idle connections are closed after this long, without a hint to the client. */
  readonly keepAliveMs: number;
};

export type Listener = {
  readonly port: number;
  accepted(): number;
  open(): number;
  /** Which connection, counted from 1, a request came on. */
  numberOf(request: IncomingMessage): number;
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
};

const bind = (server: Server, { host, port }: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const message = `The simulated upstream cannot listen on ${host}:${port} (${cause.code ?? cause.message})`;
      reject(new AppError({ code: "port-taken", message, hint: "Leave the port out to take any free one", cause }));
    });
    server.listen(port, host, () => resolve());
  });

const make = ({ tls, keepAliveMs }: ListenOptions, serve: RequestListener): Server => {
  // keepAliveTimeoutBuffer would keep idle sockets a second longer than asked for.
  const options = { keepAliveTimeout: keepAliveMs, keepAliveTimeoutBuffer: 0, requestTimeout: 0, maxHeaderSize: 65_536 };
  return tls === null ? createServer(options, serve) : (createTlsServer({ ...options, ...tls }, serve) as unknown as Server);
};

/** Throws `AppError` `port-taken`. `changed` is called when a connection comes or goes. */
export const listen = async (options: ListenOptions, serve: RequestListener, changed: () => void): Promise<Listener> => {
  // By the peer's port, which is the same for a TLS socket and the plain one under it.
  const numbers = new Map<number | undefined, number>();
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = make(options, serve);
  server.on("connection", (socket: Socket) => {
    accepted += 1;
    const { remotePort } = socket;
    const number = accepted;
    numbers.set(remotePort, number);
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      sockets.delete(socket);
      if (numbers.get(remotePort) === number) numbers.delete(remotePort);
      changed();
    });
    changed();
  });
  await bind(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => sockets.size,
    numberOf: (request) => numbers.get(request.socket.remotePort) ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
