// Reads every setting from its sources and says where each value came from. Pure: files and the
// environment are handed in. All mistakes are reported at once, and none shows the value.
import { isLoopback } from "../lib/host.ts";
import { isObject, own } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { AppError } from "../messages/errors.ts";
import { crossCheck } from "./cross-check.ts";
import { isSettingKey, settingKeys, settings, splitKey } from "./schema.ts";
import type { Config, Origin, SettingKey } from "./schema.ts";
import { acceptedBy, checkText, environmentName, environmentPrefix, nearest, otherVariables, shapeOf, unknownKeyName } from "./text.ts";

/** A flag for one setting, as `--port 4002`. */
export type GivenFlag = { readonly key: SettingKey; readonly name: string; readonly text: string };

export type Sources = {
  readonly flags: readonly GivenFlag[];
  /** Every `--set key=value`, in order; a later one wins. A flag of its own beats both. */
  readonly set: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The parsed config file, sections nested or written with dots. */
  readonly file: { readonly path: string; readonly values: JsonObject } | null;
};

export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly originOf: (key: SettingKey) => Origin }
  | { readonly ok: false; readonly problems: readonly string[] };

type Raw = { readonly key: string; readonly origin: Origin; readonly value: unknown; readonly text: boolean };
type Found = { readonly value: unknown; readonly origin: Origin };

/** Flag over environment over file over default. */
export const loadConfig = (sources: Sources): Loaded => {
  const problems: string[] = [...unknownVariables(sources.environment), ...sources.set.flatMap(malformedSet)];
  const found = new Map<SettingKey, Found>(settingKeys.map((key) => [key, { value: settings[key].fallback, origin: byDefault }]));
  for (const raw of gather(sources)) {
    if (!isSettingKey(raw.key)) problems.push(unknownKey(raw.key, raw.origin));
    else {
      const checked = raw.text ? checkText(raw.key, String(raw.value)) : settings[raw.key].kind.check(raw.value);
      if (checked.ok) found.set(raw.key, { value: checked.value, origin: raw.origin });
      else problems.push(wrongValue(raw.key, raw, checked.why));
    }
  }
  passThroughDefault(found);
  const config = assemble(found);
  const originOf = (key: SettingKey): Origin => found.get(key)?.origin ?? byDefault;
  if (problems.length === 0) problems.push(...crossCheck(config, (key) => describeOrigin(originOf(key))));
  return problems.length === 0 ? { ok: true, config, originOf } : { ok: false, problems };
};

const byDefault: Origin = { from: "default" };

/** `--port`, `the environment (NAME)`, `the file PATH`, `the default`. */
export const describeOrigin = (origin: Origin): string => {
  if (origin.from === "flag") return origin.name;
  if (origin.from === "environment") return `the environment (${origin.name})`;
  return origin.from === "file" ? `the file ${origin.path}` : "the default";
};

/** The value of `key` in a loaded configuration. */
export const valueOf = (config: JsonObject, key: SettingKey): unknown => {
  const [section, name] = splitKey(key);
  const value = own(config, section);
  return name === undefined ? value : isObject(value) ? own(value, name) : undefined;
};

// The weakest source first, so that a later one simply replaces it.
const gather = (sources: Sources): readonly Raw[] => [
  ...(sources.file === null ? [] : flatten(sources.file.values, "", { from: "file", path: sources.file.path })),
  ...settingKeys.flatMap((key) => fromEnvironment(key, sources.environment)),
  ...sources.set.filter((pair) => pair.indexOf("=") > 0).map(fromPair),
  ...sources.flags.map(({ key, name, text }): Raw => ({ key, origin: { from: "flag", name }, value: text, text: true })),
];

const flatten = (values: Readonly<Record<string, unknown>>, prefix: string, origin: Origin): Raw[] =>
  Object.entries(values).flatMap(([name, value]): Raw[] => {
    const key = `${prefix}${name}`;
    const isSection = settingKeys.some((known) => known.startsWith(`${key}.`));
    if (!isSection || !isObject(value)) return [{ key, origin, value, text: false }];
    return flatten(value, `${key}.`, origin);
  });

const fromEnvironment = (key: SettingKey, environment: Sources["environment"]): Raw[] => {
  const name = environmentName(key);
  const text = environment[name];
  return text === undefined ? [] : [{ key, origin: { from: "environment", name }, value: text, text: true }];
};

const fromPair = (pair: string): Raw => {
  const at = pair.indexOf("=");
  return { key: pair.slice(0, at).trim(), origin: { from: "flag", name: "--set" }, value: pair.slice(at + 1), text: true };
};

const malformedSet = (pair: string): string[] =>
  pair.indexOf("=") > 0 ? [] : [`--set wants key=value and got ${shapeOf(pair)} without a key and "="`];

const unknownVariables = (environment: Sources["environment"]): string[] => {
  const known = [...settingKeys.map(environmentName), ...otherVariables];
  return Object.keys(environment)
    .filter((name) => name.startsWith(environmentPrefix) && !known.includes(name))
    .map((name) => `${name.slice(0, 120)} in the environment is not a setting${meant(nearest(name, known))}`);
};

const unknownKey = (key: string, origin: Origin): string =>
  `${unknownKeyName(key)} from ${describeOrigin(origin)} is not a setting${meant(nearest(key, settingKeys))}`;

const meant = (candidate: string | null): string => (candidate === null ? "" : ` (did you mean ${candidate}?)`);

const wrongValue = (key: SettingKey, raw: Raw, why: string | null): string =>
  `${key} from ${describeOrigin(raw.origin)} is ${shapeOf(raw.value)}${why === null ? "" : ` (${why})`}; accepted: ${acceptedBy(key)}`;

// Nothing of ours is guarded in pass-through mode on loopback: the client's own login does not come from us.
const passThroughDefault = (found: Map<SettingKey, Found>): void => {
  const required = found.get("auth.required");
  const host = found.get("server.host")?.value;
  if (required?.origin.from !== "default" || found.get("mode")?.value !== "pass-through") return;
  if (typeof host === "string" && isLoopback(host)) found.set("auth.required", { ...required, value: false });
};

const assemble = (found: ReadonlyMap<SettingKey, Found>): Config => {
  const config: Record<string, unknown> = {};
  for (const [key, { value }] of found) {
    const [section, name] = splitKey(key);
    const fields = config[section];
    config[section] = name === undefined ? value : { ...(isObject(fields) ? fields : {}), [name]: value };
  }
  if (isConfig(config)) return config;
  throw new AppError({ code: "internal", message: "a setting has a value of another kind" });
};

/** Holds every key to the table, so that the type of the settings is a fact about the value. */
const isConfig = (value: JsonObject): value is Config => settingKeys.every((key) => settings[key].kind.is(valueOf(value, key)));
