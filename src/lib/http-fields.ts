// HTTP header fields: the list as it is on the wire, and values read as RFC 9110 defines them.

/**
 * Name, value, name, value … as node:http gives them in `rawHeaders`; each byte is one latin-1 character. Order, case
 * and duplicates survive in it.
 */
export type RawHeaders = readonly string[];

/** The values of the field `name` (in lower case), in their order. */
export const valuesOf = (raw: RawHeaders, name: string): readonly string[] => {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) if (isNamed(raw[index] ?? "", name)) values.push(raw[index + 1] ?? "");
  return values;
};

/** The value of the field `name` (in lower case); null when it is absent or there more than once. */
export const valueOf = (raw: RawHeaders, name: string): string | null => {
  let value: string | null = null;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (!isNamed(raw[index] ?? "", name)) continue;
    if (value !== null) return null;
    value = raw[index + 1] ?? "";
  }
  return value;
};

// The length decides nearly always, and costs nothing.
const isNamed = (name: string, lower: string): boolean => name.length === lower.length && name.toLowerCase() === lower;

/** The media type of `contentType` in lower case and without parameters (RFC 9110 section 8.3.1); "" for none. */
export const mediaTypeOf = (contentType: string | null): string => {
  const end = contentType?.indexOf(";") ?? -1;
  return (contentType ?? "").slice(0, end === -1 ? undefined : end).trim().toLowerCase();
};

/** Server-sent events, which may take as long as their sender likes. */
export const isEventStream = (contentType: string | null): boolean => mediaTypeOf(contentType) === "text/event-stream";

/**
 * `Retry-After` (section 10.2.3: whole seconds or an HTTP date) as milliseconds to wait from `now` (wall milliseconds),
 * never negative; null when the field is absent or makes no sense. The caller sets its own upper bound.
 */
export const retryAfterMs = (field: string | null | undefined, now: number): number | null => {
  const text = field?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  // A date always names a weekday or a month; `Date.parse` alone would take "-1" for a year.
  if (!/[a-z]{3}/i.test(text) || text.length > 60) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
};
