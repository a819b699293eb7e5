// The reader of raw answers: it must see an answer as it is on the wire, or the proofs prove nothing.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAnswer, valuesOf } from "../../src/doctor/answer.ts";

const read = (text: string) => readAnswer(Buffer.from(text, "latin1"));

describe("a raw answer", () => {
  it("is nothing before its head is whole, and incomplete before its body is", () => {
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n")).toBeNull();
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab")).toMatchObject({ status: 200, complete: false, body: Buffer.from("ab") });
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcd")).toMatchObject({ complete: true, body: Buffer.from("abc") });
  });

  it("keeps names, order and doubles of its fields", () => {
    const answer = read("HTTP/1.1 429 Slow\r\nX-B: 1\r\nx-a:  two \r\nX-B: 3\r\n\r\n");
    expect(answer?.fields).toEqual([["X-B", "1"], ["x-a", "two"], ["X-B", "3"]]);
    expect(valuesOf(answer?.fields ?? [], "x-b")).toEqual(["1", "3"]);
  });

  it("is found behind interim answers", () => {
    expect(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nx: 1\r\n\r\n")).toMatchObject({ status: 204, fields: [["x", "1"]] });
  });

  it("without any framing, or with a broken chunk, is never whole", () => {
    expect(read("HTTP/1.1 200 OK\r\n\r\nall there is")?.complete).toBe(false);
    expect(read("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz")).toMatchObject({ complete: false, body: Buffer.from("abc") });
  });

  it("in chunks of any size gives the same bytes, and is whole exactly with the last chunk", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }), (pieces) => {
        const head = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const framed = pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)}\r\n`), Buffer.from(piece), Buffer.from("\r\n")]);
        const open = Buffer.concat([head, ...framed]);
        expect(readAnswer(open)).toMatchObject({ complete: false, body: Buffer.concat(pieces) });
        expect(readAnswer(Buffer.concat([open, Buffer.from("0\r\n\r\n")]))).toMatchObject({ complete: true, body: Buffer.concat(pieces) });
      }),
    );
  });
});
