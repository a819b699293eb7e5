// What comes sooner than it can be taken: requests before their turn, bodies nobody reads, clients that read slowly.
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { answers, bodyOf, openWire } from "../server/kit.ts";
import { get, openHouse, openStubborn, post } from "./house.ts";
import type { Exchange } from "./house.ts";

const answerWithTarget = ({ request, response }: Exchange): void => response.end(`[${request.target}]`);
const bodies = (text: string): readonly string[] => answers(text).map(bodyOf);

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

  it("share no memory with a body before them, which may give its own back", async () => {
    const pieces: Buffer[] = [];
    await using house = await openHouse({
      readsItself: true,
      answer: ({ request, response }) => request.read({ onData: (piece) => void pieces.push(piece), onEnd: () => response.end(request.target) }),
    });
    const wire = openWire(house.port);
    wire.write(`${post("/a", 3)}abc${post("/b", 3)}def${post("/c", 3)}ghi`);
    await wire.until((text) => text.endsWith("/c"));
    const [first, second, third] = pieces;
    expect(Buffer.concat(pieces).toString()).toBe("abcdefghi");
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(3);
    // The last one reaches to the end of its memory: it alone uses it.
    expect([first, second, third].map((piece) => piece !== undefined && piece.byteOffset + piece.length === piece.buffer.byteLength)).toEqual([false, false, true]);
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

  it("and fill what is kept for them, one by itself, do not stop the connection for good", async () => {
    await using house = await openHouse({ readsItself: true });
    const wire = openWire(house.port);
    const largest = get("/b", `x: ${"p".repeat(65_540 - get("/b", "x: ").length)}`);
    expect(largest).toHaveLength(65_540);
    wire.write(get("/a"));
    await eventually(() => house.exchanges.length, (count) => count === 1);
    wire.write(largest);
    await eventually(() => house.connections[0]?.socket.isPaused(), (paused) => paused === true);
    for (const [index, path] of ["/a", "/b", "/c"].entries()) {
      const exchange = await eventually(() => house.exchanges[index], (found) => found !== undefined);
      if (path === "/b") wire.write(get("/c"));
      if (exchange !== undefined) answerWithTarget(exchange);
      await wire.until((text) => text.endsWith(`[${path}]`));
    }
    wire.socket.destroy();
  });

  it.each([100, 300_000])("behind the last one are thrown away: %i bytes, and more while the client reads its answer", async (size) => {
    await using house = await openHouse();
    const socket = await openStubborn(house.port);
    const head = get("/a", "connection: close");
    socket.write(head + "x".repeat(size));
    await house.received(head.length + Math.min(size, 65_537));
    house.exchanges[0]?.response.end("ok");
    await once(socket.resume(), "end");
    socket.write("y".repeat(100));
    await house.received(head.length + size + 100);
    expect(house.connections[0]?.socket.destroyed).toBe(false);
    socket.end();
    await house.allGone();
    expect([house.exchanges.length, house.faults.length, house.clock.pendingTimers()]).toEqual([1, 0, 0]);
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
  it("has its next request announced when it has been sent the answer, not when that and the body were complete", async () => {
    const large = Buffer.alloc(12_000_000, "a");
    await using house = await openHouse({ answer({ request, response }) {
      if (request.method === "POST") response.end(large);
    } });
    const wire = openWire(house.port);
    wire.socket.pause();
    const text = post("/a", 3) + "abc" + get("/b");
    wire.write(text.slice(0, -get("/b").length - 1));
    await eventually(() => house.exchanges.length, (count) => count === 1);
    wire.write(text.slice(-get("/b").length - 1));
    await house.received(text.length);
    expect([house.exchanges.length, house.exchanges[0]?.response.isEnded, house.exchanges[0]?.response.isClosed]).toEqual([1, true, false]);
    wire.socket.resume();
    const next = await eventually(() => house.exchanges[1], (found) => found !== undefined);
    expect([house.exchanges[0]?.response.isFinished, next?.response.isClosed, house.open()]).toEqual([true, false, 1]);
    wire.socket.destroy();
  });

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
