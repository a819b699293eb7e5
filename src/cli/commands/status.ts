// `status`: a running proxy's state when it is ours, else what the store holds. Never starts anything.
import { findRunning } from "../running.ts";
import { loadSettings } from "../settings.ts";
import type { Settings } from "../settings.ts";
import { longStatus, shortStatus, statusJson, toHealthAccount } from "./status-text.ts";
import type { Status } from "./status-text.ts";
import { localKeyOf, withOpenStore } from "../with-store.ts";
import type { Command, CliContext } from "../context.ts";

/** Exit code 0 whether a proxy runs or not: the state was told. */
export const status: Command = async (context, args) => {
  const settings = loadSettings(context, args);
  const { config, dir } = settings;
  const running = await findRunning({ ...config.server, key: await localKeyOf(context, settings), fetch: context.fetch });
  // A sealed store stays sealed while a running proxy can tell.
  const known = running.is === "ours" ? { accounts: running.health.accounts, refreshes: running.refreshes ?? [] } : await stored(context, settings);
  const mode = running.is === "ours" ? running.health.mode : config.mode;
  context.stdout.write(`${render({ running, dir, mode, ...known }, args.options, context.clock.now())}\n`);
  return 0;
};

const stored = (context: CliContext, settings: Settings): Promise<Pick<Status, "accounts" | "refreshes">> =>
  withOpenStore(context, settings, async ({ store }) => {
    const { accounts, refreshes } = store.snapshot();
    return { accounts: accounts.map((row) => toHealthAccount(row, refreshes)), refreshes };
  });

const render = (picture: Status, options: Readonly<Record<string, unknown>>, now: number): string => {
  if (options["json"] === true) return statusJson(picture);
  return options["short"] === true ? shortStatus(picture, now) : longStatus(picture, now);
};
