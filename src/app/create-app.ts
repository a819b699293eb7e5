// The composition root of a running proxy: what each part is given. Read it as a table of contents.
import { createCredentials, someAccountServes } from "../accounts/credentials.ts";
import { createRefreshLoop } from "../accounts/refresh-loop.ts";
import { base64url } from "../lib/random.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Commands } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { createForwarder } from "../proxy/forward.ts";
import type { Forward } from "../proxy/forward.ts";
import { createServer } from "../server/server.ts";
import type { Server } from "../server/server.ts";
import { respondError } from "../server/respond.ts";
import { createAccountCommands, refusedAccountCommands } from "./account-commands.ts";
import type { App, Listening } from "./app.ts";
import { openCore, refreshSettings } from "./core.ts";
import type { Core, CoreOptions } from "./core.ts";
import { cancelOpen, createLoginCommands, passThrough } from "./login-commands.ts";
import { createServerLoopback } from "./loopback.ts";

export type AppOptions = CoreOptions & {
  /** The account that every request uses, null to choose. */
  readonly accountId: string | null;
  /** It ends with one command: no other command may come to depend on it. Default: it stays. */
  readonly forOneCommand?: boolean;
};

/** Nothing listens before `start`. Throws `AppError` (`store-…`, `bad-config`, `unsafe-settings`, `unknown-account`). */
export const createApp = async (options: AppOptions): Promise<App> => {
  const { config } = options;
  const core = await openCore(options);
  const key = localKeyOf(core);
  core.bus.hide(() => [key]);
  const cut = new AbortController();
  let listening: Listening | null = null;

  const loopback = createServerLoopback(core, () => listening);
  const commands: Commands = {
    ...(config.mode === "pass-through" ? refusedAccountCommands(passThrough) : createAccountCommands(core)),
    canServe: () => config.mode === "pass-through" || someAccountServes(core, options.accountId),
    ...createLoginCommands(core, loopback.find),
    stop: (reason) => shutdown.stop(reason),
  };
  const forward = forwarderOf(core, { accountId: options.accountId, localKey: key, cut: cut.signal });
  const server = serverOf(core, { commands, forward, key, onCut: () => cut.abort() });
  const refreshLoop = createRefreshLoop({
    clock: core.clock,
    publish: core.bus.publish,
    registry: core.registry,
    refresher: core.refresher,
    reload: core.reload,
    storeChanged: core.accounts.changed,
    settings: { ...refreshSettings(config), everyMs: config.oauth.sweepSeconds * 1000 },
  });
  const shutdown = createShutdown({ core, server, drainSeconds: config.server.drainSeconds, stopTimers: refreshLoop.stop, endLogin: () => (cancelOpen(commands), void loopback.close()) });
  renewAfterSleep(core);

  return {
    config,
    dir: core.dir,
    key: config.auth.required ? key : null,
    bus: core.bus,
    store: core.store,
    commands,
    stopped: shutdown.stopped,
    async start() {
      const { mode, accounts } = config;
      core.bus.publish({ type: "config.loaded", mode, strategy: accounts.strategy, upstream: core.upstream.origin, source: core.dir });
      listening = await server.listen();
      shutdown.started();
      await announce(core, { url: listening.url, version: core.version, forOneCommand: options.forOneCommand === true });
      core.bus.publish({ type: "server.listening", ...listening, mode, version: core.version, pid: core.pid });
      if (mode === "oauth") refreshLoop.start();
      return listening;
    },
  };
};

// Commands then look for it at the configured port only, which is no reason not to serve.
const announce = async ({ proxyFile, bus }: Core, entry: Parameters<Core["proxyFile"]["add"]>[0]): Promise<void> => {
  try {
    await proxyFile.add(entry);
  } catch (error) {
    const { message, hint = null } = error instanceof AppError ? error : { message: "proxy.json cannot be written" };
    bus.publish({ type: "notice", level: "warning", code: "proxy-file-unwritten", message, hint });
  }
};

