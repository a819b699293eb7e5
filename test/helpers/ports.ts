// A port of this machine that a test can count on: it refuses connections until the test listens on it itself,
// as often as it wants, and the kernel gives it to no other process in the meantime.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { releaseLater } from "./leftovers.ts";

/**
 * Held until the end of the test. What holds it is an open connection that leaves from this port: the kernel
 * never chooses such a port by itself, but lets a listener (SO_REUSEADDR, which Node sets) name it.
 */
export const reservePort = async (): Promise<number> => {
  const server = createServer((socket) => void socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // With a local address Node binds before it connects; without one the port would be no named one.
  const holder = connect({ host: "127.0.0.1", port, localAddress: "127.0.0.1" }).on("error", () => {});
  await once(holder, "connect");
  const reserved = holder.localPort ?? 0;
  holder.unref();
  server.unref();
  releaseLater(() => {
    holder.destroy();
    server.close();
  });
  return reserved;
};
