import { describe, expect, it } from "vitest";

import { PooledCall } from "../../src/proxy/call.ts";
import type { CallListener } from "../../src/proxy/call.ts";

const open = () => {
  const seen: string[] = [];
  const listener: CallListener = {
    onSent: () => void seen.push("sent"),
    onHead: (status) => void seen.push(`head ${status}`),
    onData: (chunk) => void seen.push(`data ${chunk.toString()}`),
    onEnd: () => void seen.push("end"),
    onError: (error) => void seen.push(`error ${(error as Error).message}`),
  };
  const controller = { rawHeaders: [Buffer.from("A"), Buffer.from([0xe9])], abort: () => void seen.push("aborted"), pause: () => void seen.push("paused"), resume() {} };
  const call = new PooledCall({ slots: { enter() {}, leave: () => void seen.push("left") }, dispatch() {} }, "request", listener);
  return { call, handler: call, seen, controller };
};

describe("a call", () => {
  it("a call given up before its turn is refused to the connection, and says nothing", () => {
    const { call, handler, seen, controller } = open();
    call.pause();
    call.abort();
    expect(() => handler.onRequestStart(controller)).toThrow(/given up/);
    handler.onResponseError(null, new Error("given up"));
    expect(seen).toEqual(["left"]);
  });

  it("nothing is said after an abort in the middle", () => {
    const { call, handler, seen, controller } = open();
    handler.onRequestStart(controller);
    handler.onResponseStart(controller, 200, {});
    call.abort();
    call.abort();
    handler.onResponseData(controller, Buffer.from("late"));
    handler.onResponseStart(controller, 200, {});
    handler.onResponseEnd();
    expect(seen).toEqual(["sent", "head 200", "left", "aborted"]);
  });

  it("a stream leaves its place with its head, anything else with its end", () => {
    const stream = open();
    stream.handler.onRequestStart(stream.controller);
    stream.handler.onResponseStart(stream.controller, 200, { "content-type": "text/event-stream; charset=utf-8" });
    expect(stream.seen).toEqual(["sent", "left", "head 200"]);
    const plain = open();
    plain.handler.onResponseStart(plain.controller, 200, { "content-type": "application/json" });
    plain.handler.onResponseEnd();
    expect(plain.seen).toEqual(["head 200", "left", "end"]);
  });
});
