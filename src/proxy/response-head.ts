// Reads the head of an answer (RFC 9112 sections 4 to 6), as strictly as the RFC allows: whatever two readers
// could understand in two ways is refused, because the client behind us would be the second one. Pure.
import { lineEnd, readFields } from "../http/fields.ts";
import type { RawFields } from "../http/fields.ts";
import { readFraming } from "../http/framing.ts";
import { wireFault } from "../http/wire-fault.ts";

/** Where the body ends: after so many bytes, with its last chunk, or with the connection. */
export type AnswerFraming = number | "chunked" | "close";

export type ResponseHead = {
  readonly status: number;
  readonly raw: RawFields;
  readonly framing: AnswerFraming;
  /** The connection may serve another request afterwards. */
  readonly keepAlive: boolean;
};

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** `text` is the head without its empty line, `method` that of the request. Throws a `WireFault`. */
export const readResponseHead = (text: string, method: string): ResponseHead => {
  const end = lineEnd(text, 0);
  const [, minor, code] = statusLine.exec(text.slice(0, end)) ?? [];
  if (code === undefined) throw wireFault("BAD_STATUS_LINE", "not an HTTP/1.1 status line");
  const raw = readFields(text, end + 2);
  const status = Number(code);
  const modern = minor === "1";
  const { body, closes } = readFraming(raw, modern);
  const framing = hasNoBody(status, method) ? 0 : (body ?? "close");
  return { status, raw, framing, keepAlive: modern && framing !== "close" && !closes };
};

const hasNoBody = (status: number, method: string): boolean => method === "HEAD" || status < 200 || status === 204 || status === 304;
