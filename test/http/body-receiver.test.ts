// Bodies in whatever pieces the network makes of them, right ones and wrong ones.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BodyReceiver } from "../../src/http/body-receiver.ts";
import { HttpRequest } from "../../src/http/request.ts";
import type { BodyReader } from "../../src/http/request.ts";
import { crumbs, cut, cuts, latin1, spent } from "./bytes.ts";

type Framing = number | "chunked";
type Seen = { readonly body: string; readonly rest: string; readonly done: boolean; readonly fault: string | null };

const receiverFor = (framing: Framing, onData: BodyReader["onData"]): BodyReceiver => {
  const request = new HttpRequest({ method: "POST", target: "/", httpVersion: "1.1", rawHeaders: [], framing, keepAlive: true }, { remoteAddress: undefined, onPace() {} });
  request.read({ onData, onEnd() {} });
  return new BodyReceiver(request);
};

const text = (all: readonly Buffer[]): string => Buffer.concat(all).toString("latin1");

/** Reads `parts`; `rest` is what does not belong to the body. */
const read = (framing: Framing, parts: readonly Buffer[]): Seen => {
  const pieces: Buffer[] = [];
  const rest: Buffer[] = [];
  const receiver = receiverFor(framing, (piece) => void pieces.push(Buffer.from(piece)));
  for (const part of parts) rest.push(part.subarray(receiver.read(part, 0)));
  return { body: text(pieces), rest: text(rest), done: receiver.isDone, fault: receiver.fault?.code ?? null };
};

const anything = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array).toString("latin1"));
const extension = fc.constantFrom("", ";a", ";a=b", ' ; a = "b;c"', ";\xe9");
const size = (piece: string, upper: boolean): string => (upper ? `00${piece.length.toString(16).toUpperCase()}` : piece.length.toString(16));
const chunk = fc.tuple(anything(40).filter((piece) => piece !== ""), extension, fc.boolean()).map(([piece, extra, upper]) => ({ piece, wire: `${size(piece, upper)}${extra}\r\n${piece}\r\n` }));
const chunks = fc.array(chunk, { maxLength: 8 });
const trailer = fc.constantFrom("", "x-sum: 1\r\n", "a:\r\nb: \xe9\r\n");

describe("a body in any pieces", () => {
  it("of a known length has the same bytes, and what is behind it is left", () => {
    fc.assert(
      fc.property(anything(200), anything(30), cuts, (body, rest, lengths) => {
        const wire = latin1(body + rest);
        for (const parts of [[wire], cut(wire, lengths), crumbs(wire)]) expect(read(body.length, parts)).toEqual({ body, rest, done: true, fault: null });
      }),
    );
  });

  it("in chunks has the same bytes, and what is behind it is left", () => {
    fc.assert(
      fc.property(fc.tuple(chunks, extension, trailer), anything(30), cuts, ([all, extra, fields], rest, lengths) => {
        const wire = latin1(`${all.map((each) => each.wire).join("")}0${extra}\r\n${fields}\r\n${rest}`);
        const expected = { body: all.map(({ piece }) => piece).join(""), rest, done: true, fault: null };
        for (const parts of [[wire], cut(wire, lengths), crumbs(wire)]) expect(read("chunked", parts)).toEqual(expected);
      }),
    );
  });

  it("is not done before its last byte", () => {
    const wire = latin1("2\r\nab\r\n0\r\nx: y\r\n\r\n");
    for (let at = 0; at < wire.length; at += 1) expect([at, read("chunked", [wire.subarray(0, at)]).done]).toEqual([at, false]);
    for (let at = 0; at < 5; at += 1) expect(read(5, [latin1("abcde").subarray(0, at)]).done).toBe(false);
  });

  it("is read from where it begins in the bytes", () => {
    const pieces: string[] = [];
    const plain = receiverFor(3, (piece) => void pieces.push(piece.toString()));
    expect(plain.read(latin1("head|abcrest"), 5)).toBe(8);
    const chunked = receiverFor("chunked", (piece) => void pieces.push(piece.toString()));
    expect(chunked.read(latin1("head|3\r\ndef\r\n0\r\n\r\nrest"), 5)).toBe(18);
    expect(pieces).toEqual(["abc", "def"]);
  });

  it("is handed on as soon as it is there, without the framing", () => {
    const pieces: string[] = [];
    receiverFor("chunked", (piece) => void pieces.push(piece.toString())).read(latin1("3\r\nabc\r\n4\r\nde"), 0);
    expect(pieces).toEqual(["abc", "de"]);
  });

  it("of many chunks is not mistaken for a flood of framing, nor is one of 16 KiB of framing between data", () => {
    expect(read("chunked", [latin1(`${"1;abc=def\r\nx\r\n".repeat(3000)}0\r\n\r\n`)])).toEqual({ body: "x".repeat(3000), rest: "", done: true, fault: null });
    expect(read("chunked", [latin1(`1;${"e".repeat(16_000)}\r\nx\r\n1;${"e".repeat(16_000)}\r\nx\r\n0\r\n\r\n`)])).toMatchObject({ body: "xx", done: true });
  });
});

