// The head of an answer, byte by byte, and what must never get into one.
import { describe, expect, it } from "vitest";

import { announcedLength, answerHead } from "../../src/http/answer-head.ts";
import { checkFields } from "../../src/http/fields.ts";
import { faultOf } from "./bytes.ts";

const plain = { status: 200, fields: [], framing: "none", keepAliveSeconds: 600 } as const;

describe("the head of an answer", () => {
  it("has its status, its fields as they are, and what becomes of the connection", () => {
    expect(answerHead({ ...plain, fields: ["X-a", "1", "x-A", "", "Set-Cookie", "b=\xe9"] })).toBe(
      "HTTP/1.1 200 OK\r\nX-a: 1\r\nx-A: \r\nSet-Cookie: b=\xe9\r\nConnection: keep-alive\r\nKeep-Alive: timeout=600\r\n\r\n",
    );
    expect(answerHead({ ...plain, keepAliveSeconds: null })).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    expect(answerHead({ ...plain, keepAliveSeconds: 0 })).toContain("Connection: keep-alive\r\nKeep-Alive: timeout=0\r\n");
  });

  it("has a reason for a status that nobody knows", () => {
    expect(answerHead({ ...plain, status: 404 })).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(answerHead({ ...plain, status: 529 })).toMatch(/^HTTP\/1\.1 529 [\x20-\x7e]+\r\n/);
  });

  it.each([
    [5, "Content-Length: 5\r\n"],
    [0, "Content-Length: 0\r\n"],
    ["chunked", "Transfer-Encoding: chunked\r\n"],
    ["close", ""],
    ["none", ""],
  ] as const)("says how the body ends, %j, when its fields do not", (framing, line) => {
    expect(answerHead({ ...plain, framing, fields: ["a", "b"] })).toBe(`HTTP/1.1 200 OK\r\na: b\r\n${line}Connection: keep-alive\r\nKeep-Alive: timeout=600\r\n\r\n`);
  });

  it.each(["content-length", "Content-Length", "CONTENT-LENGTH"])("does not say it twice when the fields have %s", (name) => {
    for (const framing of [5, "chunked", "none"] as const) expect(answerHead({ ...plain, framing, fields: [name, "5"] })).toBe(`HTTP/1.1 200 OK\r\n${name}: 5\r\nConnection: keep-alive\r\nKeep-Alive: timeout=600\r\n\r\n`);
  });
});

describe("the announced length", () => {
  it.each([
    [[], null],
    [["Content-Length", "5"], 5],
    [["a", "b", "CONTENT-LENGTH", "0"], 0],
    [["a", "content-length"], null],
    [["content-lengths", "5"], null],
  ])("of %j is %j", (fields, length) => {
    expect(announcedLength(fields)).toBe(length);
  });
});

describe("a field that would make two answers of one", () => {
  it.each(["\r", "\n", "\r\n", "\r\n\r\nHTTP/1.1 200 OK", "\0", "\x0b", "\x1b", "\x7f", "\u010d\u010a", "\ud83d\ude00"])("is refused: a value with %j", (bad) => {
    for (const value of [bad, `a${bad}`, `${bad}a`]) {
      expect(faultOf(() => checkFields(["x", value]))).toBe("INVALID_REQUEST");
      expect(faultOf(() => checkFields(["a", "b", "x", value, "c", "d"]))).toBe("INVALID_REQUEST");
    }
  });

  it.each(["", " ", "a b", "a:", "a\r", "a\n", "a\r\nb", "\0", "a\0", "\xe9", "(a)"])("is refused: the name %j", (name) => {
    expect(faultOf(() => checkFields([name, "a"]))).toBe("INVALID_REQUEST");
    expect(faultOf(() => checkFields(["a", "b", name, "a"]))).toBe("INVALID_REQUEST");
  });

  it("is not meant by tabs, blanks and bytes above ASCII", () => {
    expect(faultOf(() => checkFields(["X-a_b", "", "x", " a\tb ", "y", "\x80\x85\xa0\xff"]))).toBeNull();
  });
});
