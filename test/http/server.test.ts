// The listening socket and all connections behind it: who is counted, who is left alone, and how it all ends.
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server as TcpServer } from "node:net";
import { describe, expect, it } from "vitest";

import { createHttpServer } from "../../src/http/server.ts";
import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { answers, bodyOf, headerOf, openWire } from "../server/kit.ts";
import type { Wire } from "../server/kit.ts";
import { get, limits, post } from "./house.ts";
import type { Exchange } from "./house.ts";
import { checkMs, start } from "./running-server.ts";

/** Whether `promise` is settled once everything that is due now has run. */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol("pending");
  const soon = new Promise((resolve) => setImmediate(resolve, pending));
  return (await Promise.race([promise, soon])) !== pending;
};

const answerWithTarget = ({ request, response }: Exchange): void => response.end(`[${request.target}]`);
const idle = async (port: number): Promise<Wire> => {
  const wire = openWire(port);
  wire.write(get("/idle"));
  await wire.until((text) => text.endsWith("[/idle]"));
  return wire;
};
const answerIdle = { answer: (exchange: Exchange) => { if (exchange.request.target === "/idle") answerWithTarget(exchange); } };

describe("listening", () => {
  it("tells the port it got, to its owner and to whoever makes the handler", async () => {
    await using own = await start({ answer: answerWithTarget });
    expect(own.ports).toEqual([own.port]);
    const wire = await idle(own.port);
    wire.socket.destroy();
  });

  it("on a port that is taken is Node's own error, and nothing is left of it", async () => {
    const other = createTcpServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const clock = createFakeClock();
    const server = createHttpServer({ clock, limits: { ...limits, checkMs }, onTrouble: () => { throw new Error("no trouble"); } });
    const listening = server.listen({ host: "127.0.0.1", port }, () => { throw new Error("no handler"); });
    await expect(listening).rejects.toMatchObject({ code: "EADDRINUSE", port });
    server.stop();
    await server.drain();
    expect([server.open(), clock.pendingTimers()]).toEqual([0, 0]);
    other.close();
    await once(other, "close");
  });

  it("goes on when a connection cannot be taken, which its owner hears of", async () => {
    const listeners: TcpServer[] = [];
    const remembered = (message: unknown): void => void listeners.push((message as { server: TcpServer }).server);
    const listens = channel("tracing:net.server.listen:asyncStart");
    listens.subscribe(remembered);
    await using own = await start({ answer: answerWithTarget });
    listens.unsubscribe(remembered);
    const error = Object.assign(new Error("accept"), { code: "EMFILE" });
    listeners[0]?.emit("error", error);
    expect(own.troubles).toEqual([error]);
    (await idle(own.port)).socket.destroy();
  });

  it("has a date that changes with the second of the clock, in both directions", async () => {
    await using own = await start({ answer: answerWithTarget });
    const dateNow = async (): Promise<string | undefined> => {
      const wire = await idle(own.port);
      wire.socket.destroy();
      return headerOf(await wire.closed(), "date");
    };
    expect(await dateNow()).toBe("Fri, 02 Jan 2026 12:00:00 GMT");
    own.clock.jump(999);
    expect(await dateNow()).toBe("Fri, 02 Jan 2026 12:00:00 GMT");
    own.clock.jump(1);
    expect(await dateNow()).toBe("Fri, 02 Jan 2026 12:00:01 GMT");
    own.clock.jump(-60_000);
    expect(await dateNow()).toBe("Fri, 02 Jan 2026 11:59:01 GMT");
  });
});

describe("a client that closes its side", () => {
  it("still hears what was wrong with the half of a head that it sent", async () => {
    await using own = await start({ answerFault() {} });
    const wire = openWire(own.port);
    wire.write("GET / HT");
    wire.socket.end();
    await eventually(() => own.faults.length, (count) => count === 1);
    own.faults[0]?.response.end("half a head");
    expect(bodyOf(await wire.closed())).toBe("half a head");
  });
});

describe("time", () => {
  it("is looked at while there are connections, and no timer remains when the last is gone", async () => {
    await using own = await start();
    expect(own.clock.pendingTimers()).toBe(0);
    const wires = [openWire(own.port), openWire(own.port)];
    const { wire, exchange } = await own.busy();
    expect(own.clock.pendingTimers()).toBe(1);
    await own.clock.advance(limits.headersMs + checkMs);
    expect(await Promise.all(wires.map((each) => each.closed()))).toEqual(["", ""]);
    expect(own.clock.pendingTimers()).toBe(1);
    exchange.response.end("late");
    await wire.until((text) => text.endsWith("late"));
    wire.socket.destroy();
    await eventually(() => own.clock.pendingTimers(), (count) => count === 0);
    const again = openWire(own.port);
    await eventually(() => own.clock.pendingTimers(), (count) => count === 1);
    again.socket.destroy();
    await eventually(() => own.clock.pendingTimers(), (count) => count === 0);
  });

  it("is over for a slow body with an answer", async () => {
    await using own = await start();
    const wire = openWire(own.port);
    wire.write(`${post("/", 9)}a`);
    await eventually(() => own.exchanges.length, (count) => count === 1);
    await own.clock.advance(limits.requestMs - 1);
    expect(own.faults).toEqual([]);
    await own.clock.advance(checkMs);
    expect(bodyOf(await wire.closed())).toBe("REQUEST_TIMEOUT");
  });
});

