// A tunnel through an outbound proxy (RFC 9110 section 9.3.6). Only the host and the port of the upstream
// are said to the proxy: no header of a request, and so no token, can reach this hop.
import { request as plainRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import { isIP } from "node:net";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";

import type { ProxyHop } from "./outbound.ts";
import { refusedBy, unreachableHop } from "./tunnel-failure.ts";

export type TunnelTarget = { readonly hostname: string; readonly port: number };
export type TunnelOptions = { readonly timeoutMs: number; readonly secureContext: SecureContext | undefined };

/**
 * Opens a TCP path to `target` through `hop`. Fails with an `AppError` that names the hop and the variable that set it;
 * its `cause` is there only when the hop itself could not be reached.
 */
export const openTunnel = (
  hop: ProxyHop,
  target: TunnelTarget,
  options: TunnelOptions,
  done: (error: Error | null, socket: Socket | null) => void,
): void => {
  const request = (hop.secure ? secureRequest : plainRequest)(connectOptions(hop, target, options));
  const limit = setTimeout(() => request.destroy(timedOut(options.timeoutMs)), options.timeoutMs).unref();
  // The client speaks first in TLS, so nothing can stand behind the proxy's answer.
  request.once("connect", (answer: IncomingMessage, socket: Socket) => {
    clearTimeout(limit);
    if (answer.statusCode === 200) return done(null, socket);
    socket.destroy();
    return done(refusedBy(hop, answer.statusCode ?? 0), null);
  });
  request.once("error", (cause: Error) => {
    clearTimeout(limit);
    done(unreachableHop(hop, cause), null);
  });
  request.end();
};

const connectOptions = (hop: ProxyHop, target: TunnelTarget, options: TunnelOptions): RequestOptions => {
  const authority = `${target.hostname.includes(":") ? `[${target.hostname}]` : target.hostname}:${target.port}`;
  return {
    method: "CONNECT",
    host: hop.hostname,
    port: hop.port,
    path: authority,
    agent: false,
    setHost: false,
    headers: { host: authority, ...(hop.authorization === null ? {} : { "proxy-authorization": hop.authorization.reveal() }) },
    // Node would take the name from the Host field, which is the upstream's; an address is no server name (RFC 6066 section 3).
    ...(hop.secure ? { secureContext: options.secureContext, rejectUnauthorized: true, servername: isIP(hop.hostname) === 0 ? hop.hostname : "" } : {}),
  };
};

const timedOut = (ms: number): Error => Object.assign(new Error(`no tunnel within ${ms} ms`), { code: "ETIMEDOUT" });
