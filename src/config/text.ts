// A setting as text: its name in the environment, its value on a command line, its row in the README's table, and
// what a wrong name probably meant. A value that is refused is described by its shape only: it may be a secret in
// the wrong place.
import type { Checked } from "./kinds.ts";
import { settingKeys, settings } from "./schema.ts";
import type { Setting, SettingKey } from "./schema.ts";

/** Start of every environment name. */
export const environmentPrefix = "CLAUDE_OAUTH_PROXY_";

/** Variables with our prefix that are no settings: the data folder and the passphrase of the sealed store. */
export const otherVariables: readonly string[] = ["DIR", "PASSPHRASE"].map((name) => `${environmentPrefix}${name}`);

/** `oauth.tokenUrl` → `CLAUDE_OAUTH_PROXY_OAUTH__TOKEN_URL`. */
export const environmentName = (key: SettingKey): string =>
  environmentPrefix + key.replace(/[A-Z]/g, (letter) => `_${letter}`).replaceAll(".", "__").toUpperCase();

/** Variables that only this program may read. No child process inherits them. */
export const privateVariables: readonly string[] = [`${environmentPrefix}PASSPHRASE`, ...settingKeys.filter((key) => settings[key].mayHoldSecret).map(environmentName)];

/** `environment` for a child process: without the private variables, in whatever case (Windows reads a name in any). */
export const withoutPrivate = <Value>(environment: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !privateVariables.includes(name.toUpperCase())));

/** Reads a value written as text; the empty text means "none" where there is such a thing. */
export const checkText = (key: SettingKey, text: string): Checked => {
  const { kind } = settings[key];
  return kind.check(kind.fromText(text));
};

/** The text that `checkText` reads back as this value. */
export const formatValue = (key: SettingKey, value: unknown): string => {
  const { kind }: Setting<unknown> = settings[key];
  return kind.is(value) ? kind.toText(value) : String(value);
};

/** The text for people: as `formatValue`, without the password of an outbound proxy. */
export const displayValue = (key: SettingKey, value: unknown): string =>
  formatValue(key, value).replace(/:\/\/[^/?#]*@/, "://***@");

/** The JSON for a checked value in the config file. */
export const fileValue = (key: SettingKey, value: unknown): unknown => {
  const { kind }: Setting<unknown> = settings[key];
  return kind.is(value) ? kind.toJson(value) : value;
};

/** What may be given, for messages and the documentation. */
export const acceptedBy = (key: SettingKey): string => settings[key].kind.accepted;

/** The shape of any value without the value: `a text of 12 characters`, `a list of 2`, `the number 7`. */
export const shapeOf = (value: unknown): string => {
  if (value === null) return "null";
  if (typeof value === "string") return value === "" ? "an empty text" : `a text of ${value.length} characters`;
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${String(value)}`;
  return Array.isArray(value) ? `a list of ${value.length}` : "an object";
};

/** One Markdown row for each key: name, default, what is accepted, what it is for; the environment name below the key. */
export const settingsTable = (): string =>
  ["| key and environment name | default | accepted | what it is for |", "|---|---|---|---|", ...settingKeys.map(row)].join("\n");

const row = (key: SettingKey): string => {
  const { doc, fallback } = settings[key];
  const text = displayValue(key, fallback);
  const cells = [`\`${key}\`<br>\`${environmentName(key)}\``, text === "" ? "none" : `\`${text}\``, acceptedBy(key), doc];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
};

/** A key that is none of ours, for a message: quoted while it could be a slip, else only measured, as it may be a secret in the wrong place. */
export const unknownKeyName = (key: string): string => (/^[\w.-]{1,40}$/.test(key) ? `"${key}"` : `a key of ${key.length} characters`);

/** The candidate nearest to `name`, ignoring case, when it is near enough to be a typing mistake; else null. */
export const nearest = (name: string, candidates: readonly string[]): string | null => {
  const wanted = name.toLowerCase().slice(0, 80);
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (best === null || distance < best.distance) best = { candidate, distance };
  }
  return best !== null && best.distance <= Math.max(2, Math.floor(wanted.length / 4)) ? best.candidate : null;
};

// Levenshtein over two rows.
const editDistance = (left: string, right: string): number => {
  let above = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at += 1) {
    const current = [at];
    for (let column = 1; column <= right.length; column += 1) {
      const replace = (above[column - 1] ?? 0) + (left[at - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replace, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[right.length] ?? 0;
};
