// The three spellings of one setting: key, environment name, and what was probably meant by a wrong one.
import { settings } from "./schema.ts";
import type { SettingKey } from "./schema.ts";

/** Start of every environment name. */
export const environmentPrefix = "CLAUDE_OAUTH_PROXY_";

/** Variables with our prefix that are no settings: the data folder and the passphrase of the sealed store. */
export const otherVariables: readonly string[] = ["DIR", "PASSPHRASE"].map((name) => `${environmentPrefix}${name}`);

/** Every key, in the order of the table. */
export const settingKeys = Object.keys(settings) as readonly SettingKey[];

/** True for a key of the table; names of `Object.prototype` are not. */
export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(settings, key);

/** A key that is none of ours, for a message: quoted while it could be a slip, else only measured, as it may be a secret in the wrong place. */
export const unknownKeyName = (key: string): string => (/^[\w.-]{1,40}$/.test(key) ? `"${key}"` : `a key of ${key.length} characters`);

/** `oauth.tokenUrl` → `CLAUDE_OAUTH_PROXY_OAUTH__TOKEN_URL`. */
export const environmentName = (key: SettingKey): string =>
  environmentPrefix + key.replace(/[A-Z]/g, (letter) => `_${letter}`).replaceAll(".", "__").toUpperCase();

/** The candidate nearest to `name`, ignoring case, when it is near enough to be a slip of the finger; else null. */
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
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replace = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replace, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[right.length] ?? 0;
};
