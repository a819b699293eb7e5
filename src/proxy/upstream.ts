// The way out, and the only file that knows undici: pools of fixed origin without HTTP/2 (it halved the throughput and
// puts every stream on one socket), without undici's own timers, and with one policy for requests and for the token
// endpoint. A redirect is never followed, a certificate always checked.
import type { Readable } from "node:stream";
import { createSecureContext, getCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import { Agent, Pool, buildConnector, fetch as undiciFetch } from "undici";
import type { Dispatcher } from "undici";

import { isEventStream, valueOf, valuesOf } from "../lib/http-fields.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import { AppError } from "../messages/errors.ts";
import { checkedOrigin, createProxyRule, refuseUncheckedTls } from "./outbound-proxy.ts";
import type { ProxyRule } from "./outbound-proxy.ts";
import { openTunnel, tlsThroughTunnelFailed } from "./tunnel.ts";

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
  readonly signal: AbortSignal;
  /** A connection was made and the request is being written: from here on it may have been executed. */
  readonly onSent: () => void;
};

/** The answer of the upstream: its head, and its body still unread. Reads no more than 64 KiB ahead of its reader. */
export type UpstreamResponse = {
  readonly status: number;
  readonly headers: RawHeaders;
  /** Something of the body, or its end, is here already. */
  readonly hasBody: boolean;
  /** All of the body, when it came in one piece and with its end before a reader. */
  readonly whole: Buffer | null;
  /** Hands over every chunk in the tick it arrives. Resolves at the regular end; rejects when the upstream breaks off or the signal aborts. */
  read(onChunk: (chunk: Buffer) => void): Promise<void>;
  pause(): void;
  resume(): void;
  /** The rest is not wanted. */
  discard(): void;
};

