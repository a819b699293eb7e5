// What no real socket can be made to do on command: an upstream that says everything at once while a 401
// waits for its refresh, and a client that goes before the last bytes were handed to the kernel.
import { describe, expect, it } from "vitest";

import type { HttpRequest } from "../../src/http/request.ts";
import type { HttpResponse } from "../../src/http/response.ts";
import { startAttempt } from "../../src/proxy/attempt.ts";
import type { CallListener } from "../../src/proxy/call.ts";
import { createExchange, ok } from "../../src/proxy/exchange.ts";
import type { Ending, Exchange } from "../../src/proxy/exchange.ts";
import { settle } from "../../src/proxy/lane.ts";
import type { Lane } from "../../src/proxy/lane.ts";
import { readResponseHead } from "../../src/proxy/response-head.ts";
import { createWatch } from "../../src/proxy/watch.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { aCredential, steadyCredentials } from "./harness.ts";

const open = () => {
  const clock = createFakeClock();
  const written: string[] = [];
  const drains: (() => void)[] = [];
  const response = {
    isFinished: false,
    writeHead: (status: number) => written.push(`head ${status}`),
    write: (chunk: Buffer) => written.push(chunk.toString()) > 0,
    end: () => written.push("end"),
    flushHead() {},
    destroy: () => written.push("destroyed"),
    onDrain: (listener: () => void) => drains.push(listener),
  } as unknown as HttpResponse;
  const request = { rawHeaders: [], method: "POST", target: "/v1/messages" } as unknown as HttpRequest;
  const listeners: CallListener[] = [];
  const endings: Ending[] = [];
  const lane = {
    clock,
    publish() {},
    credentials: steadyCredentials(),
    settings: { retry: { maxRetries: 0, delayMs: 1, statuses: [] } },
    upstream: {
      origin: "https://api.example",
      send: (_: unknown, listener: CallListener) => {
        listeners.push(listener);
        return { pause() {}, resume() {}, abort() {} };
      },
    },
    end: (_: Exchange, ending: Ending) => void endings.push(ending),
  } as unknown as Lane;
  const exchange = createExchange({ request, response, facts: { requestId: "r1", receivedAt: 0, sessionId: null }, path: "/v1/messages" });
  return { clock, written, drains, response, listeners, endings, lane, exchange };
};

const head = (status: string, ...fields: string[]) => readResponseHead([`HTTP/1.1 ${status} x`, ...fields].join("\r\n"), "POST");

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a 401 that waits for its refresh", () => {
  it("is passed on whole when all of it came in the meantime", async () => {
    const { written, listeners, lane, exchange } = open();
    startAttempt(lane, exchange, aCredential());
    listeners[0]?.onHead(head("401"));
    listeners[0]?.onData(Buffer.from("expired"));
    listeners[0]?.onEnd();
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual(["head 401", "expired", "end"]);
  });

  it("is broken off when its connection broke in the meantime", async () => {
    const { written, listeners, lane, exchange, endings } = open();
    startAttempt(lane, exchange, aCredential());
    listeners[0]?.onSent();
    listeners[0]?.onHead(head("401", "content-length: 9"));
    listeners[0]?.onData(Buffer.from("exp"));
    listeners[0]?.onError(Object.assign(new Error("x"), { code: "UND_ERR_SOCKET" }));
    await turn();
    await turn();
    expect(written).toEqual(["head 401", "exp", "destroyed"]);
    expect(endings).toMatchObject([{ errorCode: "upstream-broken" }]);
  });
});

describe("a response that closes", () => {
  it("before everything was handed over is a client that left", () => {
    const { lane, exchange, endings } = open();
    exchange.ending = ok;
    settle(lane, exchange);
    expect(endings).toMatchObject([{ outcome: "client-left" }]);
  });
});

describe("a client that reads slowly", () => {
  it("starts the time of silence anew when it has caught up", async () => {
    const { clock, lane, exchange, listeners, response, drains } = open();
    const lapses: string[] = [];
    const watch = createWatch({ clock, publish() {}, limits: { headersTimeoutMs: 0, bodyIdleTimeoutMs: 0, silenceSeconds: 10 }, onLapse: (_, lapse) => lapses.push(lapse) });
    watch.add(exchange);
    startAttempt(lane, exchange, aCredential());
    Object.assign(response, { write: () => false });
    listeners[0]?.onHead(head("200"));
    listeners[0]?.onData(Buffer.from("x"));
    await clock.advance(60_000);
    for (const drained of drains) drained();
    await clock.advance(9_000);
    expect(lapses).toEqual([]);
    await clock.advance(1_000);
    expect(lapses).toEqual(["silence"]);
    watch.remove(exchange);
  });
});
