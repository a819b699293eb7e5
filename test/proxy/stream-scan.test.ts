import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createStreamScan } from "../../src/proxy/stream-scan.ts";

type Seen = [name: string, data: string | null][];

const scan = (chunks: readonly Buffer[], limit?: number): Seen => {
  const seen: Seen = [];
  const scanner = createStreamScan((name, data) => seen.push([name, data]), limit);
  for (const chunk of chunks) scanner.push(chunk);
  return seen;
};

const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const points = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((left, right) => left - right);
  return [0, ...points].map((from, index) => bytes.subarray(from, points[index] ?? bytes.length));
};

describe("createStreamScan", () => {
  it.each(["\n", "\r\n", "\r"])("reads lines that end with %j", (end) => {
    const text = ["event: a", "data: 1", "data:2", "", ": comment", "id: 7", "data:  x", "", "event: b", "", "retry: 1", "data", "", ""].join(end);
    expect(scan([Buffer.from(text)])).toEqual([
      ["a", "1\n2"],
      ["", " x"],
      ["", ""],
    ]);
  });

  it("strips one byte order mark at the very beginning and drops an event that never ends", () => {
    expect(scan([Buffer.from("\ufeffdata: 1\n\ndata: \ufeff2\n\ndata: 3\n")])).toEqual([
      ["", "1"],
      ["", "\ufeff2"],
    ]);
  });

  it("a line without end keeps at most the limit and the next event is read again (R12)", () => {
    const seen: Seen = [];
    const scanner = createStreamScan((name, data) => seen.push([name, data]));
    const block = Buffer.alloc(64 * 1024, "x");
    const before = process.memoryUsage().arrayBuffers;
    scanner.push(Buffer.from("data: "));
    for (let count = 0; count < 16 * 1024; count += 1) scanner.push(block);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    scanner.push(Buffer.from("\n\nevent: next\ndata: 1\n\n"));
    expect(seen).toEqual([
      ["", null],
      ["next", "1"],
    ]);
  });

  it("a line that comes byte by byte costs no more than its bytes", () => {
    const scanner = createStreamScan(() => {});
    const byte = Buffer.from("x");
    const before = process.memoryUsage();
    for (let count = 0; count < 200_000; count += 1) scanner.push(byte);
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(2 * 1024 * 1024);
  });

  it("an event of many short lines is bounded too", () => {
    expect(scan([Buffer.from(`event: big\n${"data: 0123456789\n".repeat(100)}\n`)], 500)).toEqual([["big", null]]);
  });

  it("however a stream is cut, the same events are read (R2)", () => {
    const piece = fc.oneof(fc.constantFrom("\n", "\r", "\r\n", "\n\n", "data:", "data: ", "event: x", ":", "id: 1", "\ufeff", "{\"a\":1}", "é", "🎈"), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 20 }), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(""));
        const whole = scan([bytes]);
        expect(scan(cutAt(bytes, cuts))).toEqual(whole);
        expect(scan([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
        expect(whole).toEqual(reference(bytes.toString()));
      }),
      { numRuns: 500 },
    );
  });
});

// The specification's algorithm, word by word, on the whole text.
const reference = (text: string): Seen => {
  const seen: Seen = [];
  let name = "";
  let data: string[] = [];
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  lines.pop();
  for (const line of lines) {
    if (line === "") {
      if (data.length > 0) seen.push([name, data.join("\n")]);
      name = "";
      data = [];
      continue;
    }
    const [field, value] = split(line);
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
  return seen;
};

const split = (line: string): [field: string, value: string] => {
  const colon = line.indexOf(":");
  return colon === -1 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
};
