// The composition root of a running proxy: who is handed what. Read it as a table of contents.
import { createCredentials } from "../accounts/credentials.ts";
import { createSweep } from "../accounts/sweep.ts";
import type { Config } from "../config/schema.ts";
import type { Commands } from "../messages/commands.ts";
import { createForwarder } from "../proxy/forward.ts";
import type { Forward } from "../proxy/deps.ts";
import { createServer } from "../server/listen.ts";
import type { Server } from "../server/listen.ts";
import { respondError } from "../server/respond.ts";
import { createAccountCommands } from "./account-commands.ts";
import type { App, Listening } from "./app.ts";
import { openGround, planOf } from "./ground.ts";
import type { Ground } from "./ground.ts";
import { followStore } from "./follow-store.ts";
import { createLoginCommands } from "./login-commands.ts";
import type { Opening } from "./opening.ts";
import { createShutdown } from "./shutdown.ts";

export type AppOpening = Opening & {
  /** The account that every request uses, null to choose. */
  readonly accountId: string | null;
  /** Makes the forwarder; one that is altered on purpose shows what `doctor` finds. */
  readonly createForwarder?: typeof createForwarder;
};

/** Nothing listens before `start`. Throws `AppError` (`store-…`, `bad-config`, `unsafe-settings`, `unknown-account`). */
export const createApp = async (opening: AppOpening): Promise<App> => {
  const { config } = opening;
  const ground = await openGround(opening);
  const key = config.auth.required ? ground.key() : null;
  const cut = new AbortController();
  let listening: Listening | null = null;

  const commands: Commands = {
    ...createAccountCommands(ground),
    ...createLoginCommands(ground, { prepare: async () => loopbackOf(config, listening) }),
    stop: (reason) => shutdown.stop(reason),
  };
  const forward = forwarderOf(ground, { ...opening, cut: cut.signal });
  const server = serverOf(ground, { commands, forward, key, onCut: () => cut.abort() });
  const sweep = createSweep({
    clock: ground.clock,
    publish: ground.bus.publish,
    registry: ground.registry,
    refresher: ground.refresher,
    reload: ground.reload,
    settings: { ...planOf(config), everyMs: config.oauth.sweepSeconds * 1000 },
  });
  const follower = followStore(ground);
  const stopTimers = (): void => {
    sweep.stop();
    follower.stop();
  };
  const shutdown = createShutdown({ ground, server, drainSeconds: config.server.drainSeconds, stopTimers });
  renewAfterSleep(ground);

  return {
    config,
    dir: ground.dir,
    key,
    bus: ground.bus,
    store: ground.store,
    commands,
    stopped: shutdown.stopped,
    async start() {
      const { mode, accounts } = config;
      ground.bus.publish({ type: "config.loaded", mode, strategy: accounts.strategy, upstream: ground.upstream.origin, source: ground.dir });
      listening = await server.listen();
      shutdown.started();
      ground.bus.publish({ type: "server.listening", ...listening, mode, version: ground.version, pid: ground.pid });
      if (mode === "oauth") {
        sweep.start();
        follower.start();
      }
      return listening;
    },
  };
};

/** A sign-in on the running server: the browser comes back to the port that is open anyway. */
const loopbackOf = ({ oauth }: Config, listening: Listening | null) =>
  listening === null
    ? null
    : {
        redirectUri: oauth.callback ? `http://localhost:${listening.port}/callback` : null,
        shortUrl: `http://localhost:${listening.port}/login`,
      };

type Forwarding = Pick<AppOpening, "accountId" | "createForwarder"> & { readonly cut: AbortSignal };

const forwarderOf = (ground: Ground, { accountId, cut, createForwarder: make = createForwarder }: Forwarding): Forward => {
  const { config, registry, refresher, clock, bus, upstream } = ground;
  const credentials =
    config.mode === "pass-through"
      ? null
      : createCredentials({ clock, registry, refresher, reload: ground.reload, settings: { ...planOf(config), ...config.accounts } });
  const { headersTimeoutMs, bodyIdleTimeoutMs, silenceSeconds } = config.upstream;
  return make({
    upstream,
    credentials,
    publish: bus.publishBuffered,
    publishBuffered: bus.publishBuffered,
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

type Serving = { readonly commands: Commands; readonly forward: Forward; readonly key: App["key"]; readonly onCut: () => void };

const serverOf = (ground: Ground, { commands, forward, key, onCut }: Serving): Server => {
  const { config, store, bus, version, clock, random } = ground;
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

// After a sleep the pooled connections are dead without having said so.
const renewAfterSleep = ({ bus, upstream }: Ground): void => {
  bus.subscribe((event) => {
    if (event.type === "clock.jumped" && event.kind === "suspend") upstream.renewConnections();
  }, "the connections to the upstream");
};
