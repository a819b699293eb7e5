// One value of one setting: from text (environment, flag, `config set`), checked, and back to text.
// A value that is refused is described by its shape only: it may be a secret in the wrong place.
import { kindRow } from "./kinds.ts";
import type { Checked } from "./kinds.ts";
import { formatRate } from "./rate.ts";
import { settings } from "./schema.ts";
import type { Rate, Setting, SettingKey } from "./schema.ts";

/** Checks a value as it stands in the config file (JSON types). */
export const checkValue = (key: SettingKey, value: unknown): Checked => {
  const { kind, fallback }: Setting = settings[key];
  if (value === null) return fallback === null ? { ok: true, value: null } : { ok: false, why: null };
  return kindRow(kind).check(value, kind);
};

/** Reads a value written as text; the empty text means "none" where there is such a thing. */
export const checkText = (key: SettingKey, text: string): Checked => {
  const { kind, fallback }: Setting = settings[key];
  return text === "" && fallback === null ? { ok: true, value: null } : checkValue(key, kindRow(kind).fromText(text));
};

/** The text that `checkText` reads back as this value. */
export const formatValue = (key: SettingKey, value: unknown): string => {
  const { kind } = settings[key];
  if (kind.is === "rate") return formatRate(value as Rate | null);
  if (value === null) return "";
  if (kind.is === "model-map") return JSON.stringify(value);
  return Array.isArray(value) ? value.join(",") : String(value);
};

/** The text for people: as `formatValue`, without the password of an outbound proxy. */
export const displayValue = (key: SettingKey, value: unknown): string =>
  formatValue(key, value).replace(/:\/\/[^/?#]*@/, "://***@");

/** The JSON that stands for a checked value in the config file. */
export const fileValue = (key: SettingKey, value: unknown): unknown =>
  settings[key].kind.is === "rate" ? formatRate(value as Rate | null) : value;

/** What may stand there, for messages and the documentation. */
export const acceptedBy = (key: SettingKey): string => {
  const { kind, fallback }: Setting = settings[key];
  return `${kindRow(kind).accepted(kind)}${fallback === null && kind.is !== "rate" ? ", or empty for none" : ""}`;
};

/** The shape of any value without the value: `a text of 12 characters`, `a list of 2`, `the number 7`. */
export const shapeOf = (value: unknown): string => {
  if (value === null) return "null";
  if (typeof value === "string") return value === "" ? "an empty text" : `a text of ${value.length} characters`;
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${String(value)}`;
  return Array.isArray(value) ? `a list of ${value.length}` : "an object";
};
