// `localhost` is two addresses (RFC 6761 section 6.3), and a browser tries ::1 first (Chromium, measured). Any user of this
// machine may listen on the one that we do not have, and would be handed the sign-in's link and its cookie. So the other one
// is ours too while a sign-in is open; what comes there is passed on.
import { lookup } from "node:dns/promises";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { pipeline } from "node:stream";

export type HeldLocalhost = {
  /** Takes nothing new; what is under way goes on. */
  release(): void;
};

/** For a listener on `host` and `port`. Null when `localhost` does not lead there, or may lead to another program. */
export const holdLocalhost = async ({ host, port }: { readonly host: string; readonly port: number }): Promise<HeldLocalhost | null> => {
  const own = host === "localhost" ? (await lookup(host)).address : host.replace(/^\[(.*)\]$/, "$1");
  const other = otherAddress[own];
  if (other === undefined) return null;
  if (other === null) return { release: () => {} };
  const target = own === "0.0.0.0" ? "127.0.0.1" : own;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const onward = connect({ host: target, port, allowHalfOpen: true });
    pipeline(socket, onward, socket, () => onward.destroy());
    socket.unref();
    onward.unref();
  });
  const bound = await bind(server, other, port);
  if (bound === "taken") return null;
  return { release: () => void (bound === "ours" && server.close()) };
};

/** For each address that we may listen on: the other one of `localhost`, null when both are ours. */
const otherAddress: Readonly<Record<string, string | null>> = { "127.0.0.1": "::1", "0.0.0.0": "::1", "::1": "127.0.0.1", "::": null };

const bind = (server: Server, host: string, port: number): Promise<"ours" | "taken" | "missing"> =>
  new Promise((resolve) => {
    // Without the address family, or the right to the port, nobody else listens there either.
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "EADDRINUSE" ? "taken" : "missing"));
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => resolve("ours"));
    server.unref();
  });
