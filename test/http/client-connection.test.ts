// One connection, its requests one after another, and those that come too early.
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { answers, bodyOf, headerOf, isWhole, openWire, statusOf } from "../server/kit.ts";
import { crumbs, latin1 } from "./bytes.ts";
import { get, openHouse, post } from "./house.ts";
import type { Exchange } from "./house.ts";

const answerWithTarget = ({ request, response }: Exchange): void => response.end(`[${request.target}]`);
const bodies = (text: string): readonly string[] => answers(text).map(bodyOf);

describe("requests on one connection", () => {
  it("are answered one after another, and the connection is kept", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    for (const path of ["/a", "/b", "/c"]) {
      wire.write(get(path));
      await wire.until((text) => text.endsWith(`[${path}]`));
    }
    expect(house.connections).toHaveLength(1);
    expect(house.exchanges.map(({ log }) => log)).toEqual([["end", "closed:true"], ["end", "closed:true"], ["end", "closed:true"]]);
    expect([house.open(), house.gone(), house.exchanges[0]?.request.remoteAddress]).toEqual([0, 0, "127.0.0.1"]);
    wire.socket.destroy();
    await house.allGone();
  });

  it("byte by byte, with bodies, empty lines and a chunked one between them, are the same", async () => {
    await using house = await openHouse({
      readsItself: true,
      answer: ({ request, response, log }) => request.read({ onData: (piece) => void log.push(piece.toString()), onEnd: () => response.end(`[${request.target}:${log.join("")}]`) }),
    });
    const wire = openWire(house.port);
    wire.socket.setNoDelay();
    const text = `${get("/a")}\r\n${post("/b", 3)}abc\r\n${post("/c", "chunked")}2\r\nde\r\n1;x\r\nf\r\n0\r\nt: u\r\n\r\n${get("/d")}`;
    for (const crumb of crumbs(latin1(text))) {
      wire.socket.write(crumb);
      await new Promise(setImmediate);
    }
    expect(bodies(await wire.until((seen) => seen.endsWith("[/d:]")))).toEqual(["[/a:]", "[/b:abc]", "[/c:def]", "[/d:]"]);
    wire.socket.destroy();
  });

  it("end with the one that asks for it: what comes behind it is not announced", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    wire.write(get("/a", "connection: close") + get("/b"));
    const text = await wire.closed();
    expect(bodies(text)).toEqual(["[/a]"]);
    expect(headerOf(text, "connection")).toBe("close");
    expect(house.exchanges).toHaveLength(1);
    await house.allGone();
    expect(house.clock.pendingTimers()).toBe(0);
  });

  it("of HTTP/1.0 end with the first, whose answer ends with the connection", async () => {
    await using house = await openHouse({ answer({ response }) {
      response.write("a");
      response.end("b");
    } });
    const wire = openWire(house.port);
    wire.write("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    const text = await wire.closed();
    expect(bodyOf(text)).toBe("ab");
    expect(text).not.toMatch(/transfer-encoding|content-length|keep-alive/i);
  });

  it("go on behind answers without a body, and behind one to HEAD", async () => {
    await using house = await openHouse({ answer({ request, response }) {
      response.writeHead(Number(request.target.slice(1)), []);
      response.end("x");
    } });
    const wire = openWire(house.port);
    wire.write(get("/204") + get("/304") + get("/200").replace("GET", "HEAD") + get("/200"));
    const text = await wire.until((seen) => seen.endsWith("x"));
    expect(answers(text).map((answer) => [statusOf(answer), bodyOf(answer)])).toEqual([[204, ""], [304, ""], [200, ""], [200, "x"]]);
    wire.socket.destroy();
  });

  it("may be of any kind: CONNECT and an upgrade are announced like others", async () => {
    await using house = await openHouse({ answer({ request, response }) {
      response.writeHead(request.method === "CONNECT" ? 405 : 400, []);
      response.end(request.target);
    } });
    const wire = openWire(house.port);
    wire.write(get("api.example:443").replace("GET", "CONNECT") + get("/up", "connection: upgrade", "upgrade: websocket") + get("/next"));
    expect(bodies(await wire.until((seen) => seen.endsWith("/next")))).toEqual(["api.example:443", "/up", "/next"]);
    expect(house.exchanges.map(({ request }) => request.method)).toEqual(["CONNECT", "GET", "GET"]);
    wire.socket.destroy();
  });
});