export type Upstream = {
  /** The configured origin, for messages. */
  readonly origin: string;
  /**
   * Resolves with the final head (never 1xx). Rejects with an error of Node, of undici or with an `AppError`
   * (`bad-config`, `unsafe-settings`: a base URL that is not allowed), and with the signal's reason.
   */
  request(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** `fetch` through the same outbound proxy and certificate checks, for the token endpoint. */
  readonly fetch: typeof globalThis.fetch;
  /** Stops using the present connections (after a suspend they may be dead); open calls keep theirs. */
  renewConnections(): void;
  /** Breaks off what is open and closes every connection. */
  close(): Promise<void>;
};

// Streams are limited by the clients; this is only a bound against a runaway.
const mostStreams = 8192;
const mostOrigins = 16;
// api.anthropic.com's edge closes idle sockets after about 400 s; a hint of the server shortens ours.
const idleMs = 55_000;
const longestIdleMs = 60_000;
const maxHeaderSize = 64 * 1024;

type Origin = { pool: Pool; readonly places: Places; readonly isTls: boolean };

/** `env` is read for `HTTPS_PROXY`, `NO_PROXY` and `NODE_TLS_REJECT_UNAUTHORIZED`. Throws `AppError` for unsafe settings. */
export const createUpstream = (settings: UpstreamSettings, env: Readonly<Record<string, string | undefined>>): Upstream => {
  refuseUncheckedTls(env);
  const origin = checkedOrigin(settings.baseUrl);
  const resets = createResetWatch();
  const connect = createConnector(settings, createProxyRule(settings.proxy, env), resets);
  const agent = new Agent({ connect, allowH2: false, connections: 4, keepAliveTimeout: 4_000, maxHeaderSize });
  const origins = new Map<string, Origin>();

  const openPool = (name: string): Pool =>
    new Pool(name, {
      connect,
      allowH2: false,
      pipelining: 1,
      connections: settings.connections + mostStreams,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: longestIdleMs,
      maxHeaderSize,
    });

  const find = (baseUrl: string | null): Origin => {
    const name = baseUrl === null ? origin : checkedOrigin(baseUrl);
    const known = origins.get(name);
    if (known !== undefined) return known;
    if (origins.size >= mostOrigins) throw new AppError({ code: "bad-config", message: `More than ${mostOrigins} different upstream base URLs.` });
    const opened = { pool: openPool(name), places: new Places(settings.connections), isTls: name.startsWith("https:") };
    origins.set(name, opened);
    return opened;
  };

  return {
    origin,
    async request({ baseUrl, method, path, headers, body, signal, onSent }) {
      signal.throwIfAborted();
      const target = find(baseUrl);
      const call = new Call({ method, signal, onSent, places: target.places, mayBeCut: () => target.isTls || resets.isReset() });
      const place = target.places.take(call);
      if (place !== null) await Promise.race([place, call.head.promise]);
      if (!signal.aborted) target.pool.dispatch({ method, path, headers, body } as Dispatcher.DispatchOptions, call);
      return call.head.promise;
    },
    fetch: boundFetch(agent),
    renewConnections() {
      for (const [name, entry] of origins) {
        void entry.pool.close();
        entry.pool = openPool(name);
      }
    },
    async close() {
      const pools = [...origins.values()].map(({ pool }) => pool);
      origins.clear();
      await Promise.all([agent, ...pools].map((each) => each.destroy()));
    },
  };
};

/** The places for plain requests of one origin. An event stream gives its place back when it begins. */
class Places {
  private free: number;
  private waiting: Call[] = [];

  constructor(limit: number) {
    this.free = limit;
  }

  /** Null: `call` has a place. Else resolves when it has one. */
  take(call: Call): Promise<void> | null {
    if (this.free > 0) {
      this.free -= 1;
      call.hasPlace = true;
      return null;
    }
    this.waiting.push(call);
    return new Promise((resolve) => {
      call.admit = resolve;
    });
  }

  /** Gives the place of `call` to the next one that waits. The first time for each call counts. */
  release(call: Call): void {
    if (!call.hasPlace) {
      if (this.waiting.length > 0) this.waiting = this.waiting.filter((each) => each !== call);
      return;
    }
    call.hasPlace = false;
    const next = this.waiting.shift();
    if (next === undefined) {
      this.free += 1;
    } else {
      next.hasPlace = true;
      next.admit?.();
    }
  }
}

// More than any server has a reason to send; each is up to the header limit, so a flood must end.
const mostInterimAnswers = 16;
const readAheadBytes = 64 * 1024;

type CallOptions = Pick<UpstreamRequest, "method" | "signal" | "onSent"> & {
  readonly places: Places;
  /** Asked at the end of the connection: was it perhaps not the regular one? */
  readonly mayBeCut: () => boolean;
};

/** One call: undici's handler on one side, on the other the answer as a promise and a reader. */
class Call implements Dispatcher.DispatchHandler, UpstreamResponse {
  readonly head = Promise.withResolvers<UpstreamResponse>();
  /** Called when it gets the place that it waits for. */
  admit: (() => void) | null = null;
  hasPlace = false;
  status = 0;
  headers: RawHeaders = [];
  private readonly options: CallOptions;
  private controller: Dispatcher.DispatchController | null = null;
  private interim = 0;
  /** What came before its reader. */
  private chunks: Buffer[] = [];
  private ahead = 0;
  /** By its reader. */
  private paused = false;
  private onChunk: ((chunk: Buffer) => void) | null = null;
  private readonly end = Promise.withResolvers<void>();
  private over = false;

  constructor(options: CallOptions) {
    this.options = options;
    // Either may be rejected before its reader has come.
    this.head.promise.catch(() => {});
    this.end.promise.catch(() => {});
    options.signal.addEventListener("abort", this.abort, { once: true });
  }

  get hasBody(): boolean {
    return this.over || this.chunks.length > 0;
  }

  get whole(): Buffer | null {
    return this.over && this.chunks.length === 1 ? (this.chunks[0] ?? null) : null;
  }

  read(onChunk: (chunk: Buffer) => void): Promise<void> {
    this.onChunk = onChunk;
    const { chunks } = this;
    this.chunks = [];
    for (const chunk of chunks) onChunk(chunk);
    if (!this.paused) this.controller?.resume();
    return this.end.promise;
  }

  pause(): void {
    this.paused = true;
    this.controller?.pause();
  }

  resume(): void {
    this.paused = false;
    this.controller?.resume();
  }

  discard(): void {
    if (this.finish()) this.controller?.abort(new Error("the rest of this answer is not wanted"));
  }

  private readonly abort = (): void => {
    const reason = this.options.signal.reason as Error;
    if (!this.finish()) return;
    this.head.reject(reason);
    this.end.reject(reason);
    this.controller?.abort(reason);
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing is undici's only way to drop a request that waited without closing the good connection.
    if (this.over) throw new Error("aborted before it was sent");
    this.controller = controller;
    this.options.onSent();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.over) return;
    if (status < 200) {
      this.interim += 1;
      // Undici turns an exception here into the end of this call and of its connection.
      if (this.interim > mostInterimAnswers) throw badResponse("INTERIM_FLOOD", "too many interim answers");
      return;
    }
    const headers = latin1(controller.rawHeaders);
    // Undici takes any coding for granted and would hand out the coded bytes as content.
    const codings = valuesOf(headers, "transfer-encoding");
    if (codings.length > 0 && codings.join(",").toLowerCase() !== "chunked") throw badResponse("BAD_TRANSFER_ENCODING", "a transfer coding other than chunked");
    if (isEventStream(valueOf(headers, "content-type"))) this.options.places.release(this);
    this.status = status;
    this.headers = headers;
    this.head.resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.over) return;
    if (this.onChunk !== null) return this.onChunk(chunk);
    this.chunks.push(chunk);
    this.ahead += chunk.length;
    if (this.ahead >= readAheadBytes) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.finish()) return;
    if (this.endsWithConnection() && this.options.mayBeCut()) this.end.reject(badResponse("CLOSE_WITHOUT_LENGTH", "only the end of the connection marks the end of the body"));
    else this.end.resolve();
  }

  /**
   * RFC 9112 section 6.3, case 8. After a reset such a body is broken (RFC 9112 section 8). Over TLS it is complete only
   * after a `close_notify` (section 9.8), and Node reports a cut without one in the same way (measured on Node 24): broken.
   */
  private endsWithConnection(): boolean {
    if (this.options.method === "HEAD" || this.status === 204 || this.status === 304) return false;
    return valuesOf(this.headers, "content-length").length === 0 && valuesOf(this.headers, "transfer-encoding").length === 0;
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (!this.finish()) return;
    this.head.reject(error);
    this.end.reject(error);
  }

  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    this.options.signal.removeEventListener("abort", this.abort);
    this.options.places.release(this);
    return true;
  }
}

