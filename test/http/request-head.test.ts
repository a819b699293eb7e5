// What one head means, and which heads mean too much.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readRequestHead } from "../../src/http/request-head.ts";
import type { RequestHead } from "../../src/http/request-head.ts";
import { faultOf, spent } from "./bytes.ts";

/** The head of a POST with these lines of fields. */
const withFields = (...lines: readonly string[]): RequestHead => readRequestHead(["POST /v1/messages HTTP/1.1", ...lines].join("\r\n"));

describe("a request line", () => {
  it.each([
    ["GET / HTTP/1.1", "GET", "/", "1.1"],
    ["POST /v1/messages?beta=true HTTP/1.0", "POST", "/v1/messages?beta=true", "1.0"],
    ["OPTIONS * HTTP/1.1", "OPTIONS", "*", "1.1"],
    ["GET http://127.0.0.1:1/a HTTP/1.1", "GET", "http://127.0.0.1:1/a", "1.1"],
    ["CONNECT api.example:443 HTTP/1.1", "CONNECT", "api.example:443", "1.1"],
    ["M-SEARCH /~!%20'() HTTP/1.1", "M-SEARCH", "/~!%20'()", "1.1"],
  ])("is read as it stands: %s", (line, method, target, httpVersion) => {
    expect(readRequestHead(line)).toEqual({ method, target, httpVersion, rawHeaders: [], framing: 0, keepAlive: httpVersion === "1.1" });
  });

  it.each([
    "",
    "GET",
    "GET /",
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    " GET / HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET / a HTTP/1.1",
    "GET /\x0b HTTP/1.1",
    "GET /\xe9 HTTP/1.1",
    "GET /\x7f HTTP/1.1",
    "get / HTTP/1.1",
    "Get / HTTP/1.1",
    "BREW /pot HTTP/1.1",
    "GETT / HTTP/1.1",
    "GET / http/1.1",
    "GET / HTTP/1.1\r",
    "GET / HTTP/1.1\n",
    "GET / HTTP/1.1\nhost: a",
    "GET / HTTP/1.2",
    "GET / HTTP/1.10",
    "GET / HTTP/01.1",
    "GET / HTTP/1,1",
    "GET / HTTP/2.0",
    "GET / HTTP/0.9",
    "GET / HTTPS/1.1",
    "PRI * HTTP/2.0",
    "\x16\x03\x01\x02",
  ])("is refused: %j", (line) => {
    expect(faultOf(() => readRequestHead(line))).toBe("BAD_REQUEST_LINE");
    expect(faultOf(() => readRequestHead(`${line}\r\nhost: a`))).toBe("BAD_REQUEST_LINE");
  });
});

describe("a field", () => {
  it.each([
    [["Host: a"], ["Host", "a"]],
    [["x:"], ["x", ""]],
    [["x: \t "], ["x", ""]],
    [["x:a"], ["x", "a"]],
    [["x:\t  a b\t "], ["x", "a b"]],
    [["x: a:b: c"], ["x", "a:b: c"]],
    [["x: tab\tbetween"], ["x", "tab\tbetween"]],
    [["x: voil\xc3\xa0"], ["x", "voil\xc3\xa0"]],
    [["x: \xc2\x85"], ["x", "\xc2\x85"]],
    [["x: \xa0a\xa0 "], ["x", "\xa0a\xa0"]],
    [["X-a: 1", "x-A: 2", "X-a: 1"], ["X-a", "1", "x-A", "2", "X-a", "1"]],
    [["!#$%&'*+-.^_`|~09azAZ: x"], ["!#$%&'*+-.^_`|~09azAZ", "x"]],
    [["Transfer_Encoding: chunked", "Content_Length: 4"], ["Transfer_Encoding", "chunked", "Content_Length", "4"]],
  ])("keeps its case, its bytes and its place: %j", (lines, rawHeaders) => {
    expect(withFields(...lines)).toMatchObject({ rawHeaders, framing: 0 });
  });

  it.each([
    "nothing",
    ": a",
    " x: a",
    "\tx: a",
    "x : a",
    "x\t: a",
    "x y: a",
    "(x): a",
    'x"y: a',
    "x\xe9: a",
    "x\0: a",
    "x: a\0b",
    "x: a\x0bb",
    "x: a\x7f",
    "x: a\rb",
    "x: a\r",
    "x: a\nb: c",
    "\nx: a",
    "",
  ])("is refused: %j", (line) => {
    for (const lines of [[line, "z: z"], ["a: a", line, "z: z"], ["Content-Length: 4", line, "z: z"]]) expect(faultOf(() => withFields(...lines))).toBe("BAD_HEADER_FIELD");
    if (line !== "") expect(faultOf(() => withFields(line))).toBe("BAD_HEADER_FIELD");
  });

  it.each(["host: a\r\n b", "Transfer-Encoding:\r\n chunked", "x: a\r\n\tContent-Length: 4", "x: \r\n "])("that goes on in the next line is refused: %j", (lines) => {
    expect(faultOf(() => withFields(lines))).toBe("BAD_HEADER_FIELD");
  });

  it.each(["\x7f", "a\x7f"])("is read in a time that grows with its length only: many blanks before %j", (end) => {
    for (const blanks of [" ".repeat(60_000), " \t".repeat(30_000), ` ${"a ".repeat(30_000)}`]) {
      expect(spent(() => withFields(`x:${blanks}${end}`))).toBeLessThan(1000);
      expect(spent(() => withFields(`x:${blanks}`))).toBeLessThan(1000);
    }
  });
});

