// The body of a request between the connection, which has it sooner, and its reader, who may take it later.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HttpRequest } from "../../src/http/request.ts";
import type { BodyReader } from "../../src/http/request.ts";
import { spent } from "./bytes.ts";

const chunkedPost = { method: "POST", target: "/", httpVersion: "1.1", rawHeaders: ["Host", "a", "X", "1", "x", "2", "y", "x"], framing: "chunked", keepAlive: true } as const;

/** A request, what its connection was told, and a reader that writes down what it hears. */
const begin = (framing: number | "chunked" = "chunked") => {
  let paces = 0;
  const request = new HttpRequest({ ...chunkedPost, framing }, { remoteAddress: "127.0.0.9", onPace: () => { paces += 1; } });
  const log: string[] = [];
  const reader: Required<BodyReader> = { onData: (piece) => void log.push(piece.toString()), onEnd: () => void log.push("end"), onAbort: () => void log.push("abort") };
  const push = (...pieces: readonly string[]): void => pieces.forEach((piece) => request.push(Buffer.from(piece)));
  return { request, log, reader, push, paces: () => paces };
};

describe("the head of a request", () => {
  it("is there as it was read", () => {
    const { request } = begin();
    expect(request).toMatchObject(chunkedPost);
    expect(request.remoteAddress).toBe("127.0.0.9");
  });

  it("gives all values of a field in their order, and no name for a value", () => {
    const { request } = begin();
    expect(request.valuesOf("x")).toEqual(["1", "2"]);
    expect(request.valuesOf("1")).toEqual([]);
    expect(request.valuesOf("host")).toEqual(["a"]);
  });
});

describe("a body", () => {
  it("that comes before its reader is kept and handed over in order, and its end last", () => {
    const { request, log, reader, push } = begin();
    push("a", "b");
    request.read(reader);
    expect(log).toEqual(["a", "b"]);
    push("c");
    expect(request.isComplete).toBe(false);
    request.end();
    expect(request.isComplete).toBe(true);
    expect(log).toEqual(["a", "b", "c", "end"]);
  });

  it("that is complete before its reader comes has its end all the same", () => {
    const { request, log, reader, push } = begin();
    push("a");
    request.end();
    request.read(reader);
    expect(log).toEqual(["a", "end"]);
  });

  it("of no bytes ends as soon as there is a reader, once", () => {
    const { request, log, reader } = begin(0);
    expect(request.isComplete).toBe(true);
    request.read(reader);
    request.resume();
    expect(log).toEqual(["end"]);
  });

  it("of some bytes is not complete before its end", () => {
    expect(begin(4).request.isComplete).toBe(false);
  });

  it("is held where its reader pauses, also in the middle of what was kept, and goes on in order", () => {
    const { request, log, reader, push } = begin();
    push("a", "b", "c");
    request.end();
    request.read({ ...reader, onData(piece) {
      log.push(piece.toString());
      if (log.length === 2) request.pause();
    } });
    expect(log).toEqual(["a", "b"]);
    request.resume();
    expect(log).toEqual(["a", "b", "c", "end"]);
  });

  it("does not end while its reader pauses", () => {
    const { request, log, reader } = begin();
    request.read(reader);
    request.pause();
    request.end();
    expect(log).toEqual([]);
    request.resume();
    expect(log).toEqual(["end"]);
  });

  it("does not end for a reader that pauses at the last piece", () => {
    const { request, log, reader, push } = begin();
    push("a");
    request.end();
    request.read({ ...reader, onData: (piece) => { log.push(piece.toString()); request.pause(); } });
    expect(log).toEqual(["a"]);
    request.resume();
    expect(log).toEqual(["a", "end"]);
  });

  it("has the same order for a reader that pauses and goes on while it is handed a piece", () => {
    const { request, log, reader, push } = begin();
    push("a", "b", "c");
    request.end();
    request.read({ ...reader, onData(piece) {
      log.push(piece.toString());
      request.pause();
      request.resume();
    } });
    expect(log).toEqual(["a", "b", "c", "end"]);
  });

  it("keeps its order when something comes while older pieces wait", () => {
    const { request, log, reader, push } = begin();
    request.read(reader);
    request.pause();
    push("a", "b");
    request.resume();
    push("c");
    expect(log).toEqual(["a", "b", "c"]);
  });

  it("keeps its order when something comes, and the end, while a reader is handed older pieces", () => {
    const { request, log, reader, push } = begin();
    push("a", "b");
    request.read({ ...reader, onData(piece) {
      log.push(piece.toString());
      if (log.length > 1) return;
      push("c");
      request.end();
    } });
    expect(log).toEqual(["a", "b", "c", "end"]);
  });

  it("goes on where the first reader stopped when a second one takes its place", () => {
    const first = begin();
    const second: string[] = [];
    first.push("a", "b");
    first.request.read({ ...first.reader, onData: (piece) => { first.log.push(piece.toString()); first.request.pause(); } });
    first.request.read({ onData: (piece) => void second.push(piece.toString()), onEnd: () => void second.push("end") });
    first.request.resume();
    first.push("c");
    first.request.end();
    expect(first.log).toEqual(["a"]);
    expect(second).toEqual(["b", "c", "end"]);
  });

  it("that is not wanted is thrown away, also while its reader pauses", () => {
    const { request, log, reader, push } = begin();
    request.read(reader);
    request.pause();
    push("a");
    request.discard();
    push("b");
    request.end();
    expect(log).toEqual([]);
    expect(request.isFull).toBe(false);
  });

  it("comes in order and ends once, whatever its reader and its connection do in turn", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("push", "pause", "resume", "read"), { maxLength: 30 }), (steps) => {
        const { request, log, reader, push } = begin();
        let pushed = 0;
        const act: Record<string, () => void> = { push: () => push(String(pushed++)), pause: () => request.pause(), resume: () => request.resume(), read: () => request.read(reader) };
        for (const step of steps) act[step]?.();
        request.end();
        request.read(reader);
        request.resume();
        expect(log).toEqual([...Array.from({ length: pushed }, (_, index) => String(index)), "end"]);
      }),
      { numRuns: 300 },
    );
  });

  it("of very many small pieces is handed over in a time that grows with their number only", () => {
    const { request } = begin();
    const piece = Buffer.from("a");
    for (let times = 0; times < 150_000; times += 1) request.push(piece);
    let count = 0;
    expect(spent(() => request.read({ onData: () => { count += 1; }, onEnd() {} }))).toBeLessThan(1000);
    expect(count).toBe(150_000);
  });
});