/** Where no request needs the key, a folder that cannot hold one must not keep the proxy from starting: then a key that no caller can know. */
const localKeyOf = (core: Core): Secret => {
  try {
    return core.key();
  } catch (error) {
    if (core.config.auth.required) throw error;
    return secret(base64url(core.random(32)));
  }
};

const forwarderOf = (core: Core, { accountId, localKey, cut }: Pick<AppOptions, "accountId"> & { readonly localKey: Secret; readonly cut: AbortSignal }): Forward => {
  const { config, registry, refresher, clock, bus, upstream } = core;
  const credentials =
    config.mode === "pass-through"
      ? null
      : createCredentials({ clock, registry, refresher, reload: core.reload, settings: { ...refreshSettings(config), ...config.accounts } });
  const { headersTimeoutMs, bodyIdleTimeoutMs, silenceSeconds } = config.upstream;
  return createForwarder({
    upstream,
    credentials,
    localKey,
    publish: bus.publishBuffered,
    hide: bus.hide,
    clock,
    cut,
    respondError,
    settings: {
      maxBodyBytes: config.server.maxBodyBytes,
      headersTimeoutMs,
      bodyIdleTimeoutMs,
      silenceSeconds,
      retry: config.retry,
      models: config.models,
      accountId,
    },
  });
};

type Serving = { readonly commands: Commands; readonly forward: Forward; readonly key: Secret; readonly onCut: () => void };

const serverOf = (core: Core, { commands, forward, key, onCut }: Serving): Server => {
  const { config, store, bus, version, clock, random } = core;
  const { host, port, allowedHosts, allowedOrigins, maxBodyBytes } = config.server;
  return createServer({
    commands,
    store,
    subscribe: bus.subscribe,
    version,
    forward,
    publish: bus.publishBuffered,
    clock,
    random,
    key,
    keyRequired: config.auth.required,
    onCut,
    settings: {
      mode: config.mode,
      host,
      port,
      allowedHosts,
      allowedOrigins,
      maxBodyBytes,
      refreshLeadSeconds: config.oauth.refreshLeadSeconds,
      rateLimit: config.rateLimit,
    },
  });
};

// After a sleep the pooled connections are dead, and no packet said so.
const renewAfterSleep = ({ bus, upstream }: Core): void => {
  bus.subscribe((event) => {
    if (event.type === "clock.jumped" && event.kind === "suspend") upstream.renewConnections();
  }, "the connections to the upstream");
};

type Shutdown = {
  /** The server listens from now on: only then is there something to report. */
  started(): void;
  stop(reason: string): Promise<void>;
  readonly stopped: Promise<void>;
};

type ShutdownDeps = {
  readonly core: Core;
  readonly server: Pick<Server, "close" | "inFlight">;
  readonly drainSeconds: number;
  readonly stopTimers: () => void;
  readonly endLogin: () => void;
};

/**
 * The orderly end: no new request, open ones may finish, a refresh in flight is waited for, then everything is
 * closed. A second call of `stop` cuts the first one short.
 */
const createShutdown = ({ core, server, drainSeconds, stopTimers, endLogin }: ShutdownDeps): Shutdown => {
  const { bus, clock, store } = core;
  let startedAt: number | null = null;
  let running: Promise<void> | null = null;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();

  const run = async (reason: string): Promise<void> => {
    if (startedAt !== null) bus.publish({ type: "server.stopping", reason, inFlight: server.inFlight(), drainSeconds });
    stopTimers();
    endLogin();
    // From here on the port is closed to new requests, so no command should be sent there.
    await Promise.all([server.close(drainSeconds * 1000), core.proxyFile.remove().catch(() => {})]);
    if (startedAt !== null) {
      const uptimeSeconds = Math.round((clock.monotonic() - startedAt) / 1000);
      bus.publish({ type: "server.stopped", requestsTotal: store.snapshot().requests.total, uptimeSeconds });
    }
    await core.close();
    resolve();
  };

  return {
    started() {
      startedAt = clock.monotonic();
    },
    stop(reason) {
      if (running !== null) void server.close(0);
      running ??= run(reason);
      return running;
    },
    stopped,
  };
};