const badResponse = (code: string, message: string): Error => Object.assign(new Error(message), { code });

const latin1 = (raw: unknown): RawHeaders => (Array.isArray(raw) ? raw.map((each: Buffer | string) => (typeof each === "string" ? each : each.toString("latin1"))) : []);

/** Undici takes a reset for the regular end of a body without a length (8.12.4): `isReset` is true while a socket reports one. */
const createResetWatch = () => {
  let isReset = false;
  return {
    isReset: () => isReset,
    /** To be called before undici listens to the socket. */
    watch: (socket: buildConnector.CallbackArgs[1]): void =>
      void socket?.on("error", ({ code }: NodeJS.ErrnoException) => {
        isReset = code === "ECONNRESET";
        queueMicrotask(() => {
          isReset = false;
        });
      }),
  };
};

const createConnector = (settings: UpstreamSettings, proxyFor: ProxyRule, resets: ReturnType<typeof createResetWatch>): buildConnector.connector => {
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
    if (options.protocol !== "https:") {
      return plain(options, (...connected) => {
        resets.watch(connected[1]);
        callback(...connected);
      });
    }
    const { context, connect } = secured();
    const target = { hostname: options.hostname, port: options.port === "" ? 443 : Number(options.port) };
    const hop = proxyFor(target.hostname, target.port);
    if (hop === null) return connect(options, callback);
    openTunnel(hop, target, { timeoutMs: settings.connectTimeoutMs, secureContext: context }, (error, socket) => {
      if (socket === null) return callback(error ?? new Error("no tunnel"), null);
      return connect({ ...options, httpSocket: socket }, (...[failure, encrypted]) =>
        failure === null ? callback(null, encrypted) : callback(tlsThroughTunnelFailed(hop, `https://${options.host ?? target.hostname}`, failure), null));
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
    checkedOrigin(new URL(url).origin);
    const options = { ...init, redirect: "manual", dispatcher: agent } as Parameters<typeof undiciFetch>[1];
    return (await undiciFetch(url, options)) as unknown as Response;
  };
