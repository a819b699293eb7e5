// The way out, and the only file that knows undici: fixed-origin pools without HTTP/2 (it halved the
// throughput and puts every stream on one socket), without undici's own body timer, and with one policy
// for requests and for the token endpoint. A redirect is never followed, a certificate never unchecked.
import { createSecureContext, getCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import { Agent, Pool, buildConnector, fetch as undiciFetch } from "undici";
import type { Dispatcher } from "undici";
import type { Readable } from "node:stream";

import { AppError } from "../messages/errors.ts";
import { PooledCall } from "./call.ts";
import type { Call, CallListener, Line } from "./call.ts";
import { createProxyRule, originOf, refuseUncheckedTls } from "./outbound.ts";
import type { ProxyRule } from "./outbound.ts";
import { createSlots } from "./slots.ts";
import { openTunnel } from "./tunnel.ts";
import { failedBeyond } from "./tunnel-failure.ts";

export type UpstreamSettings = {
  readonly baseUrl: string;
  readonly connectTimeoutMs: number;
  /** Connections for plain requests; event streams come on top. */
  readonly connections: number;
  /** The setting `upstream.proxy`; null leaves it to the environment. */
  readonly proxy: string | null;
  /** The text of the PEM file named by `upstream.caFile`. */
  readonly ca: string | null;
};

/** One attempt. `path` is the client's own request target. */
export type UpstreamRequest = {
  /** Null: the configured one. */
  readonly baseUrl: string | null;
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
};

export type Upstream = {
  /** The configured origin, for messages. */
  readonly origin: string;
  /** Throws `AppError` (`bad-config`, `unsafe-settings`) for a base URL that is not allowed. */
  send(request: UpstreamRequest, listener: CallListener): Call;
  /** `fetch` through the same outbound proxy and certificate checks, for the token endpoint. */
  readonly fetch: typeof globalThis.fetch;
  /** Stops using the present connections (after a suspend they may be dead); open calls keep theirs. */
  renewConnections(): void;
  /** Breaks off what is open and closes every connection. */
  close(): Promise<void>;
};

// Streams are counted by the inbound side; this is only a net against a runaway.
const roomForStreams = 8192;
const mostOrigins = 16;
// api.anthropic.com's edge closes idle sockets after about 400 s; a hint of the server shortens ours.
const idleMs = 55_000;
const longestIdleMs = 60_000;
const maxHeaderSize = 64 * 1024;

type Origin = Line<UpstreamRequest> & { pool: Pool };

/** `env` is read for `HTTPS_PROXY`, `NO_PROXY` and `NODE_TLS_REJECT_UNAUTHORIZED`. Throws `AppError` for unsafe settings. */
export const createUpstream = (settings: UpstreamSettings, env: Readonly<Record<string, string | undefined>>): Upstream => {
  refuseUncheckedTls(env);
  const origin = originOf(settings.baseUrl);
  const connect = createConnector(settings, createProxyRule(settings.proxy, env));
  const agent = new Agent({ connect, allowH2: false, connections: 4, keepAliveTimeout: 4_000, maxHeaderSize });
  const origins = new Map<string, Origin>();

  const openPool = (name: string): Pool =>
    new Pool(name, {
      connect,
      allowH2: false,
      pipelining: 1,
      connections: settings.connections + roomForStreams,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: longestIdleMs,
      maxHeaderSize,
    });

  const find = (baseUrl: string | null): Origin => {
    const name = baseUrl === null ? origin : originOf(baseUrl);
    const known = origins.get(name);
    if (known !== undefined) return known;
    if (origins.size >= mostOrigins) throw new AppError({ code: "bad-config", message: `More than ${mostOrigins} different upstream base URLs.` });
    const made = openOrigin(openPool(name), settings.connections);
    origins.set(name, made);
    return made;
  };

  return {
    origin,
    send(request, listener) {
      const line = find(request.baseUrl);
      const call = new PooledCall(line, request, listener);
      line.slots.enter(call);
      return call;
    },
    fetch: boundFetch(agent),
    renewConnections() {
      for (const [name, entry] of origins) {
        void entry.pool.close();
        entry.pool = openPool(name);
      }
    },
    async close() {
      await Promise.all([agent.destroy(), ...[...origins.values()].map(({ pool }) => pool.destroy())]);
      origins.clear();
    },
  };
};

const openOrigin = (pool: Pool, connections: number): Origin => {
  const origin: Origin = {
    pool,
    slots: createSlots(connections),
    dispatch: (request, handler) => void origin.pool.dispatch(request as Dispatcher.DispatchOptions, handler as Dispatcher.DispatchHandler),
  };
  return origin;
};

const createConnector = (settings: UpstreamSettings, proxyFor: ProxyRule): buildConnector.connector => {
  const timing = { timeout: settings.connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000, allowH2: false };
  const plain = buildConnector(timing);
  let secure: { readonly context: SecureContext; readonly connect: buildConnector.connector } | null = null;
  // Reading the system's certificates takes tens of milliseconds: not before the first use.
  const secured = () => {
    if (secure !== null) return secure;
    const context = createSecureContext({ ca: trusted(settings.ca) });
    secure = { context, connect: buildConnector({ ...timing, secureContext: context, rejectUnauthorized: true }) };
    return secure;
  };
  return (options, callback) => {
    if (options.protocol !== "https:") return plain(options, callback);
    const { context, connect } = secured();
    const target = { hostname: options.hostname, port: options.port === "" ? 443 : Number(options.port) };
    const hop = proxyFor(target.hostname, target.port);
    if (hop === null) return connect(options, callback);
    openTunnel(hop, target, { timeoutMs: settings.connectTimeoutMs, secureContext: context }, (error, socket) => {
      if (socket === null) return callback(error ?? new Error("no tunnel"), null);
      return connect({ ...options, httpSocket: socket }, (...[failure, encrypted]) =>
        failure === null ? callback(null, encrypted) : callback(failedBeyond(hop, `https://${options.host ?? target.hostname}`, failure), null));
    });
  };
};

// Node's own list, NODE_EXTRA_CA_CERTS, the system's, and the configured file: all of them count.
const trusted = (ca: string | null): string[] => [
  ...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...(ca === null ? [] : [ca])]),
];

const boundFetch =
  (agent: Agent): typeof globalThis.fetch =>
  async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    // Throws for an unencrypted endpoint beyond loopback; the path is the caller's own.
    originOf(new URL(url).origin);
    const options = { ...init, redirect: "manual", dispatcher: agent } as Parameters<typeof undiciFetch>[1];
    return (await undiciFetch(url, options)) as unknown as Response;
  };
