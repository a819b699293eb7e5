// Writes the head of a request as HTTP/1.1 (RFC 9112 sections 2 and 3). Pure. Everything that would let one
// request become two on the wire is refused here, whoever it came from: a client, a token file, a setting.
import { checkFields, token } from "../http/fields.ts";
import { wireFault } from "../http/wire-fault.ts";

/** How the body is framed: its length in bytes, `chunked`, or no body at all. */
export type BodyFraming = number | "chunked" | "none";

export type HeadParts = {
  readonly method: string;
  /** The request target in origin form. */
  readonly path: string;
  /** Value of `Host`. */
  readonly host: string;
  /** Name, value, name, value …, each byte one latin-1 character; without Host, Connection and the framing. */
  readonly headers: readonly string[];
  readonly framing: BodyFraming;
};

// A target has neither blanks nor control characters.
const notInTarget = /[^\x21-\x7e\x80-\xff]/;

/** The head up to and with the empty line, in latin-1. Throws a `WireFault` (`INVALID_REQUEST`). */
export const requestHead = ({ method, path, host, headers, framing }: HeadParts): string => {
  if (!token.test(method)) throw invalid("method");
  if (!path.startsWith("/") || notInTarget.test(path)) throw invalid("target");
  checkFields(headers);
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    head += `${headers[index] ?? ""}: ${headers[index + 1] ?? ""}\r\n`;
  }
  return `${head}${framingField(method, framing)}\r\n`;
};

const invalid = (what: string) => wireFault("INVALID_REQUEST", `a ${what} that cannot be written as HTTP`);

// RFC 9110 section 8.6: a method that anticipates a body says so when there is none.
const expectsBody = new Set(["POST", "PUT", "PATCH"]);

const framingField = (method: string, framing: BodyFraming): string => {
  if (framing === "chunked") return "transfer-encoding: chunked\r\n";
  if (framing !== "none") return `content-length: ${framing}\r\n`;
  return expectsBody.has(method) ? "content-length: 0\r\n" : "";
};
