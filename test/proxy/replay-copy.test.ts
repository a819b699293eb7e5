// What of an upload is kept for another attempt, and what happens to its memory afterwards.
import { describe, expect, it } from "vitest";

import { ReplayCopy } from "../../src/proxy/replay-copy.ts";

const kibi = 1024;
/** As a socket's read: memory of its own. */
const read = (bytes: number): Buffer => Buffer.allocUnsafeSlow(bytes).fill("r");

const copyOf = (...pieces: readonly Buffer[]): ReplayCopy => {
  const copy = new ReplayCopy(4096 * kibi);
  for (const piece of pieces) copy.keep(piece);
  return copy;
};

describe("what may be sent again", () => {
  it("is all pieces in their order, or none when they are more than the limit", () => {
    const copy = new ReplayCopy(5);
    copy.keep(Buffer.from("abc"));
    copy.keep(Buffer.from("de"));
    expect([copy.isComplete, Buffer.concat(copy.pieces).toString()]).toEqual([true, "abcde"]);
    copy.keep(Buffer.from("f"));
    expect([copy.isComplete, copy.pieces]).toEqual([false, []]);
    copy.keep(Buffer.from("g"));
    expect(copy.pieces).toEqual([]);
    expect(new ReplayCopy(0).isComplete).toBe(false);
  });
});

describe("memory that is given back", () => {
  it("is that of whole reads, at once", () => {
    const [large, small] = [read(64 * kibi), read(32 * kibi)];
    const copy = copyOf(large, small);
    copy.giveBack();
    expect([large.buffer.byteLength, small.buffer.byteLength]).toEqual([0, 0]);
    expect([copy.isComplete, copy.pieces]).toEqual([false, []]);
  });

  it("is that of a read whose head is before the piece, or other chunks of the same body", () => {
    const memory = read(64 * kibi);
    copyOf(memory.subarray(100, 24 * kibi), memory.subarray(24 * kibi + 6)).giveBack();
    expect(memory.buffer.byteLength).toBe(0);
  });

  it("is none that somebody else may use: with more behind the piece, or shared by small ones", () => {
    const memory = read(64 * kibi);
    const little = read(32 * kibi - 1);
    const pooled = Buffer.from("a small one");
    copyOf(memory.subarray(0, 64 * kibi - 1), little, pooled).giveBack();
    expect([memory.length, little.length, pooled.toString()]).toEqual([64 * kibi, 32 * kibi - 1, "a small one"]);
  });

  it("is none when the copy is only dropped", () => {
    const memory = read(64 * kibi);
    const copy = copyOf(memory);
    copy.drop();
    copy.giveBack();
    expect(memory.length).toBe(64 * kibi);
  });
});
