// `status`: a running proxy's state when it is ours, else what the store holds. Never starts anything.
import { findRunning } from "./running.ts";
import { longStatus, shortStatus, statusJson, toHealthAccount } from "./status-text.ts";
import type { Status } from "./status-text.ts";
import { withStore } from "./with-store.ts";
import type { Command } from "./world.ts";

/** Exit code 0 whether a proxy runs or not: the state was told. */
export const status: Command = (world, given) =>
  withStore(world, given, async ({ key, store }, { config, dir }) => {
    const running = await findRunning({ ...config.server, key, fetch: world.fetch });
    const accounts = running.is === "ours" ? running.health.accounts : store.snapshot().accounts.map(toHealthAccount);
    const mode = running.is === "ours" ? running.health.mode : config.mode;
    const picture: Status = { running, dir, mode, accounts };
    world.stdout.write(`${render(picture, given.options, world.clock.now())}\n`);
    return 0;
  });

const render = (picture: Status, options: Readonly<Record<string, unknown>>, now: number): string => {
  if (options["json"] === true) return statusJson(picture);
  return options["short"] === true ? shortStatus(picture, now) : longStatus(picture, now);
};
