// The server's life: binding, one handler, an orderly end. Everything that decides is in the files beside it.
import type { ApiDeps } from "../api/call.ts";
import { createHttpServer } from "../http/server.ts";
import type { HttpLimits } from "../http/server.ts";
import type { RequestHandler } from "../http/connection-home.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import type { Forward } from "../proxy/deps.ts";
import { createAdmission } from "./admit.ts";
import { createGate } from "./gate.ts";
import { createHandler } from "./handle.ts";
import { isLoopback } from "../lib/host.ts";
import { bindError, unsafeBind } from "./listen-errors.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { Rate } from "./rate-limit.ts";
import { createRefusalReports } from "./refusal-reports.ts";
import type { RefusalReports } from "./refusal-reports.ts";
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

export type ServerDeps = Pick<ApiDeps, "commands" | "store" | "subscribe" | "version"> & {
  readonly settings: ServerSettings;
  readonly forward: Forward;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly random: Random;
  /** Null: nobody has to show a key. Only on loopback. */
  readonly key: Secret | null;
  /** Only tests have a reason to change them. */
  readonly timeouts?: Partial<HttpLimits>;
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

/**
 * A head has 15 seconds, head and body 10 minutes (large uploads over slow lines), whatever the answer takes; idle
 * connections are kept longer than any client keeps them, or a request would meet a closing socket.
 */
const standardTimeouts: HttpLimits = { headersMs: 15_000, requestMs: 600_000, checkMs: 2000, keepAliveMs: 600_000 };

/** Nothing is bound before `listen`. */
export const createServer = (deps: ServerDeps): Server => {
  const { clock, publish } = deps;
  const stopping = new AbortController();
  const reports = createRefusalReports({ publish, clock });
  const http = createHttpServer({ clock, limits: { ...standardTimeouts, ...deps.timeouts }, onTrouble: reports.troubled });

  const stopAccepting = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    http.stop();
  };
  const cut = (): void => {
    deps.onCut?.();
    http.cut();
  };

  return {
    async listen() {
      const { host, port } = deps.settings;
      if (deps.key === null && !isLoopback(host)) throw unsafeBind(host);
      const at = { host: host.replace(/^\[(.*)\]$/, "$1"), port };
      const bound = await http.listen(at, (own) => handlerFor(own, { deps, reports, stopping: stopping.signal })).catch((error: NodeJS.ErrnoException) => {
        throw bindError(error, host, port);
      });
      return { url: `http://${shownHost(host)}:${bound}`, host, port: bound };
    },
    stopAccepting,
    async close(drainMs) {
      stopAccepting();
      const timer = clock.setTimeout(cut, drainMs);
      await http.drain().finally(() => timer.cancel());
    },
    inFlight: http.open,
  };
};

type Parts = { readonly deps: ServerDeps; readonly reports: RefusalReports; readonly stopping: AbortSignal };

// The port is part of what is allowed (Host, cookie name), so the handler is made once it is known.
const handlerFor = (port: number, { deps, reports, stopping }: Parts): RequestHandler => {
  const { clock, random } = deps;
  const settings = { ...deps.settings, port };
  const sessions = createSessions({ random, clock, port });
  const { mode, refreshLeadSeconds } = settings;
  const routes = createRoutes({ ...deps, sessions, mode, refreshLeadSeconds, keyRequired: deps.key !== null, stopping });
  const gate = createGate({
    admission: createAdmission({ ...settings, key: deps.key, sessions }),
    routes,
    limits: { api: createRateLimit(settings.rateLimit.api, clock), auth: createRateLimit(settings.rateLimit.auth, clock) },
    maxBodyBytes: settings.maxBodyBytes,
  });
  return createHandler({ ...deps, gate, nextId: createRequestIds(random), reports, isStopping: () => stopping.aborted });
};

// Nobody can go to "every address": the one that always works is shown.
const shownHost = (host: string): string => {
  if (host === "0.0.0.0" || host === "::" || host === "[::]") return "127.0.0.1";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
};
