// The settings of one command: data folder, preferences file, environment and flags put together.
import { createPreferencesFile } from "../config/file.ts";
import type { PreferencesFile } from "../config/file.ts";
import { loadConfig } from "../config/load.ts";
import type { Loaded } from "../config/load.ts";
import type { Config, Origin, SettingKey } from "../config/schema.ts";
import { visibleText } from "../lib/visible-text.ts";
import { AppError } from "../messages/errors.ts";
import { dataDir } from "../storage/paths.ts";
import type { CliContext, ParsedArgs } from "./context.ts";

export type Settings = { readonly config: Config; readonly originOf: (key: SettingKey) => Origin; readonly dir: string };

/** Every setting, or an `AppError` `bad-config` that names all mistakes at once. */
export const loadSettings = (context: CliContext, args: ParsedArgs): Settings => {
  const file = preferencesOf(context, args);
  const loaded = loadFrom(context, args, { path: file.path, values: file.read() ?? {} });
  if (!loaded.ok) throw badConfig(loaded.problems);
  return { config: loaded.config, originOf: loaded.originOf, dir: folderOf(context, args) };
};

/** The settings with `values` as the file's content. */
export const loadFrom = (context: CliContext, args: ParsedArgs, file: { readonly path: string; readonly values: Readonly<Record<string, unknown>> }): Loaded =>
  loadConfig({ flags: args.settings, set: args.global.set, environment: context.environment, file });

/** The preferences of the data folder; what a write of them repairs there goes to standard error. */
export const preferencesOf = (context: CliContext, args: ParsedArgs, { changesNothing = false } = {}): PreferencesFile =>
  createPreferencesFile({
    dir: folderOf(context, args),
    now: () => context.clock.now(),
    uid: context.uid,
    onNotice: (notice) => writeNotice(context, notice),
    changesNothing,
  });

/** A warning of the store, for commands without a log. */
export const writeNotice = ({ stderr }: Pick<CliContext, "stderr">, { message, hint }: { readonly message: string; readonly hint: string | null }): void => {
  const advice = hint === null ? "" : `\n  ${visibleText(hint)}`;
  stderr.write(`claude-oauth-proxy: ${visibleText(message)}${advice}\n`);
};

/** The data folder: `--dir`, environment, platform. */
export const folderOf = ({ environment: env, platform, home, cwd }: CliContext, { global: { dir } }: ParsedArgs): string =>
  dataDir({ platform, env, home, cwd }, dir);

/** All mistakes as one failure. */
export const badConfig = (problems: readonly string[]): AppError => {
  const [first = "", ...others] = problems;
  const message = others.length === 0 ? `${first}.` : `${problems.length} settings are wrong:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`;
  return new AppError({ code: "bad-config", message, hint: "`claude-oauth-proxy config list` shows every setting once these are right; `--help` the flags." });
};

/** The value of an option that takes one; null when it was not given. */
export const textOption = ({ options }: Pick<ParsedArgs, "options">, name: string): string | null => {
  const value = options[name];
  return typeof value === "string" ? value : null;
};
