// JSON: from files and from the network, read without trust in its shape; and for a terminal, written in pure ASCII.

/** A JSON object. `__proto__` is a key like any other: read a single key with `own`. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object; false for null, a list and a plain value. */
export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** The value under an own key; never one inherited from `Object.prototype`. */
export const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

/** The value of `text`; undefined when it is not JSON. V8's own error quotes the text, so it is never passed on. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The object in `text`; null when it is not JSON, or JSON of another kind. */
export const parseJsonObject = (text: string): JsonObject | null => {
  const value = parseJson(text);
  return isObject(value) ? value : null;
};

/**
 * `value` as JSON in pure ASCII, safe on a terminal: JSON itself escapes C0 only, and 0x9B, bidirectional and
 * zero-width characters would pass. `indent` as in `JSON.stringify`.
 */
export const asciiJson = (value: unknown, indent = 0): string =>
  JSON.stringify(value, null, indent).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
