// `status`: a running proxy's state when it is ours, else what the store holds. Never starts anything.
import { findRunning } from "./running.ts";
import { loadSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { longStatus, shortStatus, statusJson, toHealthAccount } from "./status-text.ts";
import type { Status } from "./status-text.ts";
import { localKeyOf, withOpenStore } from "./with-store.ts";
import type { Command, World } from "./world.ts";

/** Exit code 0 whether a proxy runs or not: the state was told. */
export const status: Command = async (world, given) => {
  const settings = loadSettings(world, given);
  const { config, dir } = settings;
  const running = await findRunning({ ...config.server, key: await localKeyOf(world, settings), fetch: world.fetch });
  // A sealed store stays sealed while a running proxy can tell.
  const known = running.is === "ours" ? { accounts: running.health.accounts, refreshes: running.refreshes ?? [] } : await stored(world, settings);
  const mode = running.is === "ours" ? running.health.mode : config.mode;
  world.stdout.write(`${render({ running, dir, mode, ...known }, given.options, world.clock.now())}\n`);
  return 0;
};

const stored = (world: World, settings: Settings): Promise<Pick<Status, "accounts" | "refreshes">> =>
  withOpenStore(world, settings, async ({ store }) => {
    const { accounts, refreshes } = store.snapshot();
    return { accounts: accounts.map((row) => toHealthAccount(row, refreshes)), refreshes };
  });

const render = (picture: Status, options: Readonly<Record<string, unknown>>, now: number): string => {
  if (options["json"] === true) return statusJson(picture);
  return options["short"] === true ? shortStatus(picture, now) : longStatus(picture, now);
};
