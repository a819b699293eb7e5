// What one connection promises to whoever it carries, and to the body it writes.
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { Connection } from "../../src/proxy/connection.ts";
import type { Carried } from "../../src/proxy/connection.ts";
import type { Upload } from "../../src/proxy/streamed-body.ts";

const open = (length: number | null = null) => {
  const seen: string[] = [];
  const written: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    writable: true,
    writableLength: 0,
    write: (bytes: string | Buffer) => void written.push(bytes.toString("latin1")),
    destroy() {
      socket.destroyed = true;
    },
    ...Object.fromEntries(["ref", "unref", "pause", "resume", "cork", "uncork"].map((name) => [name, () => {}])),
  });
  const connection = new Connection(socket as unknown as Socket, { onFree: () => void seen.push("free"), onGone: () => void seen.push("gone") }, 0);
  const upload: Upload = { length, start: () => void seen.push("started"), resume: () => void seen.push("resumed"), stop: (sink) => void seen.push(sink === connection ? "stopped" : "?") };
  const carried = (parts: Partial<Carried> = {}): Carried => ({
    method: "POST",
    head: "HEAD",
    body: null,
    onSent: () => void seen.push("sent"),
    onHead: ({ status }) => void seen.push(`head ${status}`),
    onData: (piece) => void seen.push(`data ${piece.toString()}`),
    onRead() {},
    onEnd: () => void seen.push("end"),
    onError: (error) => void seen.push(`error ${(error as Error).message}`),
    ...parts,
  });
  const answer = (text: string): void => void socket.emit("data", Buffer.from(text));
  return { seen, written, socket, connection, upload, carried, answer };
};

const unwritable = (): never => {
  throw new Error("cannot be written");
};

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

describe("a connection", () => {
  it("is free before the end is told, so that whoever waits for that can have it", () => {
    const { seen, connection, carried, answer } = open();
    connection.carry(carried());
    answer(ok);
    expect(seen).toEqual(["sent", "head 200", "data ok", "free", "end"]);
  });

  it("that is dropped in the middle of an answer tells nothing more of it, and stops the upload", () => {
    const { seen, connection, upload, carried, answer, socket } = open();
    connection.carry(carried({ body: upload, onHead: () => connection.drop() }));
    answer(ok);
    socket.emit("close");
    expect(seen).toEqual(["sent", "started", "stopped", "gone"]);
    expect(socket.destroyed).toBe(true);
  });

  it("tells an error once, whatever comes after it", () => {
    const { seen, connection, carried, answer, socket } = open();
    connection.carry(carried());
    socket.emit("error", new Error("reset"));
    answer(ok);
    socket.emit("end");
    socket.emit("close");
    expect(seen).toEqual(["sent", "error reset", "gone"]);
  });

  it("ends with what was thrown by whoever it told", () => {
    const { seen, connection, carried, answer, socket } = open();
    connection.carry(carried({ onHead: unwritable }));
    answer(ok);
    expect(seen).toEqual(["sent", "error cannot be written"]);
    expect(socket.destroyed).toBe(true);
  });
});

describe("an upload", () => {
  it("of a known length is written as it comes, of an unknown one in chunks", () => {
    const known = open(5);
    known.connection.carry(known.carried({ body: known.upload }));
    known.connection.write(Buffer.from("hello"));
    known.connection.end();
    expect(known.written).toEqual(["HEAD", "hello"]);
    const chunked = open();
    chunked.connection.carry(chunked.carried({ body: chunked.upload }));
    chunked.connection.write(Buffer.from("hello, world, hello"));
    chunked.connection.end();
    expect(chunked.written.join("")).toBe("HEAD13\r\nhello, world, hello\r\n0\r\n\r\n");
  });

  it("waits only while much is queued, and goes on when the queue is empty", () => {
    const { seen, connection, upload, carried, socket } = open(9);
    connection.carry(carried({ body: upload }));
    expect(connection.write(Buffer.from("a"))).toBe(true);
    socket.emit("drain");
    socket.writableLength = 300_000;
    expect(connection.write(Buffer.from("b"))).toBe(false);
    socket.emit("drain");
    socket.emit("drain");
    expect(seen).toEqual(["sent", "started", "resumed"]);
  });
});
