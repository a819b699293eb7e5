// Answers in whatever pieces the network makes of them, right ones and wrong ones.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ResponseParser } from "../../src/proxy/response-parser.ts";
import { cut } from "../http/bytes.ts";

type Seen = { readonly heads: number[]; readonly pieces: Buffer[]; readonly complete: boolean; readonly clean: boolean; readonly fault: string | null };

/** Pushes `wire` in pieces of these lengths, the rest in one; `ends`: then the connection ends. */
const read = (wire: Buffer, cuts: readonly number[], { method = "POST", ends = false } = {}): Seen => {
  const heads: number[] = [];
  const pieces: Buffer[] = [];
  const parser = new ResponseParser();
  const sink = { onHead: ({ status }: { status: number }) => void heads.push(status), onData: (piece: Buffer) => void pieces.push(Buffer.from(piece)) };
  parser.begin(method);
  let clean = true;
  const seen = (fault: string | null): Seen => ({ heads, pieces, complete: parser.isComplete, clean, fault });
  try {
    for (const part of cut(wire, cuts)) clean = parser.push(part, sink) && clean;
    if (ends) parser.finish();
  } catch (error) {
    return seen((error as { code: string }).code);
  }
  return seen(null);
};

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 400 });
const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array)), { maxLength: 12 });
const interim = fc.constantFrom("", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3));
const inChunks = (parts: readonly Buffer[], extension: string, trailer: string): Buffer =>
  Buffer.concat([...parts.flatMap((part) => [bytes(`${part.length.toString(16)}${extension}\r\n`), part, bytes("\r\n")]), bytes(`0${extension}\r\n${trailer}\r\n`)]);

describe("an answer", () => {
  it("in any pieces has the same bytes: a length", () => {
    fc.assert(
      fc.property(body, cuts, interim, (parts, at, before) => {
        const content = Buffer.concat(parts);
        const seen = read(Buffer.concat([bytes(`${before}HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n\r\n`), content]), at);
        expect(seen).toMatchObject({ heads: [200], complete: true, clean: true, fault: null });
        expect(Buffer.concat(seen.pieces).equals(content)).toBe(true);
      }),
    );
  });

  it("in any pieces has the same bytes: chunks, with extensions and trailers", () => {
    const around = fc.tuple(interim, fc.constantFrom("", ";a=b", ' ; a="b"', "\t;a"), fc.constantFrom("", "x-sum: 1\r\n", "a: 1\r\nb: \r\n"));
    fc.assert(
      fc.property(body, cuts, around, (parts, at, [before, extra, fields]) => {
        const seen = read(Buffer.concat([bytes(`${before}HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`), inChunks(parts, extra, fields)]), at);
        expect(seen).toMatchObject({ heads: [200], complete: true, clean: true, fault: null });
        expect(Buffer.concat(seen.pieces).equals(Buffer.concat(parts))).toBe(true);
      }),
    );
  });

  it("in any pieces has the same bytes: until the connection ends", () => {
    fc.assert(
      fc.property(body, cuts, (parts, at) => {
        const seen = read(Buffer.concat([bytes("HTTP/1.1 200 OK\r\n\r\n"), ...parts]), at, { ends: true });
        expect(seen).toMatchObject({ heads: [200], complete: true, fault: null });
        expect(Buffer.concat(seen.pieces).equals(Buffer.concat(parts))).toBe(true);
      }),
    );
  });

  it("what is no HTTP never ends well, and never throws anything but a fault", () => {
    const pieces = ["HTTP/1.1 200 OK", "HTTP/1.1", "\r\n", "\n", "content-length: 3", "transfer-encoding: chunked", "5", "abc", "\u0000", ";", ":", " ", "0\r\n\r\n", "\r\n\r\n"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), cuts, (parts, at) => {
        const wire = bytes(parts.join(""));
        const [whole, split] = [read(wire, [], { ends: true }), read(wire, at, { ends: true })];
        expect(split.heads).toEqual(whole.heads);
        expect(split.fault === null).toBe(whole.fault === null);
        expect(whole.fault ?? "BAD").toMatch(/^(?:BAD|SHORT_BODY|CONNECTION_CLOSED|UNEXPECTED_UPGRADE|INTERIM_FLOOD)/);
      }),
      { numRuns: 2000 },
    );
  });

  it("every chunk that is here is handed on at once", () => {
    const { pieces, complete } = read(bytes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\nde"), []);
    expect(pieces.map(String)).toEqual(["abc", "de"]);
    expect(complete).toBe(false);
  });

  it("in many chunks is not mistaken for a flood of framing", () => {
    const parts = Array.from({ length: 5000 }, () => Buffer.from("x"));
    const seen = read(Buffer.concat([bytes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), inChunks(parts, "", "")]), []);
    expect(seen).toMatchObject({ complete: true, fault: null });
    expect(seen.pieces).toHaveLength(5000);
  });

  it("may have its interim answers, whatever the one before it had", () => {
    const parser = new ResponseParser();
    const heads: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      parser.begin("POST");
      parser.push(bytes(`${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10)}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`), { onHead: ({ status }) => void heads.push(status), onData() {} });
    }
    expect(heads).toEqual([200, 200, 200]);
  });

  it("bytes behind its end are told, and not read", () => {
    expect(read(bytes("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n"), [])).toMatchObject({ heads: [200], complete: true, clean: false });
    expect(read(bytes("HTTP/1.1 204 No Content\r\n\r\nx"), [])).toMatchObject({ pieces: [], complete: true, clean: false });
  });

  it("nothing is handed on after a stop, in the middle of a read", () => {
    const parser = new ResponseParser();
    const seen: string[] = [];
    parser.begin("POST");
    parser.push(bytes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"), {
      onHead: () => void seen.push("head"),
      onData(piece) {
        seen.push(piece.toString());
        parser.stop();
      },
    });
    expect(seen).toEqual(["head", "a"]);
    expect(parser.keepsAlive).toBe(false);
  });
});

