// The settings of one command: data folder, preferences file, environment and flags put together.
import { createPreferencesFile } from "../config/file.ts";
import type { PreferencesFile } from "../config/file.ts";
import { loadConfig } from "../config/load.ts";
import type { GivenFlag, Loaded } from "../config/load.ts";
import type { Config, Origin, SettingKey } from "../config/schema.ts";
import { AppError } from "../messages/errors.ts";
import { dataDir } from "../storage/paths.ts";
import type { ParsedArgs, CliContext } from "./context.ts";

export type Settings = { readonly config: Config; readonly originOf: (key: SettingKey) => Origin; readonly dir: string };

/** Flags of `start`, `demo` and `run` that stand for one setting. */
export const settingFlags: Readonly<Record<string, SettingKey>> = {
  port: "server.port",
  host: "server.host",
  mode: "mode",
  "log-level": "log.level",
  "log-format": "log.format",
  "log-file": "log.file",
};

/** The data folder: `--dir`, environment, platform. */
export const folderOf = (context: CliContext, args: ParsedArgs): string => {
  const { environment: env, platform, home, cwd } = context;
  return args.global.dir === undefined ? dataDir({ platform, env, home, cwd }) : dataDir({ platform, env, home, cwd }, args.global.dir);
};

/** The preferences of that folder. */
export const preferencesOf = (context: CliContext, args: ParsedArgs): PreferencesFile => createPreferencesFile(folderOf(context, args), () => context.clock.now());

/** Every setting, or an `AppError` `bad-config` that names all mistakes at once. */
export const loadSettings = (context: CliContext, args: ParsedArgs): Settings => {
  const file = preferencesOf(context, args);
  const loaded = loadFrom(context, args, { path: file.path, values: file.read() ?? {} });
  if (!loaded.ok) throw badConfig(loaded.problems);
  return { config: loaded.config, originOf: loaded.originOf, dir: folderOf(context, args) };
};

/** The settings with `values` as the file's content. */
export const loadFrom = (context: CliContext, args: ParsedArgs, file: { readonly path: string; readonly values: Readonly<Record<string, unknown>> }): Loaded =>
  loadConfig({ flags: flagsOf(args), set: args.global.set, environment: context.environment, file });

/** All mistakes as one failure. */
export const badConfig = (problems: readonly string[]): AppError => {
  const [first = "", ...others] = problems;
  const message = others.length === 0 ? `${first}.` : `${problems.length} settings are wrong:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`;
  return new AppError({ code: "bad-config", message, hint: "`claude-oauth-proxy config list` shows every setting once these are right; `--help` the flags." });
};

const flagsOf = ({ options }: ParsedArgs): GivenFlag[] =>
  Object.entries(settingFlags).flatMap(([name, key]) => {
    const text = options[name];
    return typeof text === "string" ? [{ key, name: `--${name}`, text }] : [];
  });
