// Header fields as they stand on the wire: their grammar (RFC 9110 sections 5.1, 5.5 and 5.6.2), reading them, and
// finding one. For every message in both directions, so nothing here builds a table or hashes a name.
import { wireFault } from "./wire-fault.ts";

/** Name, value, name, value …, in their order, each byte one latin-1 character. */
export type RawFields = readonly string[];

/** A field name, or a method. */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

// Control characters but the tab, and what is not latin-1.
const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Throws a `WireFault` (`INVALID_REQUEST`) for a name or a value that HTTP has no way to write. */
export const checkFields = (fields: RawFields): void => {
  for (let index = 0; index + 1 < fields.length; index += 2) {
    if (!token.test(fields[index] ?? "") || notInValue.test(fields[index + 1] ?? "")) throw wireFault("INVALID_REQUEST", "a header field that cannot be written as HTTP");
  }
};

/** Field lines up to the last one's end. One that continues the line before (RFC 9112 section 5.2) begins with a blank and is none. */
export const fieldLines = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;

/** Reads the field lines of `head` that begin at `from` (behind its end: there are none). Throws a `WireFault` (`BAD_HEADER_FIELD`). */
export const readFields = (head: string, from: number): string[] => {
  const raw: string[] = [];
  if (from > head.length) return raw;
  // One look at the whole costs a fifth of a pattern for each line.
  if (!fieldLines.test(head.slice(from))) throw wireFault("BAD_HEADER_FIELD", "not a header field");
  for (let at = from; at < head.length; ) {
    const colon = head.indexOf(":", at);
    const end = lineEnd(head, colon);
    raw.push(head.slice(at, colon), withoutBlanks(head, colon + 1, end));
    at = end + 2;
  }
  return raw;
};

/** Where the line that holds `at` ends: before its CR LF, or with the text. */
export const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf("\r\n", at);
  return end === -1 ? text.length : end;
};

// Not `trim`: 0xa0 is the last byte of an "à" in UTF-8, and white space to JavaScript.
const withoutBlanks = (text: string, from: number, to: number): string => {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
};

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** The values of the field `name` (in lower case), in their order. */
export const valuesOf = (raw: RawFields, name: string): readonly string[] => {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) if (isNamed(raw[index] ?? "", name)) values.push(raw[index + 1] ?? "");
  return values;
};

/** The value of the field `name` (in lower case); null when it is not there, or there more than once. */
export const valueOf = (raw: RawFields, name: string): string | null => {
  let value: string | null = null;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (!isNamed(raw[index] ?? "", name)) continue;
    if (value !== null) return null;
    value = raw[index + 1] ?? "";
  }
  return value;
};

const isNamed = (name: string, lower: string): boolean => name.length === lower.length && beginsAlike(lower, name) && name.toLowerCase() === lower;

/**
 * What stands behind a name (in lower case), asked for by names as they came. Told apart by their length and first
 * letter: most fields are none of the wanted ones, and lower-casing and hashing a name costs more than all the rest.
 */
export const createFieldTable = <Found>(entries: Iterable<readonly [string, Found]>): ((name: string) => Found | undefined) => {
  const all = [...entries];
  const longest = Math.max(0, ...all.map(([name]) => name.length));
  const byLength = Array.from({ length: longest + 1 }, (_, length) => all.filter(([name]) => name.length === length));
  return (name) => {
    const candidates = byLength[name.length];
    if (candidates === undefined) return undefined;
    for (const candidate of candidates) if (beginsAlike(candidate[0], name) && candidate[0] === name.toLowerCase()) return candidate[1];
    return undefined;
  };
};

// Bit 5 is the case of a letter; other signs that differ in nothing else are told apart by the comparison behind this.
const beginsAlike = (lower: string, name: string): boolean => ((lower.charCodeAt(0) ^ name.charCodeAt(0)) & ~0x20) === 0;

/** Is a name one of `names` (in lower case)? */
export const createFieldSet = (names: Iterable<string>): ((name: string) => boolean) => {
  const find = createFieldTable([...names].map((name) => [name, true] as const));
  return (name) => find(name) === true;
};

/** Is it the field that announces the length of a body? */
export const isContentLength = createFieldSet(["content-length"]);
