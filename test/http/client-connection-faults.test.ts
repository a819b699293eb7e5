// What is no request, and answers that are given while the request is still coming: how a connection ends well then.
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { answers, bodyOf, headerOf, openWire, statusOf } from "../server/kit.ts";
import { get, openHouse, openStubborn, post } from "./house.ts";
import type { Exchange } from "./house.ts";

const mebibyte = 1_048_576;
const answerWithTarget = ({ request, response }: Exchange): void => response.end(`[${request.target}]`);

/** The first answer that `socket` gets, as text; the socket goes on reading. */
const firstWords = async (socket: Socket): Promise<string> => {
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.resume();
  return bytes.toString("latin1");
};

describe("bytes that are no request", () => {
  it.each([
    ["BAD_REQUEST_LINE", "hello\r\n\r\n"],
    ["BAD_HEADER_FIELD", "GET / HTTP/1.1\nhost"],
    ["BAD_HEADER_FIELD", "GET / HTTP/1.1\r\nno field\r\n\r\n"],
    ["BAD_CONTENT_LENGTH", "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"],
    ["BAD_TRANSFER_ENCODING", "POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n"],
    ["HEADERS_TOO_LARGE", `GET / HTTP/1.1\r\nx: ${"y".repeat(66_000)}`],
  ])("are told once, answered once, and the connection ends: %s", async (code, text) => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(text);
    const seen = await wire.closed();
    expect([answers(seen).length, statusOf(seen), bodyOf(seen), headerOf(seen, "connection")]).toEqual([1, 400, code, "close"]);
    expect(house.faults.map(({ log, request }) => [log, request])).toEqual([[["closed:true"], null]]);
    await house.allGone();
    expect([house.exchanges.length, house.open(), house.clock.pendingTimers()]).toEqual([0, 0, 0]);
  });

  it("have the answer reach a client that goes on sending, up to 1 MiB", async () => {
    await using house = await openHouse();
    const socket = await openStubborn(house.port);
    socket.write("hello\r\n\r\n");
    expect(await firstWords(socket)).toContain("BAD_REQUEST_LINE");
    socket.write(Buffer.alloc(mebibyte));
    await house.received(mebibyte + 9);
    expect(house.gone()).toBe(0);
    socket.write("a");
    await house.allGone();
    expect([house.open(), house.clock.pendingTimers(), house.faults.length]).toEqual([0, 0, 1]);
    socket.destroy();
  });

  it("leave a second for a client that does not close its side, and not more", async () => {
    await using house = await openHouse();
    const socket = await openStubborn(house.port);
    socket.write("hello\r\n\r\n");
    await once(socket.resume(), "end");
    await house.clock.advance(999);
    expect(house.connections[0]?.socket.destroyed).toBe(false);
    await house.clock.advance(1);
    expect(house.connections[0]?.socket.destroyed).toBe(true);
    await house.allGone();
    expect(house.faults[0]?.log).toEqual(["closed:true"]);
    socket.destroy();
  });

  it("leave a second for a client that does not read its answer, and not more", async () => {
    await using house = await openHouse({ answerFault: ({ response }) => response.end(Buffer.alloc(12_000_000)) });
    const wire = openWire(house.port);
    wire.socket.pause();
    wire.write("hello\r\n\r\n");
    await eventually(() => house.faults.length, (count) => count === 1);
    await house.clock.advance(999);
    expect([house.gone(), house.open(), house.faults[0]?.log]).toEqual([0, 1, []]);
    await house.clock.advance(1);
    await house.allGone();
    expect([house.open(), house.faults[0]?.log]).toEqual([0, ["closed:false"]]);
    wire.socket.destroy();
  });

  it("leave a second for an answer that nobody gives, and not more", async () => {
    await using house = await openHouse({ answerFault() {} });
    const wire = openWire(house.port);
    wire.write("hello\r\n\r\n");
    await eventually(() => house.faults.length, (count) => count === 1);
    await house.clock.advance(1000);
    expect(await wire.closed()).toBe("");
    await house.allGone();
    expect([house.open(), house.faults[0]?.log]).toEqual([0, ["closed:false"]]);
  });

  it.each(["GET / HT", "GET / HTTP/1.1\r\nhost: a\r\n"])("are a head that breaks off, and are told before the connection ends: %j", async (text) => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(text);
    wire.socket.end();
    expect(bodyOf(await wire.closed())).toBe("CONNECTION_CLOSED");
    await house.allGone();
    expect([house.faults.length, house.open(), house.clock.pendingTimers()]).toEqual([1, 0, 0]);
  });
});

