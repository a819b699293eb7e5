// A port of this machine that a test can count on: it refuses connections until the test listens on it itself,
// as often as it wants, and the kernel gives it to no other process in the meantime.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * What holds the port is an open connection that leaves from it: the kernel never chooses such a port by itself, but
 * lets a listener (SO_REUSEADDR, which Node sets) name it. For programs outside a test; `release` must be called.
 */
export const holdPort = async (): Promise<{ readonly port: number; readonly release: () => void }> => {
  const server = createServer((socket) => void socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  // With a local address Node binds before it connects; without one the port would be no named one.
  const holder = connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, localAddress: "127.0.0.1" }).on("error", () => {});
  await once(holder, "connect");
  const { localPort: port = 0 } = holder;
  holder.unref();
  server.unref();
  const release = (): void => {
    holder.destroy();
    server.close();
  };
  return { port, release };
};
