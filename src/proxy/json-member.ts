// Where a member of the outermost JSON object is in the text, as byte offsets: so that one value can be
// replaced and every other byte stays as the client wrote it. It never changes or rebuilds JSON.

/** From the first to behind the last byte of the value. */
export type Span = { readonly start: number; readonly end: number };

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

/** Called for every member of the outermost object, in order; offsets as in `Span`. */
export type VisitMember = (keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => void;

/**
 * Every value of the member `name` of the outermost object (a name may wrongly stand there twice). Null when
 * the text is not one JSON object as far as brackets and quotes tell.
 */
export const findMember = (text: Buffer, name: string): readonly Span[] | null => {
  const spans: Span[] = [];
  const whole = visitMembers(text, (keyStart, keyEnd, start, end) => {
    if (isKey(text, keyStart, keyEnd, name)) spans.push({ start, end });
  });
  return whole ? spans : null;
};

/** Walks the outermost object without building anything; false when the text is not one object as a whole. */
export const visitMembers = (text: Buffer, visit: VisitMember): boolean => {
  const open = skipSpace(text, 0);
  if (text[open] !== openBrace) return false;
  let at = skipSpace(text, open + 1);
  while (text[at] === quote) {
    const keyEnd = endOfString(text, at);
    const start = keyEnd === -1 ? -1 : startOfValue(text, keyEnd);
    const end = start === -1 ? -1 : endOfValue(text, start);
    if (end <= start) return false;
    visit(at, keyEnd, start, end);
    at = skipSpace(text, end);
    if (text[at] === comma) at = skipSpace(text, at + 1);
  }
  return text[at] === closeBrace && skipSpace(text, at + 1) === text.length;
};

// -1 without a colon.
const startOfValue = (text: Buffer, keyEnd: number): number => {
  const separator = skipSpace(text, keyEnd);
  return text[separator] === colon ? skipSpace(text, separator + 1) : -1;
};

/** Does the string literal from `start` to `end` spell `name` (which holds nothing that needs an escape)? */
export const isKey = (text: Buffer, start: number, end: number, name: string): boolean => {
  const length = end - start - 2;
  if (length === name.length) return text.toString("latin1", start + 1, end - 1) === name;
  if (length < name.length) return false;
  // Longer only when it is written with escapes.
  const written = text.toString("utf8", start, end);
  if (!written.includes("\\")) return false;
  try {
    return JSON.parse(written) === name;
  } catch {
    return false;
  }
};

const skipSpace = (text: Buffer, from: number): number => {
  let at = from;
  for (let byte = text[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = text[at]) at += 1;
  return at;
};

// `from` is the opening quote; the result is behind the closing one, -1 when there is none. Most strings
// are short: a native search costs more than looking at a few bytes.
const endOfString = (text: Buffer, from: number): number => {
  const soon = Math.min(from + 32, text.length);
  let at = from + 1;
  while (at < soon) {
    const byte = text[at];
    if (byte === quote) return at + 1;
    at += byte === backslash ? 2 : 1;
  }
  return endOfLongString(text, at);
};

// A quote is escaped when an odd number of backslashes is before it.
const endOfLongString = (text: Buffer, from: number): number => {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    let before = at - 1;
    while (text[before] === backslash) before -= 1;
    if ((at - before) % 2 === 1) return at + 1;
  }
  return -1;
};

const endOfValue = (text: Buffer, from: number): number => {
  const first = text[from];
  if (first === quote) return endOfString(text, from);
  return first === openBrace || first === openBracket ? endOfNested(text, from) : endOfScalar(text, from);
};

const endOfScalar = (text: Buffer, from: number): number => {
  let at = from;
  for (let byte = text[at]; byte !== undefined && byte !== comma && byte !== closeBrace && byte !== closeBracket && byte > 0x20; byte = text[at]) at += 1;
  return at;
};

const endOfNested = (text: Buffer, from: number): number => {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const byte = text[at];
    if (byte === quote) {
      at = endOfString(text, at);
      if (at === -1) return -1;
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return -1;
};