describe("a stop", () => {
  it("closes what nobody uses, leaves what somebody does, and takes nobody new", async () => {
    await using own = await start(answerIdle);
    const waiting = await idle(own.port);
    const { wire, exchange } = await own.busy();
    own.server.stop();
    own.server.stop();
    expect(answers(await waiting.closed())).toHaveLength(1);
    const refused = openWire(own.port);
    const code = new Promise((resolve) => refused.socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)));
    expect(await code).toBe("ECONNREFUSED");
    exchange.response.end("done");
    await wire.until((text) => text.endsWith("done"));
    expect(wire.socket.closed).toBe(false);
    wire.socket.destroy();
  });
});

describe("a drain", () => {
  it("is over at once when there is nobody, each time", async () => {
    await using own = await start();
    own.server.stop();
    await own.server.drain();
    await own.server.drain();
  });

  it("is over when the last connection is gone, for everybody who waits for it", async () => {
    await using own = await start(answerIdle);
    await idle(own.port);
    const first = await own.busy();
    const second = await own.busy();
    own.server.stop();
    const over = [own.server.drain(), own.server.drain()];
    first.exchange.response.end("first");
    expect(headerOf(await first.wire.closed(), "connection")).toBe("close");
    expect(await isSettled(Promise.all(over))).toBe(false);
    second.exchange.response.end("second");
    expect(headerOf(await second.wire.closed(), "connection")).toBe("close");
    await Promise.all(over);
    expect([own.server.open(), own.clock.pendingTimers()]).toEqual([0, 0]);
  });

  it("ends a connection whose answer had begun before it, behind that answer", async () => {
    await using own = await start();
    const { wire, exchange } = await own.busy();
    exchange.response.write("begun");
    await wire.until((text) => text.includes("begun"));
    own.server.stop();
    const over = own.server.drain();
    exchange.response.end("done");
    expect(await wire.closed()).toMatch(/Connection: keep-alive[^]*begun[^]*done\r\n0\r\n\r\n$/);
    await over;
  });

  it("answers what waits behind an answer that had begun, and ends behind the next", async () => {
    await using own = await start();
    const wire = openWire(own.port);
    wire.write(get("/a") + get("/b") + get("/c"));
    await eventually(() => own.exchanges.length, (count) => count === 1);
    own.exchanges[0]?.response.write("a");
    own.server.stop();
    const over = own.server.drain();
    own.exchanges[0]?.response.end();
    await eventually(() => own.exchanges.length, (count) => count === 2);
    own.exchanges[1]?.response.end("b");
    const all = answers(await wire.closed());
    expect(all.map((answer) => headerOf(answer, "connection"))).toEqual(["keep-alive", "close"]);
    await over;
    expect(own.exchanges).toHaveLength(2);
  });

  it("closes at once who comes when it has begun", async () => {
    await using own = await start();
    const { wire, exchange } = await own.busy();
    const over = own.server.drain();
    expect(await openWire(own.port).closed()).toBe("");
    exchange.response.end("done");
    await wire.closed();
    await over;
  });
});

describe("a cut", () => {
  it("destroys every connection, whatever is going on there, and no answer looks complete", async () => {
    await using own = await start(answerIdle);
    const waiting = await idle(own.port);
    const silent = await own.busy();
    const begun = await own.busy();
    begun.exchange.response.write("begun");
    await begun.wire.until((text) => text.includes("begun"));
    own.server.stop();
    const over = own.server.drain();
    own.server.cut();
    await over;
    expect(answers(await waiting.closed())).toHaveLength(1);
    expect(await silent.wire.closed()).toBe("");
    expect(bodyOf(await begun.wire.closed())).toBe("5\r\nbegun\r\n");
    expect([silent, begun].map(({ exchange }) => exchange.log)).toEqual([["end", "closed:false"], ["end", "closed:false"]]);
    expect([own.server.open(), own.clock.pendingTimers()]).toEqual([0, 0]);
  });

  it("resets a connection whose end would be the end of its answer", async () => {
    await using own = await start({ answer: ({ response }) => void response.write("begun") });
    const wire = openWire(own.port);
    const ended = new Promise<unknown>((resolve) => wire.socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)).once("end", () => resolve("a clean end")));
    wire.write("GET / HTTP/1.0\r\n\r\n");
    await wire.until((text) => text.endsWith("begun"));
    own.server.cut();
    expect(await ended).toBe("ECONNRESET");
  });
});
