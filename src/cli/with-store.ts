// Opens the store for one command and closes it again, whatever happens in between.
import { passphraseAsker } from "./ask-passphrase.ts";
import { loadSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { Given, OpenStore, Opening, World } from "./world.ts";

/** What `createApp` and `openStore` are opened with. */
export const openingOf = (world: World, { config, dir }: Settings): Opening => ({
  config,
  dir,
  version: world.version,
  environment: world.environment,
  askPassphrase: passphraseAsker(world),
});

/** Runs `work` with the open store. Throws what reading the settings, opening and `work` throw. */
export const withStore = async <T>(world: World, given: Given, work: (store: OpenStore, settings: Settings) => Promise<T>): Promise<T> => {
  const settings = loadSettings(world, given);
  return withOpenStore(world, settings, (store) => work(store, settings));
};

/** The same with settings that were read already. */
export const withOpenStore = async <T>(world: World, settings: Settings, work: (store: OpenStore) => Promise<T>): Promise<T> => {
  const store = await world.parts.openStore(openingOf(world, settings));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};

/** Notices of the store (a repaired file mode, a failed revocation) as lines on standard error. */
export const tellNotices = (world: World, store: Pick<OpenStore, "bus">): (() => void) =>
  store.bus.subscribe((event) => {
    if (event.type === "notice" && event.level !== "info") world.stderr.write(`claude-oauth-proxy: ${event.message}${event.hint === null ? "" : `\n  ${event.hint}`}\n`);
  });
