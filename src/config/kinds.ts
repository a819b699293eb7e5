// One kind of value for each shape that a setting may have: how its text is read, what passes, how it is written
// back, and what the messages say is accepted.
import { isObject, own, parseJson } from "../lib/json.ts";
import { webAddress } from "../lib/web-address.ts";

/** `why` adds a reason beyond the accepted shape; it never holds the value. */
export type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string | null };

export type Kind<Value> = {
  readonly name: string;
  /** What may be given, for messages and the documentation. */
  readonly accepted: string;
  /** True for a value as the program holds it. */
  is(value: unknown): value is Value;
  /** Text to the JSON value that `check` looks at; text that cannot be read stays text and is refused there. */
  fromText(text: string): unknown;
  /** A JSON value of the config file to the value that the program holds. */
  check(json: unknown): Checked;
  /** The text that `fromText` and `check` read back. */
  toText(value: Value): string;
  /** The JSON that `check` reads back. */
  toJson(value: Value): unknown;
};

/** `count` requests in `windowMs`. */
export type Rate = { readonly count: number; readonly windowMs: number };

/** One way a model name may be served. */
export type ModelRoute = { readonly model: string; readonly account?: string; readonly priority?: number };

type ModelMap = Readonly<Record<string, readonly ModelRoute[]>>;

const taken = (value: unknown): Checked => ({ ok: true, value });
const refused = (why: string | null = null): Checked => ({ ok: false, why });

type Rest<Value> = Partial<Omit<Kind<Value>, "is" | "accepted">> & { readonly name: string };

const kind = <Value>(is: (value: unknown) => value is Value, accepted: string, rest: Rest<Value>): Kind<Value> => ({
  is,
  accepted,
  fromText: (text) => text,
  check: (json) => (is(json) ? taken(json) : refused()),
  toText: String,
  toJson: (value) => value,
  ...rest,
});

/** `inner`, and also none: null in the file, the empty text elsewhere. */
export const orNone = <Value>(inner: Kind<Value>): Kind<Value | null> => ({
  name: inner.name,
  accepted: `${inner.accepted}, or empty for none`,
  is: (value) => value === null || inner.is(value),
  fromText: (text) => (text === "" ? null : inner.fromText(text)),
  check: (json) => (json === null ? taken(null) : inner.check(json)),
  toText: (value) => (value === null ? "" : inner.toText(value)),
  toJson: (value) => (value === null ? null : inner.toJson(value)),
});

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const isPrintable = (value: string): boolean => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value);

const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== "" && isPrintable(value);

export const text = kind(isText, "a text", { name: "text" });

const isUrl = (value: unknown): value is string => isText(value) && value === value.trim() && webAddress(value) !== null;

export const url = kind(isUrl, "an http(s) URL", { name: "url" });

const isPath = (value: unknown): value is string => isText(value) && !value.startsWith("~");

export const path = kind(isPath, "a path", {
  name: "path",
  check: (json) => (isPath(json) ? taken(json) : refused(isText(json) ? "`~` is only known to the shell; write the whole path" : null)),
});

const booleans: Readonly<Record<string, boolean>> = { true: true, "1": true, yes: true, on: true, false: false, "0": false, no: false, off: false };

export const boolean = kind((value) => typeof value === "boolean", "true or false", {
  name: "boolean",
  fromText: (given) => own(booleans, given.trim().toLowerCase()) ?? given,
});

