// What the wire may do to bytes, and what a client makes of an answer; for every test of the HTTP server's parts.
import * as fc from "fast-check";

export const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Lengths of pieces, for `cut`. */
export const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 300 });

/** `wire` in pieces of `lengths`, the rest in one. */
export const cut = (wire: Buffer, lengths: readonly number[]): Buffer[] => {
  const parts: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, wire.length]) {
    const part = wire.subarray(at, at + length);
    if (part.length > 0) parts.push(part);
    at += length;
  }
  return parts;
};

/** `wire` byte by byte. */
export const crumbs = (wire: Buffer): Buffer[] => cut(wire, Array.from({ length: wire.length }, () => 1));

/** The code of the fault that `work` throws, null when it throws none. */
export const faultOf = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

/** Milliseconds that `work` takes, whether it throws or not. */
export const spent = (work: () => unknown): number => {
  const start = performance.now();
  faultOf(work);
  return performance.now() - start;
};

type ReadAnswer = { readonly line: string; readonly fields: readonly string[]; readonly framing: "length" | "chunked" | "close"; readonly body: Buffer; readonly rest: Buffer };

/** The first answer in `wire` as a client reads it that asked with `method`; a connection that stays open ends nothing. */
export const readAnswer = (wire: Buffer, method = "GET"): ReadAnswer => {
  const end = wire.indexOf("\r\n\r\n");
  const [line = "", ...fields] = wire.toString("latin1", 0, end).split("\r\n");
  const behind = wire.subarray(end + 4);
  const valueOf = (name: string): string | undefined => fields.find((field) => field.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2);
  const taken = (framing: ReadAnswer["framing"], body: Buffer, length: number): ReadAnswer => ({ line, fields, framing, body, rest: behind.subarray(length) });
  if (method === "HEAD" || / (?:1\d\d|204|304) /.test(line)) return taken("length", Buffer.alloc(0), 0);
  if (valueOf("transfer-encoding") === "chunked") return dechunked(behind, taken);
  const length = valueOf("content-length");
  if (length === undefined) return taken("close", behind, behind.length);
  if (behind.length < Number(length)) throw new Error("the answer is cut short");
  return taken("length", behind.subarray(0, Number(length)), Number(length));
};

const dechunked = (behind: Buffer, taken: (framing: "chunked", body: Buffer, length: number) => ReadAnswer): ReadAnswer => {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = behind.indexOf("\r\n", at);
    const size = Number(`0x${behind.toString("latin1", at, lineEnd)}`);
    const end = lineEnd + 2 + size;
    if (lineEnd === -1 || Number.isNaN(size) || behind.toString("latin1", end, end + 2) !== "\r\n") throw new Error(`no chunk at ${at}`);
    parts.push(behind.subarray(lineEnd + 2, end));
    if (size === 0) return taken("chunked", Buffer.concat(parts), end + 2);
    at = end + 2;
  }
};
