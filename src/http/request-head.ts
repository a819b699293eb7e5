// Reads the head of a client's request (RFC 9112 sections 3 to 6), as strictly as the RFC allows: whatever two
// servers could understand in two ways is refused, because the upstream would be the second one. Pure.
import { METHODS } from "node:http";

import { lineEnd, readFields } from "./fields.ts";
import type { RawFields } from "./fields.ts";
import { readFraming } from "./framing.ts";
import { wireFault } from "./wire-fault.ts";

export type RequestHead = {
  readonly method: string;
  /** The request target as it stood there, whatever its form. */
  readonly target: string;
  readonly httpVersion: "1.0" | "1.1";
  readonly rawHeaders: RawFields;
  /** The body's length in bytes, 0 also for none; or its end is marked by its coding. */
  readonly framing: number | "chunked";
  /** The client does not mind another request on this connection. */
  readonly keepAlive: boolean;
};

const requestLine = /^([A-Z-]+) ([\x21-\x7e]+) HTTP\/1\.([01])$/;
const methods: ReadonlySet<string> = new Set(METHODS);

/** `text` is the head without its empty line. Throws a `WireFault`. */
export const readRequestHead = (text: string): RequestHead => {
  const end = lineEnd(text, 0);
  const [, method, target, minor] = requestLine.exec(text.slice(0, end)) ?? [];
  if (method === undefined || target === undefined || !methods.has(method)) throw wireFault("BAD_REQUEST_LINE", "not an HTTP/1.1 request line");
  const rawHeaders = readFields(text, end + 2);
  const modern = minor === "1";
  const { body, closes } = readFraming(rawHeaders, modern);
  return { method, target, httpVersion: modern ? "1.1" : "1.0", rawHeaders, framing: body ?? 0, keepAlive: modern && !closes };
};
