// One bare socket to our own listener: it sends exactly the given bytes and shows exactly what came back,
// so that no client library can smooth over what is to be proved. Loopback only; every wait has an end.
import { connect } from "node:net";
import type { Clock } from "../lib/clock.ts";

export type Wire = {
  send(bytes: Buffer): void;
  received(): Buffer;
  /** Resolves once `holds`; throws an `Error` with `what` after the patience is over or the connection has ended. */
  until(what: string, holds: () => boolean): Promise<void>;
  /** True once the other side has closed or reset the connection. */
  isClosed(): boolean;
  /** Leaves without a word, as a client that is killed. */
  leave(): void;
};

export type WireDeps = { readonly port: number; readonly clock: Clock; readonly patienceMs: number };

/** Throws when nobody listens. */
export const openWire = async ({ port, clock, patienceMs }: WireDeps): Promise<Wire> => {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const parts: Buffer[] = [];
  const looks = new Set<() => void>();
  let closed = false;
  const changed = (): void => {
    for (const look of looks) look();
  };
  socket.on("data", (bytes: Buffer) => {
    parts.push(bytes);
    changed();
  });
  socket.on("error", () => {});
  socket.once("close", () => {
    closed = true;
    changed();
  });
  const until = (what: string, holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (failure: string | null): void => {
        timer.cancel();
        looks.delete(look);
        if (failure === null) resolve();
        else reject(new Error(failure));
      };
      const look = (): void => {
        if (holds()) settle(null);
        else if (closed) settle(`the connection was closed before ${what}`);
      };
      const timer = clock.setTimeout(() => settle(`${what} did not come within ${patienceMs / 1000} s`), patienceMs);
      looks.add(look);
      look();
    });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("close", () => reject(new Error("nobody listens")));
  });
  return {
    send: (bytes) => void socket.write(bytes),
    received: () => Buffer.concat(parts),
    until,
    isClosed: () => closed,
    leave: () => void socket.destroy(),
  };
};
