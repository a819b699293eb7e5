// The bare client of the proofs: every wait ends with a reason, and an answer is seen as it is on the wire.
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openConnection, pairsOf, readAnswer, valuesOf } from "../../src/doctor/raw-client.ts";
import { createSystemClock } from "../../src/lib/clock.ts";

const listening = async (answer: (socket: Socket) => void): Promise<number> => {
  const server = createServer((socket) => answer(socket.on("error", () => {})));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

const open = (port: number, patienceMs = 5000) => openConnection({ port, clock: createSystemClock(), patienceMs });

describe("a connection", () => {
  it("shows the bytes as they came", async () => {
    const connection = await open(await listening((socket) => socket.on("data", (bytes) => socket.end(bytes))));
    connection.send(Buffer.from("echo"));
    await connection.until("the echo", () => connection.received().toString() === "echo");
    await connection.until("the end", () => connection.isClosed());
  });

  it("a wait fails when the connection is closed first, and when nothing comes in time", async () => {
    const closing = await open(await listening((socket) => socket.destroy()));
    await expect(closing.until("an answer", () => false)).rejects.toThrow("the connection was closed before an answer");
    const silent = await open(await listening(() => {}), 30);
    await expect(silent.until("an answer", () => false)).rejects.toThrow("an answer did not come within 0.03 s");
    silent.leave();
  });

  it("opening fails when nobody listens", async () => {
    const port = await listening(() => {});
    const connection = await open(port);
    connection.leave();
    await expect(open(1)).rejects.toThrow("nobody listens");
  });
});

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

  it("can be compared with a raw list of Node", () => {
    expect(pairsOf(["X-B", "1", "x-a", "two", "X-B", "3"])).toEqual([["X-B", "1"], ["x-a", "two"], ["X-B", "3"]]);
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
        const unfinished = Buffer.concat([head, ...framed]);
        expect(readAnswer(unfinished)).toMatchObject({ complete: false, body: Buffer.concat(pieces) });
        expect(readAnswer(Buffer.concat([unfinished, Buffer.from("0\r\n\r\n")]))).toMatchObject({ complete: true, body: Buffer.concat(pieces) });
      }),
    );
  });
});