describe("the length of a body", () => {
  it.each([
    [["Content-Length: 0"], 0],
    [["content-length:4"], 4],
    [["CONTENT-LENGTH: \t4 \t"], 4],
    [["Content-Length: 0004"], 4],
    [["Content-Length: 999999999999999"], 999_999_999_999_999],
    [["Transfer-Encoding: chunked"], "chunked"],
    [["transfer-ENCODING:\tCHUNKED "], "chunked"],
    [["Content-Lengths: 4"], 0],
    [["Content-Lengt\x69: 4"], 0],
    [["Host: content-length: 4"], 0],
  ])("%j is %j", (lines, framing) => {
    expect(withFields(...lines).framing).toBe(framing);
  });

  it("is none without either field, whatever the method", () => {
    for (const method of ["GET", "POST", "PUT", "DELETE"]) expect(readRequestHead(`${method} / HTTP/1.1\r\nhost: a`).framing).toBe(0);
  });

  const lengths = ["", "+4", "-4", "-0", "0x4", "4, 4", "4,", "4 4", "4.0", "4e1", "four", "\xb2", "4\xa0", "1000000000000000", "99999999999999999999"];
  it.each(lengths)("is refused: Content-Length: %j", (value) => {
    expect(faultOf(() => withFields(`Content-Length: ${value}`))).toBe("BAD_CONTENT_LENGTH");
  });

  const codings = ["", "xchunked", "chunkedx", "chunked, identity", "gzip, chunked", "chunked, chunked", "chunked,", ",chunked", "identity", "gzip", '"chunked"', "chunked;a=b", "chunked\xa0", "c hunked"];
  it.each(codings)("is refused: Transfer-Encoding: %j", (value) => {
    expect(faultOf(() => withFields(`Transfer-Encoding: ${value}`))).toBe("BAD_TRANSFER_ENCODING");
  });

  it.each([
    ["Content-Length: 4", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 4"],
    ["Content-Length: 4", "Content-Length: 4"],
    ["Content-Length: 4", "x: y", "content-length: 5"],
    ["Content-Length: 0", "Content-Length: 0"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["Content-Length: 0", "Transfer-Encoding: chunked"],
  ])("is refused when it is given twice: %s", (...lines) => {
    expect(faultOf(() => withFields(...lines))).toBe(lines.join().includes("chunked") ? "BAD_TRANSFER_ENCODING" : "BAD_CONTENT_LENGTH");
  });

  it("is never told by a coding in HTTP/1.0", () => {
    expect(faultOf(() => readRequestHead("POST / HTTP/1.0\r\nTransfer-Encoding: chunked"))).toBe("BAD_TRANSFER_ENCODING");
    expect(readRequestHead("POST / HTTP/1.0\r\nContent-Length: 4").framing).toBe(4);
  });
});

describe("the connection", () => {
  it.each([
    [["close"], false],
    [["Close"], false],
    [["CLOSE\t "], false],
    [["keep-alive, close"], false],
    [["close, te"], false],
    [["te ,\tcLoSe ,x"], false],
    [["te,close"], false],
    [["keep-alive", "close"], false],
    [["close", "keep-alive"], false],
    [["keep-alive"], true],
    [["not-close"], true],
    [["close-not"], true],
    [["closed"], true],
    [["x close"], true],
    [["te, upgrade", ""], true],
  ])("with %j is kept: %j", (values, keepAlive) => {
    expect(withFields(...values.map((value, index) => `${index % 2 === 0 ? "Connection" : "cONNECTION"}: ${value}`)).keepAlive).toBe(keepAlive);
  });

  it("is not kept in HTTP/1.0, whatever the client asks", () => {
    expect(readRequestHead("GET / HTTP/1.0").keepAlive).toBe(false);
    expect(readRequestHead("GET / HTTP/1.0\r\nConnection: keep-alive").keepAlive).toBe(false);
  });

  it("is meant by no other field", () => {
    expect(withFields("Xonnection: close", "Connection-x: close", "x: Connection: close").keepAlive).toBe(true);
  });
});

const tokenCharacter = fc.constantFrom(..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
const name = fc.string({ unit: tokenCharacter, minLength: 1, maxLength: 20 }).filter((text) => !/^(?:connection|content-length|transfer-encoding)$/i.test(text));
const visible = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f);
const value = fc.array(fc.oneof(visible, fc.constantFrom(0x20, 0x09)), { maxLength: 30 }).map((codes) => String.fromCharCode(...codes).replace(/^[\t ]+|[\t ]+$/g, ""));
const blanks = fc.constantFrom("", " ", "\t", "  \t");
const target = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 40 });

describe("a head written by hand", () => {
  it("is read back as it was written", () => {
    const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "M-SEARCH");
    fc.assert(
      fc.property(fc.tuple(method, target, fc.constantFrom("1.0", "1.1")), fc.array(fc.tuple(name, blanks, value, blanks), { maxLength: 8 }), ([verb, where, version], fields) => {
        const text = [`${verb} ${where} HTTP/${version}`, ...fields.map(([key, before, content, behind]) => `${key}:${before}${content}${behind}`)].join("\r\n");
        const rawHeaders = fields.flatMap(([key, , content]) => [key, content]);
        expect(readRequestHead(text)).toEqual({ method: verb, target: where, httpVersion: version, rawHeaders, framing: 0, keepAlive: version === "1.1" });
      }),
      { numRuns: 500 },
    );
  });

  it("with one byte changed to a control character is never accepted", () => {
    const text = "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close";
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length - 1 }), fc.constantFrom("\0", "\r", "\n", "\x0b", "\x1f", "\x7f"), (at, bad) => {
        if (text[at] !== bad) expect(faultOf(() => readRequestHead(text.slice(0, at) + bad + text.slice(at + 1)))).toMatch(/^BAD_/);
      }),
      { numRuns: 300 },
    );
  });
});
