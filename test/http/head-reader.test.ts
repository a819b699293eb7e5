// Heads in whatever pieces the network makes of them.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HeadReader, maxHeadBytes } from "../../src/http/head-reader.ts";
import { crumbs, cut, cuts, faultOf, latin1, spent } from "./bytes.ts";

type Read = { readonly text: string; readonly end: number } | null;

/** Reads `parts` one after another; `end` counts from the first byte of the first one. */
const readParts = (parts: readonly Buffer[], reader = new HeadReader({ skipsEmptyLines: true })): Read => {
  let before = 0;
  for (const part of parts) {
    const end = reader.read(part, 0);
    if (end !== -1) return { text: reader.text, end: before + end };
    before += part.length;
  }
  return null;
};

const line = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 30 });
const head = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.join("\r\n"));
const anything = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const emptyLines = fc.integer({ min: 0, max: 4 }).map((count) => "\r\n".repeat(count));

/** A head of exactly so many bytes. */
const headOf = (bytes: number): string => `GET / HTTP/1.1\r\nx: ${"v".repeat(bytes - 19)}`;

describe("a head", () => {
  it("has the same text and the same end in any pieces, whatever stands before and behind it", () => {
    fc.assert(
      fc.property(fc.tuple(emptyLines, head, anything), cuts, ([before, text, behind], lengths) => {
        const wire = Buffer.concat([latin1(`${before}${text}\r\n\r\n`), behind]);
        const expected = { text, end: before.length + text.length + 4 };
        expect(readParts([wire])).toEqual(expected);
        expect(readParts(cut(wire, lengths))).toEqual(expected);
        expect(readParts(crumbs(wire))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it.each(["\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n{\n\0}", "GET / HTTP/1.1\r\n\r\n\n\n\n"])("cut in two at any place is the same: %j", (text) => {
    const wire = latin1(text);
    const whole = readParts([wire]);
    expect(whole?.text).toMatch(/^GET/);
    for (let at = 1; at < wire.length; at += 1) expect([at, readParts(cut(wire, [at]))]).toEqual([at, whole]);
  });

  it("whose end is cut may have a line feed or a NUL in the body that comes with the rest of it", () => {
    for (let at = 1; at <= 4; at += 1) {
      const reader = new HeadReader({ skipsEmptyLines: true });
      const end = "\r\n\r\n";
      expect(reader.read(latin1(`POST / HTTP/1.1\r\na: b${end.slice(0, 4 - at)}`), 0)).toBe(-1);
      expect(reader.read(latin1(`${end.slice(4 - at)}{\n\0`), 0)).toBe(at);
      expect(reader.text).toBe("POST / HTTP/1.1\r\na: b");
    }
  });

  it("is read from where it begins in the bytes", () => {
    expect(new HeadReader({ skipsEmptyLines: true }).read(latin1("\0\n\r\nA\r\n\r\n"), 2)).toBe(9);
    const reader = new HeadReader({ skipsEmptyLines: true });
    expect(reader.read(latin1("\0\nGET / HT"), 2)).toBe(-1);
    expect(reader.read(latin1("\0\0\nTP/1.1\r\n\r\nx"), 3)).toBe(13);
    expect(reader.text).toBe("GET / HTTP/1.1");
  });

  it("follows another through the same reader, the first one whole or in pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(emptyLines, head), { minLength: 2, maxLength: 4 }), cuts, (heads, lengths) => {
        const reader = new HeadReader({ skipsEmptyLines: true });
        const texts: string[] = [];
        for (const part of cut(latin1(heads.map(([before, text]) => `${before}${text}\r\n\r\n`).join("")), lengths)) {
          for (let at = 0; at !== -1 && at < part.length;) {
            at = reader.read(part, at);
            if (at !== -1) texts.push(reader.text);
          }
        }
        expect(texts).toEqual(heads.map(([, text]) => text));
        expect(reader.hasBegun).toBe(false);
      }),
    );
  });

  it("has begun with its first byte, and no longer when it is complete", () => {
    const reader = new HeadReader({ skipsEmptyLines: true });
    expect(reader.hasBegun).toBe(false);
    reader.read(latin1("G"), 0);
    expect(reader.hasBegun).toBe(true);
    reader.read(latin1("ET / HTTP/1.1\r\n\r"), 0);
    expect(reader.hasBegun).toBe(true);
    reader.read(latin1("\n"), 0);
    expect(reader.hasBegun).toBe(false);
  });

  it("has not begun with empty lines, however they are cut", () => {
    for (const parts of [["\r\n\r\n"], ["\r", "\n"], ["\r\n\r", "\n\r", "\n"]]) {
      const reader = new HeadReader({ skipsEmptyLines: true });
      for (const part of parts) expect(reader.read(latin1(part), 0)).toBe(-1);
      expect(reader.hasBegun).toBe(false);
      expect(readParts([latin1("A\r\n\r\n")], reader)).toEqual({ text: "A", end: 5 });
    }
  });

  it("stays as it was read when the bytes it came in are used for something else", () => {
    const reader = new HeadReader({ skipsEmptyLines: true });
    const first = latin1("GET / HTTP/1.1\r\nhost: a");
    reader.read(first, 0);
    first.fill("x");
    expect(readParts([latin1("\r\n\r\n")], reader)?.text).toBe("GET / HTTP/1.1\r\nhost: a");
  });
});

const largest = headOf(maxHeadBytes);
const waysToCut: readonly (readonly [string, (wire: Buffer) => readonly Buffer[]])[] = [
  ["whole", (wire) => [wire]],
  ["in two halves", (wire) => cut(wire, [32_768])],
  ["in reads of a few bytes", (wire) => cut(wire, Array.from({ length: 1000 }, () => 60))],
  ["cut before its empty line", (wire) => cut(wire, [wire.length - 4])],
  ["cut within its empty line", (wire) => cut(wire, [wire.length - 2])],
  ["cut before its last byte", (wire) => cut(wire, [wire.length - 1])],
  ["cut behind its first byte", (wire) => cut(wire, [1])],
  ["byte by byte", crumbs],
];

describe("64 KiB of head", () => {
  it.each(waysToCut)("are taken %s, and one byte more is refused", (_, parts) => {
    expect(readParts(parts(latin1(`${largest}\r\n\r\n`)))).toEqual({ text: largest, end: maxHeadBytes + 4 });
    expect(faultOf(() => readParts(parts(latin1(`${headOf(maxHeadBytes + 1)}\r\n\r\n`))))).toBe("HEADERS_TOO_LARGE");
  });

  it.each([1, 3, 1000, 65_536, 200_000])("are never exceeded by a head without an end, in reads of %i bytes", (size) => {
    const reader = new HeadReader({ skipsEmptyLines: true });
    let taken = 0;
    const endless = (): void => {
      for (; taken <= 300_000; taken += size) reader.read(Buffer.alloc(size, "a"), 0);
    };
    expect(faultOf(endless)).toBe("HEADERS_TOO_LARGE");
    // The read that broke the limit is not counted.
    expect(taken).toBeLessThanOrEqual(maxHeadBytes + 3);
  });

  it("do not count the empty lines before them, wherever those are cut", () => {
    const wire = latin1(`${"\r\n".repeat(20)}${largest}\r\n\r\nrest`);
    const expected = { text: largest, end: 40 + maxHeadBytes + 4 };
    for (const lengths of [[], [1], [2], [3], [39], [40], [41], [60_000]]) expect(readParts(cut(wire, lengths))).toEqual(expected);
  });
});

const controls = [...Array.from({ length: 32 }, (_, code) => code), 0x7f].filter((code) => ![0x09, 0x0a, 0x0d].includes(code));

describe("what no head can have", () => {
  it.each(controls)("is refused at once, not when the head ends: byte %i", (code) => {
    const bad = String.fromCharCode(code);
    for (const begun of ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a"]) {
      expect(faultOf(() => readParts([latin1(begun + bad)]))).toBe("BAD_HEADER_FIELD");
      expect(faultOf(() => readParts(crumbs(latin1(begun + bad))))).toBe("BAD_HEADER_FIELD");
    }
  });

  it.each(["\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nhost: a\n", "GET / HTTP/1.1\r\n\n", "\r\n\n"])("is refused at once: a line feed alone in %j", (text) => {
    const wire = latin1(text);
    for (const parts of [[wire], crumbs(wire), cut(wire, [1])]) expect(faultOf(() => readParts(parts))).toBe("BAD_HEADER_FIELD");
  });

  it("is refused at once behind empty lines that are cut", () => {
    expect(faultOf(() => readParts([latin1("\r"), latin1("\n\r\nGET / HTTP/1.1\nhost: a")]))).toBe("BAD_HEADER_FIELD");
    expect(faultOf(() => readParts([latin1("\r\n\r"), latin1("\nGET / HTTP/1.1\0")]))).toBe("BAD_HEADER_FIELD");
  });

  it("does not mean a tab, a byte above ASCII, or a line end that is cut", () => {
    expect(readParts([latin1("A\tb\xe9\x85\xa0\r"), latin1("\nc\r\n\r\n")])?.text).toBe("A\tb\xe9\x85\xa0\r\nc");
  });
});

describe("the time a head takes grows with its length only", () => {
  it("byte by byte", () => {
    const parts = crumbs(latin1(`${largest}\r\n\r\n`));
    expect(spent(() => readParts(parts))).toBeLessThan(1500);
  });

  it("with nothing but empty lines before it, cut within one", () => {
    const lines = latin1(`\n${"\r\n".repeat(32_767)}\r`);
    const reader = new HeadReader({ skipsEmptyLines: true });
    reader.read(latin1("\r"), 0);
    expect(spent(() => readParts(Array.from({ length: 100 }, () => lines), reader))).toBeLessThan(1200);
  });
});
