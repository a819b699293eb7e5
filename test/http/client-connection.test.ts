// One connection, its requests one after another, and clients that leave.
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