describe("an answer that breaks the rules", () => {
  it.each([
    ["BAD_STATUS_LINE", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["BAD_STATUS_LINE", "H1"],
    ["BAD_STATUS_LINE", "\r\nHTTP/1.1 200 OK\r\n\r\n"],
    ["BAD_HEADER_FIELD", "HTTP/1.1 200 OK\ncontent-length: 0\n\n"],
    ["UNEXPECTED_UPGRADE", "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n"],
    ["INTERIM_FLOOD", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17)],
    ["HEADERS_TOO_LARGE", `HTTP/1.1 200 OK\r\n${"x-a: h\r\n".repeat(9000)}`],
    ["HEADERS_TOO_LARGE", `HTTP/1.1 200 OK\r\n${"x-a: h\r\n".repeat(9000)}\r\n`],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\nx\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxy\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\rx\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n"],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000\r\n"],
    ["BAD_CHUNK", `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${"e".repeat(17_000)}`],
    ["BAD_CHUNK", `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${"a: b\r\n".repeat(3000)}`],
    ["BAD_CHUNK", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\n\r\n"],
  ])("%s: %j", (code, wire) => {
    expect(read(bytes(wire), []).fault).toBe(code);
    expect(read(bytes(wire), Array.from({ length: Math.min(wire.length, 400) }, () => 1)).fault).toBe(code);
  });

  it.each([
    ["CONNECTION_CLOSED", "", false],
    ["CONNECTION_CLOSED", "HTTP/1.1 200 OK\r\nconte", false],
    ["CONNECTION_CLOSED", "HTTP/1.1 103 Early Hints\r\n\r\n", false],
    ["SHORT_BODY", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", true],
    ["SHORT_BODY", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n", true],
    ["SHORT_BODY", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", true],
  ])("a connection that ends too early is %s: %j", (code, wire, begun) => {
    const { heads, fault } = read(bytes(wire), [], { ends: true });
    expect([fault, heads.length > 0]).toEqual([code, begun]);
  });
});
