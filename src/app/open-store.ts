// The store without a server, for commands that end by themselves: sign in, list, import, refresh.
import { someAccountServes } from "../accounts/credentials.ts";
import type { Bus } from "../messages/bus.ts";
import type { Commands } from "../messages/commands.ts";
import type { Store } from "../state/store.ts";
import { systemFiles } from "../storage/files.ts";
import { mergeImport, readImport } from "../storage/import.ts";
import type { MergeResult } from "../storage/import.ts";
import { createAccountCommands } from "./account-commands.ts";
import { openCore } from "./core.ts";
import type { Core, CoreOptions } from "./core.ts";
import { cancelOpen, createLoginCommands } from "./login-commands.ts";
import { createCallbackListeners } from "./loopback.ts";

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
  const login = createLoginCommands(core, callback.find);
  const close = async (): Promise<void> => {
    cancelOpen(login);
    await callback.close();
    await core.close();
  };
  return {
    commands: { ...createAccountCommands(core), ...login, canServe: () => someAccountServes(core, null), stop: close },
    store: core.store,
    bus: core.bus,
    importFile: (path) => importFile(core, path),
    close,
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
