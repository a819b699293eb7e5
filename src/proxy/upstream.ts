// The way out: connections of our own to fixed origins, speaking HTTP/1.1 (one request at a time on each; HTTP/2
// would put every stream on one socket), and undici where it serves best: to connect, and for the token endpoint.
// One policy holds for both. A redirect is never followed, a certificate never unchecked.
import type { OnReadOpts } from "node:net";
import { createSecureContext, getCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import { Agent, buildConnector, fetch as undiciFetch } from "undici";

import { maxHeadBytes } from "../http/head-reader.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../messages/errors.ts";
import { PooledCall } from "./call.ts";
import type { Call, CallListener } from "./call.ts";
import { Connections } from "./connections.ts";
import type { OpenSocket } from "./connections.ts";
import { createProxyRule, originOf, refuseUncheckedTls } from "./outbound.ts";
import type { ProxyRule } from "./outbound.ts";
import { requestHead } from "./request-head.ts";
import type { BodyFraming } from "./request-head.ts";
import { sharedReads } from "./shared-reads.ts";
import { createSlots } from "./slots.ts";
import type { Slots } from "./slots.ts";
import type { Upload } from "./streamed-body.ts";
import { failedBeyond } from "./tunnel-failure.ts";
import { openTunnel } from "./tunnel.ts";

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
  /** Name, value, name, value …, each byte one latin-1 character. */
  readonly headers: readonly string[];
  readonly body: Buffer | Upload | null;
};

export type Upstream = {
  /** The configured origin, for messages. */
  readonly origin: string;
  /**
   * Throws `AppError` (`bad-config`, `unsafe-settings`) for a base URL that is not allowed, and a `WireFault`
   * (`INVALID_REQUEST`) for what cannot be written as HTTP.
   */
  send(request: UpstreamRequest, listener: CallListener): Call;
  /** `fetch` through the same outbound proxy and certificate checks, for the token endpoint. */
  readonly fetch: typeof globalThis.fetch;
  /** Stops using the present connections (after a suspend they may be dead); open calls keep theirs. */
  renewConnections(): void;
  /** Breaks off what is open and closes every connection. */
  close(): Promise<void>;
};

const mostOrigins = 16;

type Origin = { readonly host: string; readonly slots: Slots; readonly connections: Connections };

/** `env` is read for `HTTPS_PROXY`, `NO_PROXY` and `NODE_TLS_REJECT_UNAUTHORIZED`. Throws `AppError` for unsafe settings. */
export const createUpstream = (settings: UpstreamSettings, env: Readonly<Record<string, string | undefined>>, clock: Clock): Upstream => {
  refuseUncheckedTls(env);
  const origin = originOf(settings.baseUrl);
  const connectorFor = createConnectors(settings, createProxyRule(settings.proxy, env));
  const agent = new Agent({ connect: connectorFor({}), allowH2: false, connections: 4, keepAliveTimeout: 4_000, maxHeaderSize: maxHeadBytes });
  const origins = new Map<string, Origin>();

  const find = (baseUrl: string | null): Origin => {
    const name = baseUrl === null ? origin : originOf(baseUrl);
    const known = origins.get(name);
    if (known !== undefined) return known;
    if (origins.size >= mostOrigins) throw new AppError({ code: "bad-config", message: `More than ${mostOrigins} different upstream base URLs.` });
    const made = { host: new URL(name).host, slots: createSlots(settings.connections), connections: new Connections(opener(connectorFor, name), clock) };
    origins.set(name, made);
    return made;
  };

  return {
    origin,
    send({ baseUrl, method, path, headers, body }, listener) {
      const line = find(baseUrl);
      const head = requestHead({ method, path, host: line.host, headers, framing: framingOf(body) });
      const call = new PooledCall(line, { method, head, body }, listener);
      line.slots.enter(call);
      return call;
    },
    fetch: boundFetch(agent),
    renewConnections() {
      for (const { connections } of origins.values()) connections.renew();
    },
    async close() {
      await Promise.all([agent.destroy(), ...[...origins.values()].map(({ connections }) => connections.close())]);
      origins.clear();
    },
  };
};

const framingOf = (body: UpstreamRequest["body"]): BodyFraming => (body === null ? "none" : (body.length ?? "chunked"));

/** How one connection, or all of an agent, differ from the others. */
type Own = { readonly session?: Buffer | undefined; readonly onread?: OnReadOpts };
type Connectors = (own: Own) => buildConnector.connector;

const opener = (connectorFor: Connectors, origin: string): OpenSocket => {
  const { protocol, host, port, hostname } = new URL(origin);
  const options = { protocol, host, port, hostname: hostname.replace(/^\[|\]$/g, "") };
  // Of the last connection: the next one's handshake is shorter by it.
  let session: Buffer | undefined;
  return (onBytes, done) => {
    const connect = connectorFor({ session, onread: sharedReads(onBytes) });
    connect(options, (...[error, socket]) => {
      if (error !== null) return done(error, null);
      socket.on("session", (newest: Buffer) => void (session = newest));
      return done(null, socket);
    });
  };
};

const createConnectors = (settings: UpstreamSettings, proxyFor: ProxyRule): Connectors => {
  const timing = { timeout: settings.connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000, allowH2: false };
  let context: SecureContext | null = null;
  return (own) => {
    let plain: buildConnector.connector | null = null;
    let secured: buildConnector.connector | null = null;
    return (options, callback) => {
      if (options.protocol !== "https:") return (plain ??= buildConnector({ ...timing, ...own }))(options, callback);
      // Reading the system's certificates takes tens of milliseconds: not before the first use.
      context ??= createSecureContext({ ca: trusted(settings.ca) });
      const connect = (secured ??= buildConnector({ ...timing, ...own, secureContext: context, rejectUnauthorized: true }));
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
