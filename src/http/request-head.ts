// Reads the head of a client's request (RFC 9112 sections 3 to 6), as strictly as the RFC allows: whatever two
// servers could understand in two ways is refused, because the upstream would be the second one. Pure.
import { METHODS } from "node:http";

import { readFieldLine } from "./field-line.ts";
import { wireFault } from "./wire-fault.ts";

export type RequestHead = {
  readonly method: string;
  /** The request target as it stood there, whatever its form. */
  readonly target: string;
  readonly httpVersion: "1.0" | "1.1";
  /** Name, value, name, value …, in their order, each byte one latin-1 character. */
  readonly rawHeaders: readonly string[];
  /** The body's length in bytes, 0 also for none; or its end is marked by its coding. */
  readonly framing: number | "chunked";
  /** The client does not mind another request on this connection. */
  readonly keepAlive: boolean;
};

const requestLine = /^([A-Z-]+) ([\x21-\x7e]+) HTTP\/1\.([01])$/;
const methods: ReadonlySet<string> = new Set(METHODS);
const oneLength = /^\d{1,15}$/;
const closing = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;

/** `text` is the head without its empty line. Throws a `WireFault`. */
export const readRequestHead = (text: string): RequestHead => {
  let end = lineEnd(text, 0);
  const [, method, target, minor] = requestLine.exec(text.slice(0, end)) ?? [];
  if (method === undefined || target === undefined || !methods.has(method)) throw wireFault("BAD_REQUEST_LINE", "not an HTTP/1.1 request line");
  const rawHeaders: string[] = [];
  while (end < text.length) {
    const start = end + 2;
    end = lineEnd(text, start);
    readFieldLine(text.slice(start, end), rawHeaders);
  }
  const modern = minor === "1";
  const { framing, closes } = readMeaning(rawHeaders, modern);
  return { method, target, httpVersion: modern ? "1.1" : "1.0", rawHeaders, framing, keepAlive: modern && !closes };
};

const lineEnd = (text: string, from: number): number => {
  const end = text.indexOf("\r\n", from);
  return end === -1 ? text.length : end;
};

type Meaning = { framing: number | "chunked"; closes: boolean };

// Section 6.3 with its latitude taken as a fault: one length or one coding, and of the codings only `chunked`.
const readMeaning = (raw: readonly string[], modern: boolean): Meaning => {
  const meaning: Meaning = { framing: 0, closes: false };
  let framings = 0;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const kind = kindOf(raw[index] ?? "");
    if (kind === null) continue;
    const value = raw[index + 1] ?? "";
    if (kind === "connection") meaning.closes ||= closing.test(value);
    else {
      framings += 1;
      meaning.framing = kind === "length" ? lengthOf(value) : codingOf(value, modern);
    }
  }
  if (framings > 1) throw wireFault("BAD_CONTENT_LENGTH", "the length of the body is given more than once");
  return meaning;
};

// Told apart by their length first: most names are none of these.
const kindOf = (name: string): "connection" | "length" | "coding" | null => {
  switch (name.length) {
    case 10:
      return name.toLowerCase() === "connection" ? "connection" : null;
    case 14:
      return name.toLowerCase() === "content-length" ? "length" : null;
    case 17:
      return name.toLowerCase() === "transfer-encoding" ? "coding" : null;
    default:
      return null;
  }
};

const lengthOf = (value: string): number => {
  if (!oneLength.test(value)) throw wireFault("BAD_CONTENT_LENGTH", "not one length");
  return Number(value);
};

const codingOf = (value: string, modern: boolean): "chunked" => {
  if (!modern || value.toLowerCase() !== "chunked") throw wireFault("BAD_TRANSFER_ENCODING", "a transfer coding that is not understood here");
  return "chunked";
};