describe("requests that come before their turn", () => {
  it("are announced when the one before is answered, and not earlier", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    const text = get("/a") + post("/b", 2) + "xy" + get("/c");
    wire.write(text);
    await house.received(text.length);
    for (const [index, path] of ["/a", "/b", "/c"].entries()) {
      expect(house.exchanges.map(({ request }) => request.target)).toHaveLength(index + 1);
      expect(house.open()).toBe(1);
      house.exchanges[index]?.response.write(`${path}.`);
      await wire.until((seen) => seen.endsWith(`${path}.\r\n`));
      expect(house.exchanges).toHaveLength(index + 1);
      house.exchanges[index]?.response.end();
      await eventually(() => house.exchanges[index]?.log, (log) => log?.includes("closed:true") === true);
    }
    expect(house.exchanges[1]?.log).toEqual(["data:xy", "end", "closed:true"]);
    wire.socket.destroy();
  });

  it("in pieces are put together, also behind a body that ends in their middle", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    const text = `${post("/a", 3)}abc${get("/b")}`;
    for (const at of [0, 50, 60]) {
      wire.write(text.slice(at, at === 0 ? 50 : at === 50 ? 60 : undefined));
      await house.received(at === 0 ? 50 : at === 50 ? 60 : text.length);
    }
    house.exchanges[0]?.response.end();
    await eventually(() => house.exchanges[1]?.request.target, (target) => target === "/b");
    wire.socket.destroy();
  });

  it("are not read beyond 64 KiB, and all of them are answered later, in order", async () => {
    await using house = await openHouse({ answer(exchange) {
      if (exchange.request.target !== "/0") answerWithTarget(exchange);
    } });
    const wire = openWire(house.port);
    const padding = `x: ${"p".repeat(1000)}`;
    wire.write(Array.from({ length: 1500 }, (_, index) => get(`/${index}`, padding)).join(""));
    await eventually(() => house.connections[0]?.socket.isPaused(), (paused) => paused === true);
    const other = openWire(house.port);
    other.write(get("/other").repeat(3));
    await other.until((text) => answers(text).length === 3);
    expect(house.connections[0]?.socket.bytesRead).toBeLessThan(400_000);
    const [first] = house.exchanges;
    if (first !== undefined) answerWithTarget(first);
    const text = await wire.until((seen) => seen.endsWith("[/1499]"));
    expect(bodies(text)).toEqual(Array.from({ length: 1500 }, (_, index) => `[/${index}]`));
    wire.socket.destroy();
    other.socket.destroy();
  });

  it.each([
    ["is gone", (socket: Socket) => void socket.resetAndDestroy()],
    ["has closed its side", (socket: Socket) => void socket.end()],
  ])("are never announced when the client %s", async (_, leave) => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(get("/a") + get("/b"));
    await house.received((get("/a") + get("/b")).length);
    leave(wire.socket);
    await house.allGone();
    expect(house.exchanges.map(({ log }) => log)).toEqual([["end", "closed:false"]]);
    expect([house.faults.length, house.open()]).toEqual([0, 0]);
  });

  it("are answered with a fault in their turn when they are none, and nothing behind them is", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    wire.write(`${get("/a")}no request\r\n\r\n${get("/b")}`);
    expect(bodies(await wire.closed())).toEqual(["[/a]", "BAD_REQUEST_LINE"]);
    expect(house.exchanges).toHaveLength(1);
    expect(house.faults.map(({ code, request, log }) => [code, request, log])).toEqual([["BAD_REQUEST_LINE", null, ["closed:true"]]]);
  });
});