const isInteger = (value: unknown, min: number, max: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;

const toInteger = (given: string): unknown => (/^-?\d{1,15}$/.test(given) ? Number(given) : given);

export const integer = (min: number, max: number): Kind<number> =>
  kind((value) => isInteger(value, min, max), `a whole number from ${min} to ${max}`, {
    name: "integer",
    fromText: (given) => toInteger(given.trim()),
  });

export const oneOf = <const Word extends string>(...words: readonly Word[]): Kind<Word> =>
  kind((value): value is Word => words.some((word) => word === value), words.join(", "), { name: "one-of" });

const splitList = (given: string): readonly string[] => (given.trim() === "" ? [] : given.split(",").map((item) => item.trim()));

const isWord = (item: unknown): item is string => typeof item === "string" && /^[^\s,]+$/.test(item) && isPrintable(item);

export const list = kind(
  (value): value is readonly string[] => Array.isArray(value) && value.every(isWord),
  "a list, separated by commas (a JSON list in the file)",
  { name: "list", fromText: splitList },
);

export const statuses = kind(
  (value): value is readonly number[] => Array.isArray(value) && value.every((item) => isInteger(item, 400, 599)),
  "HTTP statuses from 400 to 599, separated by commas (a JSON list in the file)",
  { name: "statuses", fromText: (given) => splitList(given).map(toInteger) },
);

const windows: Readonly<Record<string, number>> = { s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, hour: 3_600_000 };

const parseRate = (json: unknown): Checked => {
  const given = typeof json === "string" ? json.trim().toLowerCase() : "";
  if (given === "off") return taken(null);
  const [, count = "", unit = ""] = /^([1-9]\d{0,6})\s*\/\s*([a-z]+)$/.exec(given) ?? [];
  const windowMs = own(windows, unit);
  return windowMs === undefined ? refused() : taken({ count: Number(count), windowMs });
};

const formatRate = (value: Rate | null): string => {
  if (value === null) return "off";
  const unit = value.windowMs === 1000 ? "s" : value.windowMs === 60_000 ? "min" : "h";
  return `${value.count}/${unit}`;
};

/** `20/min`, `5/s`, `off`; null is `off`. */
export const rate = kind(
  (value): value is Rate | null => value === null || (isObject(value) && typeof value["count"] === "number" && typeof value["windowMs"] === "number"),
  "a rate such as 20/min, 5/s or 600/h, or off",
  { name: "rate", check: parseRate, toText: formatRate, toJson: formatRate },
);

/** As `rate`; the empty text and null in the file are `off` too. */
export const rateOrNone: Kind<Rate | null> = { ...rate, fromText: orNone(rate).fromText, check: orNone(rate).check };

/** The checked map, or a sentence that says where it is wrong (names only, never values). */
const readModelMap = (value: unknown): ModelMap | string => {
  if (!isObject(value)) return "the outermost value must be an object";
  // No prototype: `__proto__` and `constructor` are ordinary model names here.
  const map: Record<string, readonly ModelRoute[]> = Object.create(null);
  for (const [name, routes] of Object.entries(value)) {
    if (!Array.isArray(routes) || routes.length === 0) return `"${name.slice(0, 60)}" must be a list with at least one entry`;
    for (const [index, route] of routes.entries()) {
      const fault = faultOfRoute(route);
      if (fault !== null) return `"${name.slice(0, 60)}", entry ${index + 1}: ${fault}`;
    }
    map[name] = routes;
  }
  return map;
};

const faultOfRoute = (route: unknown): string | null => {
  if (!isObject(route)) return "must be an object";
  const unknown = Object.keys(route).find((field) => !["model", "account", "priority"].includes(field));
  if (unknown !== undefined) return `unknown field "${unknown.slice(0, 60)}"`;
  const { model, account, priority } = route;
  if (typeof model !== "string" || model === "") return "`model` must be a text";
  if (account !== undefined && (typeof account !== "string" || account === "")) return "`account` must be a text";
  return priority === undefined || Number.isSafeInteger(priority) ? null : "`priority` must be a whole number";
};

export const modelMap = kind((value): value is ModelMap => typeof readModelMap(value) !== "string", '{"name":[{"model":"…","account":"…","priority":1}]}', {
  name: "model-map",
  fromText(given) {
    const value = parseJson(given);
    return value === undefined ? given : value;
  },
  check(json) {
    const read = readModelMap(json);
    return typeof read === "string" ? refused(read) : taken(read);
  },
  toText: (value) => JSON.stringify(value),
});
