// Writes the head of an answer (RFC 9112 section 4). Pure. Nothing that would let one answer become two on the wire
// gets through, whoever it came from: the upstream, a setting, a client's own words.
import { STATUS_CODES } from "node:http";

import { isContentLength } from "./fields.ts";

/** How the body ends: after so many bytes, with its last chunk, with the connection; or there is none, whatever the fields say. */
export type AnswerFraming = number | "chunked" | "close" | "none";

export type AnswerHead = {
  readonly status: number;
  /** Name, value, name, value …; without Connection, Keep-Alive and Transfer-Encoding. */
  readonly fields: readonly string[];
  /** What `fields` themselves do not say of it is added. */
  readonly framing: AnswerFraming;
  /** Null closes the connection, else how long it is kept, in seconds. */
  readonly keepAliveSeconds: number | null;
};

/** The head up to and with the empty line, in latin-1; `fields` are checked. */
export const answerHead = ({ status, fields, framing, keepAliveSeconds }: AnswerHead): string => {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;
  let hasLength = false;
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] ?? "";
    if (isContentLength(name)) {
      // RFC 9110 section 8.6.
      if (status === 204) continue;
      hasLength = true;
    }
    head += `${name}: ${fields[index + 1] ?? ""}\r\n`;
  }
  if (!hasLength) head += lengthField(framing);
  return head + (keepAliveSeconds === null ? "Connection: close\r\n\r\n" : `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}\r\n\r\n`);
};

/** The announced length of the body in bytes, null when `fields` say nothing of it. */
export const announcedLength = (fields: readonly string[]): number | null => {
  for (let index = 0; index + 1 < fields.length; index += 2) if (isContentLength(fields[index] ?? "")) return Number(fields[index + 1]);
  return null;
};

const lengthField = (framing: AnswerFraming): string => {
  if (framing === "chunked") return "Transfer-Encoding: chunked\r\n";
  return typeof framing === "number" ? `Content-Length: ${framing}\r\n` : "";
};
