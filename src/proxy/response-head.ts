// Reads the head of an answer (RFC 9112 sections 4 to 6), as strictly as the RFC allows: whatever two readers
// could understand in two ways is refused, because the client behind us would be the second one. Pure.
import { readFieldLine } from "../http/field-line.ts";
import { wireFault } from "../http/wire-fault.ts";

/** Header fields as they stood on the wire, each byte one latin-1 character: name, value, name, value … */
export type WireHeaders = readonly string[];

/** Lower-case names, for looking things up; a list where a field stands there more than once. */
export type HeaderTable = Readonly<Record<string, string | string[] | undefined>>;

/** Where the body ends: after so many bytes, with its last chunk, or with the connection. */
export type AnswerFraming = number | "chunked" | "close";

export type ResponseHead = {
  readonly status: number;
  readonly raw: WireHeaders;
  readonly table: HeaderTable;
  readonly framing: AnswerFraming;
  /** The connection may serve another request afterwards. */
  readonly keepAlive: boolean;
};

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const longestLength = /^\d{1,15}$/;

/** `text` is the head without its empty line, `method` that of the request. Throws a `WireFault`. */
export const readResponseHead = (text: string, method: string): ResponseHead => {
  const lines = text.split("\r\n");
  const [, minor, code] = statusLine.exec(lines[0] ?? "") ?? [];
  if (code === undefined) throw wireFault("BAD_STATUS_LINE", "not an HTTP/1.1 status line");
  const raw: string[] = [];
  const table = Object.create(null) as Table;
  for (let index = 1; index < lines.length; index += 1) readField(lines[index] ?? "", raw, table);
  const status = Number(code);
  const modern = minor === "1";
  checkFraming(table, modern);
  const framing = hasNoBody(status, method) ? 0 : framingOf(table);
  return { status, raw, table, framing, keepAlive: modern && framing !== "close" && !closes(table["connection"]) };
};

type Table = Record<string, string | string[] | undefined>;

const readField = (line: string, raw: string[], table: Table): void => {
  readFieldLine(line, raw);
  add(table, raw.at(-2)?.toLowerCase() ?? "", raw.at(-1) ?? "");
};

const add = (table: Table, name: string, value: string): void => {
  const present = table[name];
  if (present === undefined) table[name] = value;
  else if (typeof present === "string") table[name] = [present, value];
  else present.push(value);
};

// Section 6.3, with its latitude taken as a fault: a length beside a coding, two lengths, a coding that nobody asked for.
const checkFraming = (table: HeaderTable, modern: boolean): void => {
  const [coding, length] = [table["transfer-encoding"], table["content-length"]];
  if (coding !== undefined && (!modern || length !== undefined || String(coding).toLowerCase() !== "chunked")) {
    throw wireFault("BAD_TRANSFER_ENCODING", "a transfer coding that was not asked for, or beside a length");
  }
  if (length !== undefined && !longestLength.test(String(length))) throw wireFault("BAD_CONTENT_LENGTH", "not one length");
};

const hasNoBody = (status: number, method: string): boolean => method === "HEAD" || status < 200 || status === 204 || status === 304;

const framingOf = (table: HeaderTable): AnswerFraming => {
  if (table["transfer-encoding"] !== undefined) return "chunked";
  return table["content-length"] === undefined ? "close" : Number(table["content-length"]);
};

const closes = (connection: string | string[] | undefined): boolean => connection !== undefined && /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(String(connection));
