// The listening socket and its life: hardened node:http, one handler, an orderly end. Everything that
// decides is in the files beside it.
import { createServer as createHttpServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApiDeps } from "../api/call.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import type { Forward } from "../proxy/deps.ts";
import { createAdmission } from "./admit.ts";
import { createBrokenRequests } from "./broken-requests.ts";
import { createExchanges } from "./exchanges.ts";
import type { Exchanges } from "./exchanges.ts";
import { createGate } from "./gate.ts";
import { createHandler } from "./handle.ts";
import { isLoopback } from "../lib/loopback.ts";
import { bindError, unsafeBind } from "./listen-errors.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { Rate } from "./rate-limit.ts";
import { createRefusalReports } from "./refusal-reports.ts";
import { createRefuser } from "./refuse.ts";
import { createRequestIds } from "./request-id.ts";
import { createRoutes } from "./route.ts";
import { createSessions } from "./session-cookie.ts";

export type ServerSettings = {
  readonly mode: "oauth" | "pass-through";
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  readonly refreshLeadSeconds: number;
  readonly rateLimit: { readonly api: Rate | null; readonly auth: Rate | null };
};

/** Milliseconds. Only tests have a reason to change them. */
export type Timeouts = {
  /** For the head of a request. */
  readonly headersMs: number;
  /** For head and body of a request; says nothing about the answer. At least 300 s, or large uploads die. */
  readonly requestMs: number;
  /** How often the two are looked at. */
  readonly checkMs: number;
  /** Longer than any client keeps its idle connections, or a request meets a closing socket. */
  readonly keepAliveMs: number;
};

export type ServerDeps = Pick<ApiDeps, "commands" | "store" | "subscribe" | "version"> & {
  readonly settings: ServerSettings;
  readonly forward: Forward;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly random: Random;
  /** Null: nobody has to show a key. Only on loopback. */
  readonly key: Secret | null;
  readonly timeouts?: Partial<Timeouts>;
  /** Called when the drain time is over, before the connections are destroyed. */
  readonly onCut?: () => void;
};

export type Listening = { readonly url: string; readonly host: string; readonly port: number };

export type Server = {
  /** Binds. Throws `AppError`: `port-taken`, `unsafe-settings` (open to others without a key), `bad-config`. Once. */
  listen(): Promise<Listening>;
  /** No new connection and no new request from now on. */
  stopAccepting(): void;
  /** Stops accepting, closes idle connections, lets open exchanges finish for `drainMs`, destroys the rest. */
  close(drainMs: number): Promise<void>;
  /** Exchanges without a complete answer. */
  inFlight(): number;
};

const standardTimeouts: Timeouts = { headersMs: 15_000, requestMs: 600_000, checkMs: 2000, keepAliveMs: 600_000 };

/** Nothing is bound before `listen`. */
export const createServer = (deps: ServerDeps): Server => {
  const exchanges = createExchanges();
  const server = createHardened({ ...standardTimeouts, ...deps.timeouts });
  const stopping = new AbortController();
  server.on("connection", exchanges.connect);

  const stopAccepting = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    if (server.listening) server.close();
  };

  return {
    async listen() {
      const { host, port, ...rest } = deps.settings;
      if (deps.key === null && !isLoopback(host)) throw unsafeBind(host);
      await bind(server, host, port);
      const bound = (server.address() as AddressInfo).port;
      attach(server, { deps: { ...deps, settings: { host, port: bound, ...rest } }, exchanges, stopping: stopping.signal });
      return { url: `http://${shownHost(host)}:${bound}`, host, port: bound };
    },
    stopAccepting,
    async close(drainMs) {
      stopAccepting();
      const timer = deps.clock.setTimeout(() => cut(exchanges, deps.onCut), drainMs);
      await exchanges.drain().finally(() => timer.cancel());
    },
    inFlight: exchanges.open,
  };
};

const createHardened = (timeouts: Timeouts): HttpServer => {
  const server = createHttpServer({
    maxHeaderSize: 65_536,
    requireHostHeader: true,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    // Only the constructor takes this one: assigned later it has no effect (measured on Node 24).
    connectionsCheckingInterval: timeouts.checkMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    noDelay: true,
  });
  // The default silently drops every field after the 2000th: a second Host among them would not be seen.
  server.maxHeadersCount = 0;
  return server;
};

const bind = (server: HttpServer, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(bindError(error, host, port));
    server.once("error", failed);
    server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port, exclusive: true }, () => {
      server.off("error", failed);
      resolve();
    });
  });

type Attached = { readonly deps: ServerDeps; readonly exchanges: Exchanges; readonly stopping: AbortSignal };

// The port is part of what is allowed (Host, cookie name), so the handler is made once it is known.
const attach = (server: HttpServer, { deps, exchanges, stopping }: Attached): void => {
  const { settings, clock, random, publish } = deps;
  const nextId = createRequestIds(random);
  const sessions = createSessions({ random, clock, port: settings.port });
  const refuser = createRefuser(clock);
  const reports = createRefusalReports({ publish, clock });
  const broken = createBrokenRequests({ clock, exchanges, refuser, nextId, report: reports.refused });
  const { mode, refreshLeadSeconds } = settings;
  const routes = createRoutes({ ...deps, sessions, mode, refreshLeadSeconds, keyRequired: deps.key !== null, stopping });
  const gate = createGate({
    admission: createAdmission({ ...settings, key: deps.key, sessions }),
    routes,
    limits: { api: createRateLimit(settings.rateLimit.api, clock), auth: createRateLimit(settings.rateLimit.auth, clock) },
    maxBodyBytes: settings.maxBodyBytes,
  });
  const handle = createHandler({ ...deps, gate, nextId, exchanges, refuser, reports, broken, isStopping: () => stopping.aborted });
  server.on("request", handle).on("checkContinue", handle).on("checkExpectation", handle);
  // Without a listener an error while accepting would end the process.
  server.on("error", reports.troubled);
  server.on("clientError", broken.onClientError).on("connect", broken.onTakeover).on("upgrade", broken.onTakeover);
};

const cut = (exchanges: Exchanges, onCut: () => void = () => {}): void => {
  onCut();
  exchanges.cut();
};

// Nobody can go to "every address": the one that always works is shown.
const shownHost = (host: string): string => {
  if (host === "0.0.0.0" || host === "::" || host === "[::]") return "127.0.0.1";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
};
