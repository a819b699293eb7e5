// A tunnel through an outbound proxy (RFC 9110 section 9.3.6). The proxy learns only the host and the port of the
// upstream: no header of a request, and so no token, can reach this hop. undici's own ProxyAgent cannot name the hop
// that failed, and people need to know whether to look at the proxy or beyond it.
import { request as plainRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import type { SecureContext } from "node:tls";

import { bracketed } from "../lib/host.ts";
import { networkFailure } from "../lib/network-failure.ts";
import type { NetworkFailure } from "../lib/network-failure.ts";
import { AppError } from "../messages/errors.ts";
import type { ProxyHop } from "./outbound-proxy.ts";

/** The TCP path. */
export type Tunnel = IncomingMessage["socket"];

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
  done: (error: Error | null, socket: Tunnel | null) => void,
): void => {
  const request = (hop.secure ? secureRequest : plainRequest)(connectOptions(hop, target, options));
  const limit = setTimeout(() => request.destroy(timedOut(options.timeoutMs)), options.timeoutMs).unref();
  // The client speaks first in TLS, so nothing can stand behind the proxy's answer.
  request.once("connect", (answer: IncomingMessage, socket: Tunnel) => {
    clearTimeout(limit);
    if (answer.statusCode === 200) return done(null, socket);
    socket.destroy();
    return done(tunnelRefused(hop, answer.statusCode ?? 0), null);
  });
  request.once("error", (cause: Error) => {
    clearTimeout(limit);
    done(proxyUnreachable(hop, cause), null);
  });
  request.end();
};

const connectOptions = (hop: ProxyHop, target: TunnelTarget, options: TunnelOptions): RequestOptions => {
  const authority = `${bracketed(target.hostname)}:${target.port}`;
  return {
    method: "CONNECT",
    host: hop.hostname,
    port: hop.port,
    path: authority,
    agent: false,
    setHost: false,
    headers: { host: authority, ...(hop.authorization === null ? {} : { "proxy-authorization": hop.authorization.reveal() }) },
    // Node would take the name from the Host field, which is the upstream's; an address is no server name (RFC 6066 section 3).
    ...(hop.secure ? { secureContext: options.secureContext, rejectUnauthorized: true, servername: isAddress(hop.hostname) ? "" : hop.hostname } : {}),
  };
};

const isAddress = (host: string): boolean => host.includes(":") || /^\d+(?:\.\d+){3}$/.test(host);

const timedOut = (ms: number): Error => Object.assign(new Error(`no tunnel within ${ms} ms`), { code: "ETIMEDOUT" });

const named = ({ shown, source }: ProxyHop): string => `outbound proxy ${shown} (from ${source})`;

/** The proxy answered, and not with a tunnel. No `cause`: asking again cannot help. */
export const tunnelRefused = (hop: ProxyHop, status: number): AppError =>
  status === 407
    ? new AppError({
        code: "upstream-unreachable",
        message: `The ${named(hop)} wants a user name and a password (407).`,
        hint: `Write them into ${hop.source} as ${hop.secure ? "https" : "http"}://user:password@host:port.`,
      })
    : new AppError({
        code: "upstream-unreachable",
        message: `The ${named(hop)} refused the tunnel with status ${status}.`,
        hint: "Ask who runs that proxy, or exempt the upstream with NO_PROXY.",
      });

/** The proxy itself could not be reached. */
export const proxyUnreachable = (hop: ProxyHop, cause: Error): AppError => {
  const { kind, reason } = read(cause);
  return kind === "certificate"
    ? untrusted(`the ${named(hop)}`, { reason, hint: "Name its certificate authority with upstream.caFile.", cause })
    : new AppError({ code: codeFor(kind), message: `The ${named(hop)} could not be reached: ${reason}.`, hint: `Check ${hop.source}.`, cause });
};

/** The tunnel was open, and TLS with `origin` at its other end failed. */
export const tlsThroughTunnelFailed = (hop: ProxyHop, origin: string, cause: Error): AppError => {
  const { kind, reason } = read(cause);
  const end = `${origin}, reached through the ${named(hop)},`;
  return kind === "certificate"
    ? untrusted(end, { reason, hint: "If that proxy opens TLS, name its certificate authority with upstream.caFile.", cause })
    : new AppError({ code: codeFor(kind), message: `No TLS connection with ${end} could be agreed (${reason}).`, hint: `Check ${hop.source}, or exempt the upstream with NO_PROXY.`, cause });
};

const untrusted = (server: string, { reason, hint, cause }: { readonly reason: string; readonly hint: string; readonly cause: Error }): AppError =>
  new AppError({ code: "upstream-unreachable", message: `The certificate of ${server} is not trusted (${reason}); nothing was sent.`, hint, cause });

const read = (cause: Error): { readonly kind: NetworkFailure["kind"]; readonly reason: string } => {
  const { kind, code } = networkFailure(cause);
  return { kind, reason: code === "UNKNOWN" ? "no answer" : code };
};

const codeFor = (kind: NetworkFailure["kind"]): "upstream-timeout" | "upstream-unreachable" => (kind === "connect-timeout" || kind === "timeout" ? "upstream-timeout" : "upstream-unreachable");