describe("a body whose reader pauses", () => {
  it("stops the connection, and goes on to its last byte with the reader", async () => {
    const pieces: Buffer[] = [];
    let ended = 0;
    await using house = await openHouse({ readsItself: true, answer({ request }) {
      request.pause();
      request.read({ onData: (piece) => void pieces.push(piece), onEnd: () => { ended += 1; } });
    } });
    const wire = openWire(house.port);
    const body = Buffer.alloc(1_000_000, "0123456789");
    wire.write(post("/", body.length));
    wire.socket.write(body);
    await eventually(() => house.connections[0]?.socket.isPaused(), (paused) => paused === true);
    expect(pieces).toEqual([]);
    const [exchange] = house.exchanges;
    exchange?.request.resume();
    await eventually(() => ended, (count) => count === 1);
    expect(Buffer.concat(pieces).equals(body)).toBe(true);
    exchange?.response.end("ok");
    await wire.until((text) => text.endsWith("ok"));
    wire.socket.destroy();
  });

  it("that nobody reads stops the connection beyond 64 KiB", async () => {
    await using house = await openHouse({ readsItself: true });
    const wire = openWire(house.port);
    wire.write(`${post("/", 10_000_000)}${"a".repeat(60_000)}`);
    await house.received(60_000);
    expect(house.connections[0]?.socket.isPaused()).toBe(false);
    wire.socket.write(Buffer.alloc(9_940_000, "a"));
    await eventually(() => house.connections[0]?.socket.isPaused(), (paused) => paused === true);
    let bytes = 0;
    house.exchanges[0]?.request.read({ onData: (piece) => { bytes += piece.length; }, onEnd: () => house.exchanges[0]?.response.end("ok") });
    await wire.until((text) => text.endsWith("ok"));
    expect(bytes).toBe(10_000_000);
    wire.socket.destroy();
  });
});

describe("a client that reads slowly", () => {
  it("has its writer wait, and every byte in the end", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.socket.pause();
    wire.write(get("/"));
    await eventually(() => house.exchanges.length, (count) => count === 1);
    const { response } = house.exchanges[0] as Exchange;
    const piece = Buffer.alloc(500_000, "a");
    let written = 0;
    while (response.write(piece)) written += 1;
    for (; written < 20; written += 1) response.write(piece);
    expect(response.unsentBytes).toBeGreaterThan(0);
    const drained = new Promise<void>((resolve) => response.onDrain(resolve));
    wire.socket.resume();
    await drained;
    response.end();
    expect((await wire.until((text) => text.endsWith("0\r\n\r\n"))).length).toBeGreaterThan(21 * 500_000);
    wire.socket.destroy();
    await once(wire.socket, "close");
  });
});

describe("a client that stops sending", () => {
  it("while its answer is awaited is not waited for, and the answer is never finished", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(get("/a"));
    wire.socket.end();
    expect(await wire.closed()).toBe("");
    await house.allGone();
    expect(house.exchanges[0]?.log).toEqual(["end", "closed:false"]);
  });

  it("within its body has it aborted, and no answer", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(`${post("/", 9)}abc`);
    wire.socket.end();
    expect(await wire.closed()).toBe("");
    await house.allGone();
    expect(house.exchanges[0]?.log).toEqual(["data:abc", "abort", "closed:false"]);
    expect(house.faults).toEqual([]);
  });

  it("when its answer was given still gets all of it, and nothing it asked for behind that", async () => {
    const large = Buffer.alloc(12_000_000, "a");
    await using house = await openHouse({ answer: ({ response }) => response.end(large) });
    const wire = openWire(house.port);
    wire.socket.pause();
    wire.write(get("/a") + get("/b"));
    wire.socket.end();
    await eventually(() => house.connections[0]?.socket.readableEnded, (ended) => ended === true);
    expect(house.exchanges[0]?.response.isClosed).toBe(false);
    wire.socket.resume();
    const text = await wire.closed();
    expect([isWhole(text), text.length > large.length]).toEqual([true, true]);
    expect(house.exchanges.map(({ log }) => log)).toEqual([["end", "closed:true"]]);
    await house.allGone();
    expect([house.open(), house.clock.pendingTimers()]).toEqual([0, 0]);
  });

  it("when the connection is idle has it closed without a word", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const silent = openWire(house.port);
    silent.socket.end();
    expect(await silent.closed()).toBe("");
    const used = openWire(house.port);
    used.write(get("/a"));
    await used.until((text) => text.endsWith("[/a]"));
    used.socket.end();
    expect(answers(await used.closed())).toHaveLength(1);
    await house.allGone();
    expect(house.faults).toEqual([]);
  });
});
