import { describe, expect, it } from "vitest";

import { PooledCall } from "../../src/proxy/call.ts";
import type { CallListener } from "../../src/proxy/call.ts";
import type { Connection } from "../../src/proxy/connection.ts";
import { readResponseHead } from "../../src/proxy/response-head.ts";

const open = () => {
  const seen: string[] = [];
  const listener: CallListener = {
    onSent: () => void seen.push("sent"),
    onHead: ({ status }) => void seen.push(`head ${status}`),
    onData: (chunk) => void seen.push(`data ${chunk.toString()}`),
    onRead() {},
    onEnd: () => void seen.push("end"),
    onError: (error) => void seen.push(`error ${(error as Error).message}`),
  };
  const connection = { drop: () => void seen.push("dropped"), pause: () => void seen.push("paused"), resume: () => void seen.push("resumed") } as unknown as Connection;
  const line = { slots: { enter() {}, leave: () => void seen.push("left") }, connections: { send() {}, forget: () => void seen.push("forgotten") } };
  return { call: new PooledCall(line, { method: "POST", head: "", body: null }, listener), seen, connection };
};

const head = (...fields: string[]) => readResponseHead(["HTTP/1.1 200 OK", ...fields].join("\r\n"), "POST");

describe("a call", () => {
  it("that is given up before its turn waits no more, and says nothing", () => {
    const { call, seen } = open();
    call.pause();
    call.abort();
    call.onError(new Error("closed"));
    expect(seen).toEqual(["left", "forgotten"]);
  });

  it("that is given up in the middle ends its connection once, and says nothing", () => {
    const { call, seen, connection } = open();
    call.onSent(connection);
    call.onHead(head());
    call.abort();
    call.abort();
    call.onEnd();
    expect(seen).toEqual(["sent", "head 200", "left", "dropped"]);
  });

  it("that is over leaves the connection alone, which may carry another one", () => {
    const { call, seen, connection } = open();
    call.onSent(connection);
    call.pause();
    call.onEnd();
    call.resume();
    call.abort();
    expect(seen).toEqual(["sent", "paused", "left", "end"]);
  });

  it("a stream leaves its place with its head, anything else with its end", () => {
    const stream = open();
    stream.call.onSent(stream.connection);
    stream.call.onHead(head("Content-Type: text/event-stream; charset=utf-8"));
    expect(stream.seen).toEqual(["sent", "left", "head 200"]);
    const plain = open();
    plain.call.onHead(head("Content-Type: application/json"));
    plain.call.onEnd();
    expect(plain.seen).toEqual(["head 200", "left", "end"]);
  });
});