const brokenChunk = "1\r\na\r\nzz\r\n";

describe("a fault in the middle of a body", () => {
  it("that came with the head is told with the request, which is announced to nobody", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(post("/a", "chunked") + brokenChunk);
    expect(bodyOf(await wire.closed())).toBe("BAD_CHUNK");
    expect(house.exchanges).toEqual([]);
    expect(house.faults.map(({ request }) => [request?.method, request?.target])).toEqual([["POST", "/a"]]);
    await house.allGone();
    expect(house.open()).toBe(0);
  });

  it("of a request that waited for its turn is told in its turn", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    wire.write(get("/a") + post("/b", "chunked") + brokenChunk);
    expect(answers(await wire.closed()).map(bodyOf)).toEqual(["[/a]", "BAD_CHUNK"]);
    expect(house.exchanges).toHaveLength(1);
  });

  it("has one answer, and the request aborted, when nothing was answered yet", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(`${post("/a", "chunked")}1\r\na\r\n`);
    await eventually(() => house.exchanges.length, (count) => count === 1);
    wire.write("zz\r\n");
    const text = await wire.closed();
    expect([answers(text).length, bodyOf(text)]).toEqual([1, "BAD_CHUNK"]);
    expect(house.exchanges[0]?.log).toEqual(["data:a", "abort", "closed:false"]);
    // Its owner has heard of it already.
    expect(house.faults.map(({ request, log }) => [request, log])).toEqual([[null, ["closed:true"]]]);
    expect(house.exchanges[0]?.response.write("late")).toBe(true);
    expect(house.open()).toBe(0);
    await house.allGone();
  });

  it("of a HEAD has an answer without a body, like every answer to it (RFC 9110 section 9.3.2)", async () => {
    await using house = await openHouse();
    const wire = openWire(house.port);
    wire.write(`${post("/a", "chunked").replace("POST", "HEAD")}1\r\na\r\n`);
    await eventually(() => house.exchanges.length, (count) => count === 1);
    wire.write("zz\r\n");
    const text = await wire.closed();
    expect([statusOf(text), bodyOf(text)]).toEqual([400, ""]);
  });

  it("breaks the answer off that has begun", async () => {
    await using house = await openHouse({ answer: ({ response }) => void response.write("begun") });
    const wire = openWire(house.port);
    wire.write(`${post("/a", "chunked")}1\r\na\r\n`);
    await wire.until((text) => text.includes("begun"));
    wire.write("zz\r\n");
    expect(bodyOf(await wire.closed())).toBe("5\r\nbegun\r\n");
    await house.allGone();
    expect([house.faults.length, house.open(), house.exchanges[0]?.log]).toEqual([0, 0, ["data:a", "abort", "closed:false"]]);
  });

  it("behind a complete answer leaves its client the time to read that", async () => {
    const large = Buffer.alloc(12_000_000, "a");
    await using house = await openHouse({ answer: ({ response }) => response.end(large) });
    const wire = openWire(house.port);
    wire.socket.pause();
    const text = `${post("/a", "chunked")}1\r\na\r\n`;
    wire.write(text);
    await eventually(() => house.exchanges.length, (count) => count === 1);
    wire.write("zz\r\n");
    await house.received(text.length + 4);
    wire.socket.resume();
    expect(bodyOf(await wire.closed()).length).toBe(large.length);
    await house.allGone();
    expect([house.faults.length, house.exchanges[0]?.response.isFinished]).toEqual([0, true]);
  });

  it("behind a complete answer ends the connection without another word", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    wire.write(`${post("/a", "chunked")}1\r\na\r\n`);
    await wire.until((text) => text.endsWith("[/a]"));
    wire.write(`zz\r\n${get("/b")}`);
    expect(bodyOf(await wire.closed())).toBe("[/a]");
    await house.allGone();
    expect([house.faults.length, house.exchanges.length, house.open(), house.clock.pendingTimers()]).toEqual([0, 1, 0, 0]);
    expect(house.exchanges[0]?.log).toContain("closed:true");
    expect(house.exchanges[0]?.log).not.toContain("closed:false");
  });
});

