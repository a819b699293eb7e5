// `config …`: the preferences, and where every value in force came from.
import { describeOrigin, valueOf } from "../../config/load.ts";
import { isSettingKey, settingKeys, settings } from "../../config/schema.ts";
import type { SettingKey } from "../../config/schema.ts";
import { acceptedBy, checkText, displayValue, environmentName, fileValue, nearest, shapeOf, unknownKeyName } from "../../config/text.ts";
import { asciiJson } from "../../lib/json.ts";
import { visibleText } from "../../lib/visible-text.ts";
import { AppError } from "../../messages/errors.ts";
import { textTable } from "../../tui/table.ts";
import type { TextColumn } from "../../tui/table.ts";
import type { CliContext, Command, ParsedArgs } from "../context.ts";
import { badConfig, loadFrom, loadSettings, preferencesOf } from "../settings.ts";

/** `config list [--json]`. */
export const listSettings: Command = async (context, args) => {
  const { config, originOf } = loadSettings(context, args);
  const rows = settingKeys.map((key) => ({ key, value: displayValue(key, valueOf(config, key)), origin: describeOrigin(originOf(key)) }));
  context.stdout.write(`${args.options["json"] === true ? asciiJson(rows, 2) : textTable(columns, rows, { heads: false }).join("\n")}\n`);
  return 0;
};

const columns: readonly TextColumn<{ readonly key: string; readonly value: string; readonly origin: string }>[] = [
  { title: "KEY", cell: ({ key }) => key },
  { title: "VALUE", cell: ({ value, origin }) => `${visibleText(value === "" ? "(none)" : value, 200)}  [${visibleText(origin)}]` },
];

/** `config get KEY`: the value in force, as `config set` would take it. */
export const getSetting: Command = async (context, args) => {
  const key = knownKey(args.positionals[0] ?? "");
  const { config } = loadSettings(context, args);
  context.stdout.write(`${visibleText(displayValue(key, valueOf(config, key)), 65_536)}\n`);
  return 0;
};

/** `config set KEY VALUE`: refused when the settings would no longer fit together. */
export const setSetting: Command = async (context, args) => {
  const key = knownKey(args.positionals[0] ?? "");
  const text = args.positionals[1] ?? "";
  const checked = checkText(key, text);
  if (!checked.ok) throw badConfig([`${key} from the command line is ${shapeOf(text)}${checked.why === null ? "" : ` (${checked.why})`}; accepted: ${acceptedBy(key)}`]);
  refuseSecret(key, text);
  refuseConflict(context, args, key, fileValue(key, checked.value));
  const file = preferencesOf(context, args);
  const torn = await file.set(key, fileValue(key, checked.value));
  if (torn !== null) context.stderr.write(`${file.path} could not be read and was moved to ${torn}\n`);
  context.stderr.write(`${key} is kept in ${file.path}${overruled(context, args, key)}\n`);
  return 0;
};

/** `config unset KEY`: also for a key that no version knows, so that a file can be repaired. */
export const unsetSetting: Command = async (context, args) => {
  const key = args.positionals[0] ?? "";
  const file = preferencesOf(context, args);
  if (await file.unset(key)) context.stderr.write(`${visibleText(key, 80)} taken out of ${file.path}\n`);
  else context.stderr.write(`${visibleText(isSettingKey(key) ? key : knownKey(key), 80)} was not in ${file.path}\n`);
  return 0;
};

/** `config path`. */
export const printConfigPath: Command = async (context, args) => {
  context.stdout.write(`${preferencesOf(context, args).path}\n`);
  return 0;
};

const knownKey = (key: string): SettingKey => {
  if (isSettingKey(key)) return key;
  const meant = nearest(key, settingKeys);
  throw new AppError({
    code: "bad-usage",
    message: `${capital(unknownKeyName(key))} is not a setting.`,
    hint: meant === null ? "`claude-oauth-proxy config list` shows all of them." : `Did you mean ${meant}?`,
  });
};

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

// The file holds preferences, never a credential.
const refuseSecret = (key: SettingKey, text: string): void => {
  if (displayValue(key, text) === text || !settings[key].mayHoldSecret) return;
  throw new AppError({
    code: "bad-usage",
    message: `The ${key} given holds a password, and config.json is no place for one.`,
    hint: `Put it into the environment: ${key === "upstream.proxy" ? "HTTPS_PROXY or " : ""}${environmentName(key)}.`,
  });
};

// Mistakes that were there before do not count, so that the file can be mended key by key.
const refuseConflict = (context: CliContext, args: ParsedArgs, key: SettingKey, value: unknown): void => {
  const { path, values } = readable(context, args);
  const before = loadFrom(context, args, { path, values });
  const { [key]: _replaced, ...others } = values;
  const after = loadFrom(context, args, { path, values: { ...others, [key]: value } });
  const known = new Set(before.ok ? [] : before.problems);
  const fresh = after.ok ? [] : after.problems.filter((problem) => !known.has(problem));
  if (before.ok && fresh.length > 0) throw badConfig(fresh);
};

const readable = (context: CliContext, args: ParsedArgs): { readonly path: string; readonly values: Readonly<Record<string, unknown>> } => {
  const { path, read } = preferencesOf(context, args);
  try {
    return { path, values: read() ?? {} };
  } catch (error) {
    if (error instanceof AppError && error.code === "bad-config") return { path, values: {} };
    throw error;
  }
};

const overruled = (context: CliContext, args: ParsedArgs, key: SettingKey): string => {
  const { path, values } = readable(context, args);
  const loaded = loadFrom(context, args, { path, values });
  const origin = loaded.ok ? loaded.originOf(key) : null;
  return origin === null || origin.from === "file" ? "" : `, but ${describeOrigin(origin)} overrules it here`;
};
