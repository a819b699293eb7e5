// The listening socket and its life: a hardened node:http server, one handler, an orderly end. Everything that
// decides is in the files beside it.
import { createServer as createHttpServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { ApiDeps } from "../api/call.ts";
import type { Clock } from "../lib/clock.ts";
import { isLoopback, originOf } from "../lib/host.ts";
import { answerKeyChallenge } from "../lib/key-proof.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { ErrorParts } from "../messages/errors.ts";
import type { Forward } from "../proxy/forward.ts";
import { createAdmission } from "./admission.ts";
import { createChecks } from "./checks.ts";
import { createConnections } from "./connections.ts";
import type { Connections } from "./connections.ts";
import { createHandler } from "./handler.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { Rate } from "./rate-limit.ts";
import { createRefusalReports } from "./refusal-reports.ts";
import { createRoutes } from "./routes.ts";
import { createSessions } from "./sessions.ts";

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
export type ServerTimeouts = {
  /** For the head of a request. */
  readonly headersMs: number;
  /** For head and body of a request; says nothing about the answer. At least 300 s, or large uploads die. */
  readonly requestMs: number;
  /** How often the two are checked. */
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
  readonly key: Secret;
  /** False opens what is forwarded to everyone who reaches the port: only on loopback. */
  readonly keyRequired: boolean;
  readonly timeouts?: Partial<ServerTimeouts>;
  /** Called when the drain time is over, just before the connections are destroyed. */
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

const standardTimeouts: ServerTimeouts = { headersMs: 15_000, requestMs: 600_000, checkMs: 2000, keepAliveMs: 600_000 };

/** Nothing is bound before `listen`. */
export const createServer = (deps: ServerDeps): Server => {
  const connections = createConnections(deps.clock);
  const server = createHardened({ ...standardTimeouts, ...deps.timeouts });
  const stopping = new AbortController();
  server.on("connection", connections.accept);

  const stopAccepting = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    if (server.listening) server.close();
  };

  return {
    async listen() {
      const { host, port, ...rest } = deps.settings;
      if (!deps.keyRequired && !isLoopback(host)) throw unsafeBind(host);
      await bind(server, host, port);
      const { address, port: bound } = server.address() as { readonly address: string; readonly port: number };
      attachHandler(server, { deps: { ...deps, settings: { host, port: bound, ...rest } }, connections, stopping: stopping.signal });
      // A name such as localhost may lead a client to another address, where another user's program may listen.
      return { url: originOf(isLoopback(host) ? address : host, bound), host, port: bound };
    },
    stopAccepting,
    async close(drainMs) {
      stopAccepting();
      const timer = deps.clock.setTimeout(() => {
        deps.onCut?.();
        // In this turn a request without an answer gets its 503, in the next one an answer in its middle is broken off.
        setImmediate(() => setImmediate(connections.destroy));
      }, drainMs);
      await connections.drain().finally(() => timer.cancel());
    },
    inFlight: connections.inFlight,
  };
};

const createHardened = (timeouts: ServerTimeouts): HttpServer => {
  const server = createHttpServer({
    maxHeaderSize: 65_536,
    // Counted by admission: node:http would answer 400 by itself, and a second 400 could follow it.
    requireHostHeader: false,
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

type Attached = { readonly deps: ServerDeps; readonly connections: Connections; readonly stopping: AbortSignal };

// The port is part of what is allowed (Host, cookie name), so the handler is made once it is known.
const attachHandler = (server: HttpServer, { deps, connections, stopping }: Attached): void => {
  const { settings, clock, random, publish } = deps;
  const { mode, refreshLeadSeconds, rateLimit, maxBodyBytes } = settings;
  const sessions = createSessions({ random, clock, port: settings.port });
  const reports = createRefusalReports({ publish, clock });
  stopping.addEventListener("abort", reports.flush, { once: true });
  const rateLimitOf = (rate: Rate | null) => (rate === null ? null : createRateLimit(rate, clock));
  const admit = createAdmission({
    checks: createChecks({ ...settings, key: deps.key, keyRequired: deps.keyRequired, sessions }),
    routes: createRoutes({ ...deps, sessions, proveKey: (challenge) => answerKeyChallenge(deps.key, challenge), mode, refreshLeadSeconds, stopping }),
    limits: { api: rateLimitOf(rateLimit.api), auth: rateLimitOf(rateLimit.auth) },
    maxBodyBytes,
  });
  const { onRequest, onClientError, onConnect } = createHandler({ ...deps, admit, connections, reports, isStopping: () => stopping.aborted });
  server.on("request", onRequest).on("checkContinue", onRequest).on("checkExpectation", onRequest);
  // No `upgrade` listener: node:http then treats such a request as if it did not ask for one (RFC 9110 section 7.8).
  server.on("clientError", onClientError).on("connect", onConnect);
  // Without a listener an error while accepting would end the process.
  server.on("error", reports.troubled);
};

/** Anyone in the network could spend the plan: refused before anything is bound. */
const unsafeBind = (host: string): AppError =>
  new AppError({
    code: "unsafe-settings",
    message: `Listening on ${host} lets other machines in, and auth.required is off.`,
    hint: "Set auth.required to true, or listen on 127.0.0.1.",
  });

/** The failure of `listen` as an `AppError`: `port-taken`, or `bad-config` for what cannot work at all. */
const bindError = (error: NodeJS.ErrnoException, host: string, port: number): AppError => new AppError({ ...bindErrorParts(error.code, host, port), cause: error });

const bindErrorParts = (code: string | undefined, host: string, port: number): ErrorParts => {
  switch (code) {
    case "EADDRINUSE":
      return { code: "port-taken", message: `Port ${port} on ${host} is already in use.`, hint: "Another claude-oauth-proxy may be running (see `claude-oauth-proxy status`); or choose another port with --port, 0 for any free one." };
    case "EACCES":
    case "EPERM":
      return { code: "bad-config", message: `This user may not listen on port ${port}.`, hint: "Choose a port above 1023, such as --port 4001." };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAFNOSUPPORT":
    case "EINVAL":
      return { code: "bad-config", message: `"${host}" is no address of this machine.`, hint: "Set server.host to 127.0.0.1, or to an address this machine has." };
    default:
      return { code: "bad-config", message: `Could not listen on ${host}, port ${port} (${code ?? "unknown error"}).` };
  }
};