const broken: readonly (readonly [body: string, fault: string])[] = [
  ["", "zz\r\n"],
  ["", "zz"],
  ["", "\r\n"],
  ["", "\n"],
  ["", ";a\r\n"],
  ["", ";a"],
  ["", "\r"],
  ["", "-1\r\n"],
  ["", "+1\r\n"],
  ["", " 1\r\n"],
  ["", " 1"],
  ["", "0x1\r\n"],
  ["", "1g"],
  ["", "1\n"],
  ["", "1\r\r\n"],
  ["", "1;a\0b\r\n"],
  ["", "1;a\nb"],
  ["", "1 a\r\n"],
  ["", "10000000000000\r\n"],
  ["", "10000000000000"],
  ["", `1;${"e".repeat(17_000)}`],
  ["a", "1\r\nab"],
  ["a", "1\r\na\n"],
  ["a", "1\r\na\rb"],
  ["a", "1\r\na\r\r\n"],
  ["a", "1\r\na0\r\n"],
  ["ab", "1\r\na\r\n1\r\nb\r\nzz"],
  ["", "0\r\nx\r\n"],
  ["", "0\r\n x: y\r\n"],
  ["", "0\r\nx : y\r\n"],
  ["", "0\r\nx: a\0b\r\n"],
  ["", "0\r\nx: y\n"],
  ["", "0\r\n\n"],
  ["", `0\r\n${"x: y\r\n".repeat(3000)}`],
];

describe("a body that breaks the rules of chunks", () => {
  it.each(broken)("is a fault at once, and nothing behind it is handed on: %j, %j", (body, wire) => {
    const parts = [[latin1(wire)], crumbs(latin1(wire)), [latin1(`${wire}\r\n1\r\nX\r\n0\r\n\r\n`)], [...crumbs(latin1(wire)), latin1("\r\n1\r\nX\r\n0\r\n\r\n")]];
    for (const [index, each] of parts.entries()) {
      const seen = read("chunked", each);
      expect(seen).toMatchObject({ body, done: false, fault: "BAD_CHUNK" });
      // The read that finds the fault is used up; what comes later belongs to nobody.
      if (index < 2) expect(seen.rest.length).toBeLessThan(wire.length);
    }
  });

  it("has no other end for being cut somewhere", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("1", "0", "\r\n", "\n", "\r", "a", ";", " ", "x: y", "\r\n\r\n", "g"), { maxLength: 14 }), cuts, (words, lengths) => {
        const wire = latin1(words.join(""));
        const whole = read("chunked", [wire]);
        const split = read("chunked", cut(wire, lengths));
        expect([split.body, split.done, split.fault]).toEqual([whole.body, whole.done, whole.fault]);
        if (whole.fault === null) expect(split.rest).toBe(whole.rest);
      }),
      { numRuns: 1000 },
    );
  });

  it("is found in a time that grows with its length only: many blanks in a trailer", () => {
    const wire = latin1(`0\r\nx:${" ".repeat(16_000)}\x7f\r\n`);
    expect(spent(() => Array.from({ length: 10 }, () => read("chunked", [wire])))).toBeLessThan(1000);
    expect(spent(() => read("chunked", crumbs(latin1(`1;${" ".repeat(16_000)}\r\n`))))).toBeLessThan(1500);
  });
});

describe("an exception of whoever takes the body", () => {
  it.each<[Framing, string]>([
    [3, "abc"],
    ["chunked", "3\r\nabc\r\n0\r\n\r\n"],
  ])("is theirs, and no fault of the body: %j", (framing, wire) => {
    const mine = new Error("mine");
    const receiver = receiverFor(framing, () => { throw mine; });
    expect(() => receiver.read(latin1(wire), 0)).toThrow(mine);
    expect(receiver.fault).toBeNull();
  });
});
