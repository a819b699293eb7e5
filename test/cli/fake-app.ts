// A proxy that listens nowhere: it publishes what a real one publishes and stops when it is asked to.
import type { App } from "../../src/app/app.ts";
import type { AppOptions } from "../../src/app/create-app.ts";
import type { WithoutProcess } from "../../src/cli/context.ts";
import { secret } from "../../src/lib/secret.ts";
import type { Commands } from "../../src/messages/commands.ts";
import { AppError } from "../../src/messages/errors.ts";
import type { AccountRow, AppState } from "../../src/state/state.ts";

type CreateOptions = WithoutProcess<AppOptions>;

/** Of no shape that a redaction could know. */
export const appKey = "a key that a person has chosen";

export type FakeApps = {
  readonly createApp: (options: CreateOptions) => Promise<App>;
  /** What every app was created with, in order. */
  readonly created: CreateOptions[];
  /** The reasons of every stop. */
  readonly stops: string[];
  /** Stops the newest one as the screen does. */
  quit(): Promise<void>;
};

export const fakeApps = ({ accounts = [], takenPorts = [] }: { accounts?: readonly AccountRow[]; takenPorts?: readonly number[] } = {}): FakeApps => {
  const created: CreateOptions[] = [];
  const stops: string[] = [];
  const running: App[] = [];
  const createApp = async (options: CreateOptions): Promise<App> => {
    created.push(options);
    const app = appOf(options, { accounts, takenPorts, stops });
    running.push(app);
    return app;
  };
  return { createApp, created, stops, quit: () => running.at(-1)?.commands.stop("quit") ?? Promise.resolve() };
};

type Facts = { readonly accounts: readonly AccountRow[]; readonly takenPorts: readonly number[]; readonly stops: string[] };

const appOf = ({ config, dir, bus }: CreateOptions, { accounts, takenPorts, stops }: Facts): App => {
  if (bus === undefined) throw new Error("nobody would hear what opening has to say");
  bus.hide(() => [secret(appKey)]);
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const { host, port } = config.server;
  const stop: Commands["stop"] = async (reason) => {
    stops.push(reason);
    bus.publish({ type: "server.stopped", requestsTotal: 0, uptimeSeconds: 1 });
    resolve();
  };
  return {
    config,
    dir,
    key: secret(appKey),
    bus,
    store: { snapshot: () => ({ accounts }) as unknown as AppState, subscribe: () => () => {} },
    commands: { stop, addApiKey: async () => ({ accountId: "api-key" }) } as unknown as Commands,
    stopped,
    async start() {
      if (takenPorts.includes(port)) throw new AppError({ code: "port-taken", message: "taken" });
      bus.publish({ type: "server.listening", url: `http://127.0.0.1:${port}`, host, port, mode: config.mode, version: "0.1.0", pid: 1 });
      return { url: `http://127.0.0.1:${port}`, host, port };
    },
  };
};
