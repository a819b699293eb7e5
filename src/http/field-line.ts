// The grammar of a header field, for all who read or write one (RFC 9110 sections 5.1, 5.5 and 5.6.2). A line that
// continues the one before (RFC 9112 section 5.2) begins with a blank and is none.
import { wireFault } from "./wire-fault.ts";

/** A field name, or a method. */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What a field value may not hold: control characters but the tab, and what is not latin-1. */
export const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** A whole line without its end: the name, and the value with the blanks behind it. */
export const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

/** Appends the name and the value of `line` (without its end) to `raw`. Throws a `WireFault` (`BAD_HEADER_FIELD`). */
export const readFieldLine = (line: string, raw: string[]): void => {
  const [, name, value] = fieldLine.exec(line) ?? [];
  if (name === undefined || value === undefined) throw wireFault("BAD_HEADER_FIELD", "not a header field");
  raw.push(name, withoutBlanksBehind(value));
};

// Not `trimEnd`: 0xa0 is the last byte of an "à" in UTF-8, and white space to JavaScript.
const withoutBlanksBehind = (value: string): string => {
  let end = value.length;
  while (end > 0 && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return end === value.length ? value : value.slice(0, end);
};

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
