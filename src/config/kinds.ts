// One row for each kind of value: how its text is read, what passes, what the messages say is accepted.
import { parseJson } from "../lib/json.ts";
import { readModelMap } from "./model-map.ts";
import { parseRate } from "./rate.ts";
import type { Kind } from "./schema.ts";

/** `why` adds a reason beyond the accepted shape; it never holds the value. */
export type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string | null };

export type KindRow<K extends Kind = Kind> = {
  /** Text to the JSON value that `check` looks at; text that cannot be read stays text and is refused there. */
  fromText(text: string): unknown;
  check(value: unknown, kind: K): Checked;
  accepted(kind: K): string;
};

/** The row of `kind`. */
export const kindRow = (kind: Kind): KindRow => rows[kind.is] as KindRow;

const refused = (why: string | null = null): Checked => ({ ok: false, why });
const taken = (value: unknown): Checked => ({ ok: true, value });
const passes = (condition: boolean, value: unknown): Checked => (condition ? taken(value) : refused());
const same = (text: string): unknown => text;

const rows: { readonly [Is in Kind["is"]]: KindRow<Extract<Kind, { is: Is }>> } = {
  text: { fromText: same, check: (value) => passes(isText(value), value), accepted: () => "a text" },
  url: { fromText: same, check: (value) => checkUrl(value), accepted: () => "an http(s) URL" },
  path: { fromText: same, check: (value) => checkPath(value), accepted: () => "a path" },
  boolean: {
    fromText: (text) => fromWord(text.trim().toLowerCase()) ?? text,
    check: (value) => passes(typeof value === "boolean", value),
    accepted: () => "true or false",
  },
  integer: {
    fromText: (text) => toInteger(text.trim()),
    check: (value, { min, max }) => passes(isInteger(value, min, max), value),
    accepted: ({ min, max }) => `a whole number from ${min} to ${max}`,
  },
  "one-of": {
    fromText: same,
    check: (value, { values }) => passes(typeof value === "string" && values.includes(value), value),
    accepted: ({ values }) => values.join(", "),
  },
  list: {
    fromText: splitList,
    check: (value) => passes(Array.isArray(value) && value.every(isWord), value),
    accepted: () => "a list, separated by commas (a JSON list in the file)",
  },
  integers: {
    fromText: (text) => splitList(text).map(toInteger),
    check: (value) => passes(Array.isArray(value) && value.every((item) => isInteger(item, 400, 599)), value),
    accepted: () => "HTTP statuses from 400 to 599, separated by commas (a JSON list in the file)",
  },
  rate: { fromText: same, check: (value) => checkRate(value), accepted: () => "a rate such as 20/min, 5/s or 600/h, or off" },
  "model-map": {
    fromText: (text) => {
      const value = parseJson(text);
      return value === undefined ? text : value;
    },
    check: (value) => checkMap(value),
    accepted: () => '{"name":[{"model":"…","account":"…","priority":1}]}',
  },
};

const words: Readonly<Record<string, boolean>> = { true: true, "1": true, yes: true, on: true, false: false, "0": false, no: false, off: false };

const fromWord = (word: string): boolean | undefined => (Object.hasOwn(words, word) ? words[word] : undefined);

function splitList(text: string): string[] {
  return text.trim() === "" ? [] : text.split(",").map((item) => item.trim());
}

const toInteger = (text: string): unknown => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);

const isInteger = (value: unknown, min: number, max: number): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const isPrintable = (value: string): boolean => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value);

const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "" && isPrintable(value);

const isWord = (item: unknown): boolean => typeof item === "string" && /^[^\s,]+$/.test(item) && isPrintable(item);

const checkUrl = (value: unknown): Checked => {
  if (!isText(value) || value !== value.trim() || !URL.canParse(value)) return refused();
  return passes(["http:", "https:"].includes(new URL(value).protocol), value);
};

const checkPath = (value: unknown): Checked => {
  if (!isText(value)) return refused();
  return value.startsWith("~") ? refused("`~` is only known to the shell; write the whole path") : taken(value);
};

const checkRate = (value: unknown): Checked => {
  const rate = typeof value === "string" ? parseRate(value) : undefined;
  return rate === undefined ? refused() : taken(rate);
};

const checkMap = (value: unknown): Checked => {
  const read = readModelMap(value);
  return "map" in read ? taken(read.map) : refused(read.wrong);
};
