import { describe, expect, it } from "vitest";

import { readResponseHead } from "../../src/proxy/response-head.ts";

const read = (lines: readonly string[], method = "POST") => readResponseHead(lines.join("\r\n"), method);
const withFields = (...fields: string[]) => read(["HTTP/1.1 200 OK", ...fields]);
const fault = (code: string) => expect.objectContaining({ code });

describe("readResponseHead", () => {
  it("keeps order, case, duplicates and bytes, without the blanks around a value", () => {
    const { status, raw } = read(["HTTP/1.1 529 \u00c9", "B: 1", "a:\t \u00e9\u009b x \t", "b:", "Set-Cookie: 1", "set-cookie: 2"]);
    expect(status).toBe(529);
    expect(raw).toEqual(["B", "1", "a", "\u00e9\u009b x", "b", "", "Set-Cookie", "1", "set-cookie", "2"]);
  });

  it("a value may end with a byte that JavaScript takes for white space: the last one of an \u00e0 in UTF-8", () => {
    const city = Buffer.from("citt\u00e0").toString("latin1");
    expect(withFields(`x-city: ${city} \t`).raw).toEqual(["x-city", city]);
  });

  it.each([
    ["HTTP/1.1 200", 200],
    ["HTTP/1.1 200 ", 200],
    ["HTTP/1.0 404 Not Found", 404],
    ["HTTP/1.1 999 ?", 999],
  ])("the status line %j is understood", (line, status) => {
    expect(read([line]).status).toBe(status);
  });

  it.each(["", "HTTP/2 200 OK", "HTTP/1.2 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 099 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200 O\u0000K", " HTTP/1.1 200 OK"])(
    "the status line %j is refused",
    (line) => {
      expect(() => read([line])).toThrow(fault("BAD_STATUS_LINE"));
    },
  );

  it.each(["a : 1", " a: 1", "\ta: 1", "a", ": 1", "a: 1\n2", "a: 1\r2", "a: \u0000", "a: \u001b[2J", "a: \u007f", "a(: 1", ""])("the field %j is refused", (line) => {
    expect(() => withFields("x: y", line)).toThrow(fault("BAD_HEADER_FIELD"));
  });
});

describe("the framing of an answer", () => {
  it.each([
    [["content-length: 12"], "POST", 200, 12],
    [["content-length: 12"], "HEAD", 200, 0],
    [["content-length: 12"], "GET", 304, 0],
    [["content-length: 12"], "POST", 204, 0],
    [["transfer-encoding: Chunked"], "POST", 200, "chunked"],
    [[], "POST", 200, "close"],
    [[], "POST", 103, 0],
  ] as const)("%j after %s with %i: %s", (fields, method, status, framing) => {
    expect(read([`HTTP/1.1 ${status} x`, ...fields], method).framing).toBe(framing);
  });

  it.each([
    ["BAD_CONTENT_LENGTH", ["content-length: 1", "content-length: 1"]],
    ["BAD_CONTENT_LENGTH", ["content-length: 1, 1"]],
    ["BAD_CONTENT_LENGTH", ["content-length: +1"]],
    ["BAD_CONTENT_LENGTH", ["content-length: 0x1"]],
    ["BAD_CONTENT_LENGTH", ["content-length:"]],
    ["BAD_CONTENT_LENGTH", ["content-length: 99999999999999999999"]],
    ["BAD_TRANSFER_ENCODING", ["content-length: 1", "transfer-encoding: chunked"]],
    ["BAD_TRANSFER_ENCODING", ["transfer-encoding: gzip, chunked"]],
    ["BAD_TRANSFER_ENCODING", ["transfer-encoding: chunked", "transfer-encoding: chunked"]],
    ["BAD_TRANSFER_ENCODING", ["transfer-encoding: chunked, identity"]],
    ["BAD_TRANSFER_ENCODING", ["transfer-encoding: xchunked"]],
  ])("%s: %j", (code, fields) => {
    expect(() => withFields(...fields)).toThrow(fault(code));
    expect(() => read(["HTTP/1.1 204 x", ...fields])).toThrow(fault(code));
  });

  it("HTTP/1.0 has no chunks", () => {
    expect(() => read(["HTTP/1.0 200 OK", "transfer-encoding: chunked"])).toThrow(fault("BAD_TRANSFER_ENCODING"));
  });

  it.each([
    [["HTTP/1.1 200 OK", "content-length: 1"], true],
    [["HTTP/1.1 200 OK", "content-length: 1", "connection: Close"], false],
    [["HTTP/1.1 200 OK", "content-length: 1", "connection: x, close"], false],
    [["HTTP/1.1 200 OK", "content-length: 1", "connection: x", "connection: close"], false],
    [["HTTP/1.1 200 OK", "content-length: 1", "connection: enclosed"], true],
    [["HTTP/1.1 200 OK"], false],
    [["HTTP/1.0 200 OK", "content-length: 1", "connection: keep-alive"], false],
  ])("after %j the connection may serve another request: %s", (lines, keepAlive) => {
    expect(read(lines).keepAlive).toBe(keepAlive);
  });
});