describe("a body that will not be complete", () => {
  it("is told once, and nothing after it", () => {
    const { request, log, reader, push } = begin();
    request.read(reader);
    push("a");
    request.abort();
    request.abort();
    request.resume();
    expect(log).toEqual(["a", "abort"]);
    expect(request.isComplete).toBe(false);
  });

  it("is told to a reader that pauses, at once and without what was kept", () => {
    const { request, log, reader, push } = begin();
    request.read(reader);
    request.pause();
    push("a");
    request.abort();
    request.resume();
    expect(log).toEqual(["abort"]);
    expect(request.isFull).toBe(false);
  });

  it("needs no reader, and none that listens for it", () => {
    const { request } = begin();
    request.abort();
    const other = begin();
    other.request.read({ onData() {}, onEnd() {} });
    other.request.abort();
    expect(other.request.isComplete).toBe(false);
  });

  it("is never told behind the end", () => {
    const { request, log, reader } = begin();
    request.read(reader);
    request.end();
    request.abort();
    expect(log).toEqual(["end"]);
  });
});

describe("what is kept of a body", () => {
  it("is 64 KiB without a reader, and full with one byte more", () => {
    const { request, push } = begin();
    push("a".repeat(65_536));
    expect(request.isFull).toBe(false);
    push("b");
    expect(request.isFull).toBe(true);
  });

  it("is full with one byte when its reader pauses, and empty again when it goes on", () => {
    const { request, reader, push } = begin();
    request.read(reader);
    request.pause();
    expect(request.isFull).toBe(false);
    push("a");
    expect(request.isFull).toBe(true);
    request.resume();
    expect(request.isFull).toBe(false);
  });

  it("is nothing while its reader takes all", () => {
    const { request, reader, push } = begin();
    request.read(reader);
    push("a".repeat(1_000_000));
    expect(request.isFull).toBe(false);
  });

  it("is told to the connection whenever it becomes less", () => {
    const { request, reader, push, paces } = begin();
    push("a");
    const before = paces();
    request.read(reader);
    expect(paces()).toBeGreaterThan(before);
    request.pause();
    push("b");
    const paused = paces();
    request.resume();
    expect(paces()).toBeGreaterThan(paused);
  });
});
