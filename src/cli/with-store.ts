// Opens the store for one command and closes it again, whatever happens in between.
import type { OpenStore } from "../app/open-store.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { Secret } from "../lib/secret.ts";
import { createBus } from "../messages/bus.ts";
import type { Bus } from "../messages/bus.ts";
import { loadSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { Given, StoreWish, World } from "./world.ts";

/** What `createApp` and `openStore` are opened with. */
export const openingOf = (world: World, { config, dir }: Settings, bus: Bus): StoreWish => ({
  config,
  dir,
  version: world.version,
  environment: world.environment,
  askPassphrase: world.askPassphrase,
  clock: world.clock,
  bus,
});

/** Runs `work` with the open store. Throws what reading the settings, opening and `work` throw. */
export const withStore = async <T>(world: World, given: Given, work: (store: OpenStore, settings: Settings) => Promise<T>): Promise<T> => {
  const settings = loadSettings(world, given);
  return withOpenStore(world, settings, (store) => work(store, settings));
};

/** The same with settings that were read already. What the store has to say goes to standard error. */
export const withOpenStore = async <T>(world: World, settings: Settings, work: (store: OpenStore) => Promise<T>): Promise<T> => {
  const bus = createBus(world.clock);
  tellNotices(world, bus);
  const store = await world.parts.openStore(openingOf(world, settings, bus));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};

/** The local key alone: the accounts stay unread, so a sealed store asks nobody for a passphrase. */
export const localKeyOf = (world: World, settings: Settings): Promise<Secret> =>
  withOpenStore(world, { ...settings, config: { ...settings.config, mode: "pass-through" } }, async (store) => store.key);

// A repaired file mode, a damaged file that was moved aside, a revocation that did not get through.
const tellNotices = (world: World, bus: Bus): void =>
  void bus.subscribe((event) => {
    if (event.type !== "notice" || event.level === "info") return;
    const hint = event.hint === null ? "" : `\n  ${visibleText(event.hint)}`;
    world.stderr.write(`claude-oauth-proxy: ${visibleText(event.message)}${hint}\n`);
  });
