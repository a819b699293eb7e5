// What the fields of a message say about its end (RFC 9112 section 6.3), for requests and answers alike. The RFC's
// latitude is taken as a fault: one length or one coding, because two readers could choose differently.
import { createFieldTable } from "./fields.ts";
import type { RawFields } from "./fields.ts";
import { wireFault } from "./wire-fault.ts";

/** `body` is its length in bytes, or `chunked`, or null when the fields say nothing; `closes`: the connection ends with it. */
export type Framing = { readonly body: number | "chunked" | null; readonly closes: boolean };

const oneLength = /^\d{1,15}$/;
const close = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;

const kindOf = createFieldTable([
  ["connection", "connection"],
  ["content-length", "length"],
  ["transfer-encoding", "coding"],
] as const);

/** `modern` is HTTP/1.1: there are no transfer codings before it. Throws a `WireFault`. */
export const readFraming = (raw: RawFields, modern: boolean): Framing => {
  let length: string | null = null;
  let coding: string | null = null;
  let count = 0;
  let closes = false;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const kind = kindOf(raw[index] ?? "");
    if (kind === undefined) continue;
    const value = raw[index + 1] ?? "";
    if (kind === "connection") closes ||= close.test(value);
    else count += 1;
    if (kind === "length") length = value;
    else if (kind === "coding") coding = value;
  }
  return { body: bodyOf({ length, coding, count }, modern), closes };
};

type Said = { readonly length: string | null; readonly coding: string | null; readonly count: number };

const bodyOf = ({ length, coding, count }: Said, modern: boolean): Framing["body"] => {
  if (coding !== null) {
    if (!modern || count > 1 || coding.toLowerCase() !== "chunked") throw wireFault("BAD_TRANSFER_ENCODING", "a transfer coding that is not understood here, or beside a length");
    return "chunked";
  }
  if (length === null) return null;
  if (count > 1 || !oneLength.test(length)) throw wireFault("BAD_CONTENT_LENGTH", "not one length");
  return Number(length);
};
