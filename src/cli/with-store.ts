// Opens the store, or the local key alone, for one command; the store is closed again, also when the command fails.
import type { CoreOptions } from "../app/core.ts";
import type { OpenKey } from "../app/open-key.ts";
import type { OpenStore } from "../app/open-store.ts";
import { createBus } from "../messages/bus.ts";
import type { Bus } from "../messages/bus.ts";
import type { CliContext, ParsedArgs, WithoutProcess } from "./context.ts";
import type { RunningQuery } from "./running.ts";
import { loadSettings, writeNotice } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** Runs `work` with the open store. Throws what reading the settings, opening and `work` throw. */
export const withStore = async <T>(context: CliContext, args: ParsedArgs, work: (store: OpenStore, settings: Settings) => Promise<T>): Promise<T> => {
  const settings = loadSettings(context, args);
  return withOpenStore(context, settings, (store) => {
    publishOpenDebugger(context, store.bus);
    return work(store, settings);
  });
};

/** The same with settings that were read already. Warnings of the store go to standard error. */
export const withOpenStore = async <T>(context: CliContext, settings: Settings, work: (store: OpenStore) => Promise<T>): Promise<T> => {
  const bus = createBus(context.clock);
  printNotices(context, bus);
  const store = await context.parts.openStore(coreOptions(context, settings, bus));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};

/** What `createApp` and `openStore` are opened with. */
export const coreOptions = (context: CliContext, { config, originOf, dir }: Settings, bus: Bus): WithoutProcess<CoreOptions> => ({
  config,
  encryptionIsGiven: originOf("storage.encryption").from !== "default",
  dir,
  version: context.version,
  environment: context.environment,
  askPassphrase: context.askPassphrase,
  clock: context.clock,
  bus,
});

/** Says so when the debugger of this process is open: who reaches it reads every secret in the memory. */
export const publishOpenDebugger = ({ debuggerAt }: Pick<CliContext, "debuggerAt">, { publish }: Pick<Bus, "publish">): void => {
  if (debuggerAt === null) return;
  publish({
    type: "notice",
    level: "warning",
    code: "debugger-open",
    message: `the debugger of this process is open at ${debuggerAt}: every user of this machine can read its memory, tokens too`,
    hint: "start it without --inspect (look at NODE_OPTIONS too)",
  });
};

/** The local key and where proxies run: the accounts stay unread, so a sealed store asks for no passphrase. */
export const openKeyOf = (context: CliContext, dir: string): Promise<OpenKey> => {
  const bus = createBus(context.clock);
  printNotices(context, bus);
  return context.parts.openKey({ dir, publish: bus.publish });
};

/** What `findRunning` and `lookAtPort` are asked with. */
export const runningQuery = async (context: CliContext, { config, dir }: Settings): Promise<RunningQuery> => {
  const { host, port } = config.server;
  return { host, port, ...(await openKeyOf(context, dir)), connect: context.connect };
};

// A repaired file mode, a damaged file that was moved aside, a revocation that did not get through.
const printNotices = (context: CliContext, bus: Bus): void =>
  void bus.subscribe((event) => {
    if (event.type === "notice" && event.level !== "info") writeNotice(context, event);
  }, "the notices on standard error");
