// The store without a server, for commands that end by themselves: sign in, list, import, refresh.
import { someAccountServes } from "../accounts/credentials.ts";
import { callbackPage } from "../api/login.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands } from "../messages/commands.ts";
import { loginLifeMs } from "../oauth/login-flow.ts";
import { listenForCallback } from "../oauth/callback.ts";
import type { CallbackListener } from "../oauth/callback.ts";
import type { Store } from "../state/store.ts";
import { systemFiles } from "../storage/files.ts";
import { mergeImport, readImport } from "../storage/import.ts";
import type { MergeResult } from "../storage/import.ts";
import { createAccountCommands } from "./account-commands.ts";
import { openCore } from "./core.ts";
import type { Core, CoreOptions } from "./core.ts";
import { createLoginCommands } from "./login-commands.ts";
import type { FindLoopback } from "./login-commands.ts";

export type OpenStore = {
  readonly commands: Commands;
  readonly store: Store;
  readonly bus: Bus;
  /** Reads a file of another program into the store; an account that is there already is kept. */
  importFile(path: string): Promise<Imported>;
  close(): Promise<void>;
};

export type Imported = {
  readonly imported: readonly string[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
};

/** Throws what opening the store throws. */
export const openStore = async (options: CoreOptions): Promise<OpenStore> => {
  const core = await openCore(options);
  // The first command of a folder makes the key, so that it can be looked up before the first start.
  core.key();
  const callback = createCallbackListeners(core);
  const close = async (): Promise<void> => {
    await callback.close();
    await core.close();
  };
  return {
    commands: { ...createAccountCommands(core), ...createLoginCommands(core, callback.open), canServe: () => someAccountServes(core, null), stop: close },
    store: core.store,
    bus: core.bus,
    importFile: (path) => importFile(core, path),
    close,
  };
};

/** One listener for each sign-in, gone as soon as the sign-in has ended. */
const createCallbackListeners = ({ config, clock, random, bus }: Core) => {
  let listener: CallbackListener | null = null;
  const close = async (): Promise<void> => {
    await listener?.close();
    listener = null;
  };
  bus.subscribe((event) => {
    // One that was superseded was closed before the listener of its successor opened.
    if (event.type === "login.failed" && event.errorCode !== "superseded") void close();
  }, "the callback listener");
  return {
    close,
    async open(complete: Parameters<FindLoopback>[0]) {
      await close();
      if (!config.oauth.callback) return null;
      listener = await listenForCallback({ clock, lifeMs: loginLifeMs, complete, page: (result) => callbackPage(result, { random, accountsPage: null }) });
      return { redirectUri: listener.redirectUri, shortUrl: null };
    },
  };
};

const importFile = async ({ accounts, registry, clock }: Core, path: string): Promise<Imported> => {
  const read = readImport(path, { files: systemFiles, now: clock.now() });
  let results: readonly MergeResult[] = [];
  const stored = await accounts.update((current) => {
    const merged = mergeImport(current, read.accounts);
    results = merged.results;
    return merged.accounts;
  });
  registry.replaceAll(stored, "imported");
  const kept = results.filter(({ outcome }) => outcome === "kept");
  return {
    imported: results.filter(({ outcome }) => outcome !== "kept").map(({ id }) => id),
    skipped: [
      ...kept.map(({ id, from }) => ({ id: from, reason: id === from ? "it is here already" : `it is here already as ${id}` })),
      ...read.problems.map((reason) => ({ id: path, reason })),
    ],
  };
};