/** A client that was answered, and told that the connection ends, long before its body is complete. */
const early = async () => {
  const house = await openHouse({ answer: answerWithTarget });
  const socket = await openStubborn(house.port);
  const head = post("/a", 9_000_000, "connection: close");
  socket.write(head);
  expect(await firstWords(socket)).toContain("[/a]");
  return { house, socket, head };
};

describe("an answer that is given before the body is complete", () => {
  it("leaves the connection for another request when the rest has come, which nobody gets", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    wire.write(`${post("/a", 2_000_003)}abc`);
    await wire.until((text) => text.endsWith("[/a]"));
    wire.socket.write(Buffer.alloc(2_000_000, "x"));
    wire.write(get("/b"));
    await wire.until((text) => text.endsWith("[/b]"));
    expect(house.exchanges.map(({ log }) => log)).toEqual([["data:abc", "closed:true"], ["end", "closed:true"]]);
    expect([house.gone(), house.open()]).toEqual([0, 0]);
    wire.socket.destroy();
  });

  it("does so in chunks too, also when the answer and the rest of the body cross", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    for (const path of ["/a", "/b"]) wire.write(`${post(path, "chunked")}1\r\na\r\n0\r\n\r\n`);
    wire.write(`${post("/c", "chunked")}1\r\na\r\n`);
    await wire.until((text) => text.endsWith("[/c]"));
    wire.write(`2\r\nbc\r\n0\r\n\r\n${get("/d")}`);
    expect(answers(await wire.until((text) => text.endsWith("[/d]"))).map(bodyOf)).toEqual(["[/a]", "[/b]", "[/c]", "[/d]"]);
    wire.socket.destroy();
  });

  it("starts a body again that was stopped for a reader that paused", async () => {
    await using house = await openHouse({ readsItself: true, answer: ({ request }) => request.pause() });
    const wire = openWire(house.port);
    wire.write(post("/a", 1_000_000));
    wire.socket.write(Buffer.alloc(1_000_000));
    await eventually(() => house.connections[0]?.socket.isPaused(), (paused) => paused === true);
    house.exchanges[0]?.response.end("ok");
    wire.write(get("/b"));
    await eventually(() => house.exchanges.length, (count) => count === 2);
    wire.socket.destroy();
  });

  it("ends the connection when the rest has come, when it was to be closed", async () => {
    await using house = await openHouse({ answer: answerWithTarget });
    const wire = openWire(house.port);
    wire.write(`${post("/a", 6, "connection: close")}abc`);
    await wire.until((text) => text.endsWith("[/a]"));
    wire.write(`def${get("/b")}`);
    expect(bodyOf(await wire.closed())).toBe("[/a]");
    await house.allGone();
    expect([house.exchanges.length, house.open(), house.clock.pendingTimers()]).toEqual([1, 0, 0]);
  });

  it("takes 1 MiB more of a body behind which the connection is closed, and not a byte more", async () => {
    const { house, socket, head } = await early();
    await using _ = house;
    socket.write(Buffer.alloc(mebibyte));
    await house.received(head.length + mebibyte);
    expect(house.connections[0]?.socket.destroyed).toBe(false);
    socket.write("a");
    await house.allGone();
    expect([house.open(), house.clock.pendingTimers()]).toEqual([0, 0]);
    socket.destroy();
  });

  it("waits a second for the rest of a body behind which the connection is closed, and not more", async () => {
    const { house, socket } = await early();
    await using _ = house;
    await house.clock.advance(999);
    expect(house.connections[0]?.socket.destroyed).toBe(false);
    await house.clock.advance(1);
    expect(house.connections[0]?.socket.destroyed).toBe(true);
    await house.allGone();
    expect(house.exchanges[0]?.log).toEqual(["closed:true"]);
    socket.destroy();
  });
});
