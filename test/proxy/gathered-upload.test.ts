// Large pieces of an upload leave together with what comes in the same turn, and never later.
import { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { Connection } from "../../src/proxy/connection.ts";
import type { Upload } from "../../src/proxy/streamed-body.ts";

const large = Buffer.alloc(64 * 1024, "L");
const small = Buffer.from("s");

const sizes = (chunks: readonly { readonly chunk: Buffer }[]): number => chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);

/** Each write that reaches the wire, by its length; `length` is that of the upload, null for chunks. */
const uploading = (length: number | null = 1e9) => {
  const writes: number[] = [];
  const socket = new Duplex({
    read() {},
    write: (chunk: Buffer, _, done) => {
      writes.push(chunk.length);
      done();
    },
    writev: (chunks, done) => {
      writes.push(sizes(chunks as { chunk: Buffer }[]));
      done();
    },
  });
  const connection = new Connection(Object.assign(socket, { unref() {} }) as unknown as Socket, { onFree() {}, onGone() {} }, 0);
  const upload: Upload = { length, start() {}, resume() {}, stop() {} };
  connection.carry({ method: "POST", head: "HEAD", body: upload, onSent() {}, onHead() {}, onData() {}, onRead() {}, onEnd() {}, onError() {} });
  return { connection, writes: () => writes.splice(0) };
};

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("a large piece of an upload", () => {
  it("leaves in one write with the small one behind it", () => {
    const { connection, writes } = uploading();
    expect(writes()).toEqual([4]);
    connection.write(large);
    expect(writes()).toEqual([]);
    expect(connection.isFlushed).toBe(false);
    connection.write(small);
    expect(writes()).toEqual([large.length + 1]);
    expect(connection.isFlushed).toBe(true);
  });

  it("leaves at the end of the turn when nothing comes behind it", async () => {
    const { connection, writes } = uploading();
    writes();
    connection.write(large);
    await turn();
    expect(writes()).toEqual([large.length]);
    connection.write(large);
    await turn();
    expect(writes()).toEqual([large.length]);
  });

  it("leaves at once when it is the last", () => {
    const { connection, writes } = uploading();
    writes();
    connection.write(large);
    connection.end();
    expect(writes()).toEqual([large.length]);
  });

  it("waits for no more than a quarter of a megabyte", () => {
    const { connection, writes } = uploading();
    writes();
    for (let count = 0; count < 5; count += 1) connection.write(large);
    expect(writes()).toEqual([5 * large.length]);
  });

  it("has its framing around it in a chunked body", () => {
    const { connection, writes } = uploading(null);
    writes();
    connection.write(large);
    connection.write(small);
    connection.end();
    expect(writes()).toEqual(["10000\r\n".length + large.length + 2 + "1\r\n".length + 1 + 2, "0\r\n\r\n".length]);
  });

  it("of a connection that is gone in the meantime goes nowhere", async () => {
    const { connection, writes } = uploading();
    writes();
    connection.write(large);
    connection.drop();
    await turn();
    expect(writes()).toEqual([]);
  });
});

describe("a small piece", () => {
  it("leaves at once", () => {
    const { connection, writes } = uploading();
    writes();
    connection.write(small);
    connection.write(small);
    expect(writes()).toEqual([1, 1]);
  });
});
