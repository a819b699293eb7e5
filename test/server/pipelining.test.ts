// Several requests on one connection, and what may not begin behind one of them: what a client that has left, a refused
// or closing answer, or bytes that are no request leave behind (RFC 9112 sections 6.3, 9.3.2 and 9.6).
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { messagesIn, openWay, statusesIn } from "../helpers/whole-way.ts";
import { isWhole } from "../proxy/raw-client.ts";
import { reply } from "../proxy/raw-upstream.ts";
import type { RawAnswer } from "../proxy/raw-upstream.ts";

const echo: RawAnswer = ({ socket, body }) => socket.write(reply("200 OK", body));

const early = (socket: Socket): boolean => socket.write(reply("200 OK", "early"));

/** Every message is whole: the last one ends where the text ends. */
const hasAnswers = (count: number) => (text: string): boolean => {
  const messages = messagesIn(text);
  return messages.length === count && isWhole(messages.at(-1) ?? "");
};

describe("pipelined requests", () => {
  it("are executed one at a time, in order, and answered in order", async () => {
    const order: string[] = [];
    const way = await openWay(({ socket, body }) => {
      order.push(`${body} begins`);
      // Long enough, in turns of the event loop, for the next one to begin if it could.
      let turns = 50;
      const later = (): void => {
        turns -= 1;
        if (turns > 0) return void setImmediate(later);
        order.push(`${body} ends`);
        socket.write(reply("200 OK", body));
      };
      later();
    });
    const client = await way.client();
    const bodies = Array.from({ length: 12 }, (_, index) => `number ${index}`);
    client.send(bodies.map((body) => way.post(body)).join(""));
    const text = await client.until(hasAnswers(bodies.length));
    expect(order).toEqual(bodies.flatMap((body) => [`${body} begins`, `${body} ends`]));
    expect(messagesIn(text).map((message) => message.slice(message.indexOf("\r\n\r\n") + 4))).toEqual(bodies);
  });

  it("of all kinds keep their order: forwarded, our own, refused, unknown", async () => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.post("one") + way.head("GET /health") + way.head("GET /v1/oauth/token") + way.post("two") + way.head("GET /nowhere"));
    const text = await client.until(hasAnswers(5));
    expect(statusesIn(text).map((status, index) => (index === 1 ? "own" : status))).toEqual([200, "own", 404, 200, 404]);
    expect(way.upstream.requests.map(({ body }) => body.toString())).toEqual(["one", "two"]);
  });

  it("cut anywhere are the same requests", async () => {
    const way = await openWay(echo);
    const bytes = way.post("first") + way.post("second") + way.head("GET /v1/models");
    for (let at = 1; at < bytes.length; at += 13) {
      const client = await way.client();
      client.send(bytes.slice(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(bytes.slice(at));
      expect(statusesIn(await client.until(hasAnswers(3)))).toEqual([200, 200, 200]);
      client.socket.destroy();
    }
  });
});

describe("a client that has left", () => {
  const fifty = Array.from({ length: 50 }, (_, index) => `number ${index}`);

  it.each(["FIN", "reset"])("by a %s with fifty POSTs on the way has at most two of them executed, however the upstream answers", async (how) => {
    const held: Socket[] = [];
    const way = await openWay(({ socket, body }) => void (body.toString() === "probe" ? socket.write(reply("200 OK", body)) : held.push(socket)));
    const client = await way.client();
    client.send(fifty.map((body) => way.post(body)).join(""));
    await way.upstream.until((up) => up.requests.length > 0);
    if (how === "FIN") client.socket.destroy();
    else client.socket.resetAndDestroy();
    await way.running.event("request.finished", ({ outcome }) => outcome === "client-left");
    for (const socket of held) socket.write(reply("200 OK", "too late"));
    const probe = await way.client();
    probe.send(way.post("probe"));
    expect(statusesIn(await probe.until(isWhole))).toEqual([200]);
    expect(way.upstream.requests.filter(({ body }) => body.toString() !== "probe").length).toBeLessThanOrEqual(2);
    expect(way.running.events.filter(({ type }) => type === "request.received").length).toBeLessThanOrEqual(3);
  });

  it("at once, with fifty POSTs written, has at most two of them executed", async () => {
    const way = await openWay(({ socket, body }) => void (body.toString() === "probe" ? socket.write(reply("200 OK", body)) : undefined));
    for (let round = 0; round < 5; round += 1) {
      const before = way.upstream.requests.length;
      const client = await way.client();
      await new Promise<void>((resolve) => void client.socket.write(fifty.map((body) => way.post(body)).join(""), () => resolve()));
      client.socket.resetAndDestroy();
      const probe = await way.client();
      probe.send(way.post("probe"));
      expect(statusesIn(await probe.until(isWhole))).toEqual([200]);
      const running = (): number => way.upstream.requests.filter(({ body, socket }) => body.toString() !== "probe" && !socket.destroyed).length;
      await eventually(running, (count) => count === 0, { what: "the upstream to be left too" });
      expect(way.upstream.requests.length - before).toBeLessThanOrEqual(3);
    }
  });

  it("while its second answer runs has the third one not begun", async () => {
    const way = await openWay(({ socket, body }) => void (body.toString() === "first" ? socket.write(reply("200 OK", body)) : undefined));
    const client = await way.client();
    client.send(way.post("first") + way.post("second") + way.post("third"));
    await way.upstream.until((up) => up.requests.length === 2);
    client.socket.destroy();
    await way.running.event("request.finished", ({ outcome }) => outcome === "client-left");
    // The one that carried the first answer may be kept, idle.
    await way.upstream.until((up) => up.open() <= 1);
    const probe = await way.client();
    probe.send(way.post("first"));
    expect(statusesIn(await probe.until(isWhole))).toEqual([200]);
    expect(way.upstream.requests.map(({ body }) => body.toString())).toEqual(["first", "second", "first"]);
  });
});

describe("behind an answer that closes the connection", () => {
  it.each([
    ["the client asked for it", ["Connection: close"]],
    ["the client asked for it among other things", ["Connection: x-other, Close"]],
  ])("nothing is begun, where %s", async (_, fields) => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.post("first", fields) + way.post("second"));
    expect(await client.closed).toBe("ended");
    expect(statusesIn(client.text())).toEqual([200]);
    expect(way.upstream.requests.map(({ body }) => body.toString())).toEqual(["first"]);
  });

  it("nothing is begun, where the client speaks HTTP/1.0", async () => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.post("first").replace(" HTTP/1.1", " HTTP/1.0") + way.post("second"));
    expect(await client.closed).toBe("ended");
    expect(statusesIn(client.text())).toEqual([200]);
    expect(way.upstream.requests).toHaveLength(1);
  });

  it.each([
    ["no key", (text: string) => text.replace(/x-api-key: .*\r\n/, ""), 401],
    ["a foreign name", (text: string) => text.replace(/Host: .*\r\n/, "Host: evil.example\r\n"), 403],
    ["a path that is not forwarded", (text: string) => text.replace("/v1/messages", "/v1/oauth/token"), 404],
  ])("a refused upload with %s is followed by a request that is executed and answered, or by neither", async (_, change, status) => {
    const way = await openWay(echo);
    const client = await way.client();
    const upload = change(way.post("x".repeat(1_000_000)));
    client.send(upload + way.post("second") + way.post("third"));
    const gone = await Promise.race([client.closed.then(() => true), client.until(hasAnswers(3)).then(() => false, () => true)]);
    const statuses = statusesIn(client.text());
    expect(statuses[0]).toBe(status);
    // What was executed was answered, and the other way round.
    expect(statuses.slice(1)).toEqual(way.upstream.requests.map(() => 200));
    if (gone) expect(way.upstream.requests).toEqual([]);
  });

  it("a refused upload has its answer read by a client that reads only when it has written everything", async () => {
    const way = await openWay(echo);
    const client = await way.client();
    client.socket.pause();
    const upload = way.post("x".repeat(12_000_000)).replace(/x-api-key: .*\r\n/, "");
    await new Promise<void>((resolve) => void client.socket.write(upload, () => resolve()));
    client.socket.resume();
    expect(statusesIn(await client.until(isWhole))).toEqual([401]);
  });

  it("nothing is begun, where the upload was larger than the limit", async () => {
    const way = await openWay(echo, { set: ["server.maxBodyBytes=2048"] });
    const client = await way.client();
    client.send(way.post("x".repeat(4096)) + way.post("second"));
    await client.until((text) => text.startsWith("HTTP/1.1 413 ") && isWhole(text));
    const statuses = await Promise.race([client.closed.then(() => statusesIn(client.text())), client.until(hasAnswers(2)).then(statusesIn)]);
    expect(statuses.slice(1)).toEqual(way.upstream.requests.map(() => 200));
  });
});

describe("bytes that are no request", () => {
  it.each([
    ["a chunk size that is no number", "5\r\nhello\r\nZZ\r\n"],
    ["a chunk that is longer than its size", "5\r\nhello!!\r\n0\r\n\r\n"],
    ["a chunk size with a sign", "5\r\nhello\r\n-5\r\nhello\r\n0\r\n\r\n"],
    ["a bare line feed behind a size", "5\nhello\r\n0\r\n\r\n"],
  ])("in the same read as the head of an upload get one 400: %s", async (_, body) => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.head("POST /v1/messages", ["Transfer-Encoding: chunked"]) + body);
    await client.closed;
    expect(statusesIn(client.text())).toEqual([400]);
    expect(way.upstream.requests).toEqual([]);
    await way.upstream.until((up) => up.open() === 0);
  });

  it("after a request without Host get no second answer", async () => {
    const way = await openWay(echo);
    for (const garbage of ["\u0000garbage\r\n\r\n", "GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", ""]) {
      const client = await way.client();
      client.send(`GET /v1/models HTTP/1.1\r\n\r\n${garbage}`);
      if (garbage === "") client.socket.end();
      await client.closed;
      expect([garbage, statusesIn(client.text())]).toEqual([garbage, [400]]);
    }
    expect(way.upstream.requests).toEqual([]);
  });

  it.each(["Content-Length: 5\r\n\r\nfirst", "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n"])("behind a whole request get one 400 after its answer: %j", async (rest) => {
    const way = await openWay(echo);
    const client = await way.client();
    const request = way.head("POST /v1/messages").slice(0, -2) + rest;
    client.send(`${request}${request}\u0000garbage\r\n\r\n`);
    await client.closed;
    expect(statusesIn(client.text())).toEqual([200, 200, 400]);
    expect(messagesIn(client.text())[0]).toMatch(/first$/);
  });

  it("behind a request that closes the connection are neither answered nor reported", async () => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(`${way.head("POST /v1/messages", ["Connection: close", "Transfer-Encoding: chunked"])}5\r\nfirst\r\n0\r\n\r\n${way.post("second")}`);
    await client.closed;
    expect(statusesIn(client.text())).toEqual([200]);
    expect(way.upstream.requests.map(({ body }) => body.toString())).toEqual(["first"]);
    expect(way.running.events.filter(({ type }) => type === "notice")).toEqual([]);
  });

  it("in the middle of an upload end it with one 400 that has its id, and the request says why it failed", async () => {
    const way = await openWay(() => {});
    const client = await way.client();
    client.send(`${way.head("POST /v1/messages", ["Transfer-Encoding: chunked"])}5\r\nhello\r\n`);
    await way.running.event("attempt.started");
    client.send("ZZ\r\n");
    const finished = await way.running.event("request.finished");
    await client.closed;
    expect(finished).toMatchObject({ status: 400, outcome: "failed", blame: "client", errorCode: "bad-request" });
    expect(statusesIn(client.text())).toEqual([400]);
    expect(client.text()).toContain(finished.requestId);
    await way.upstream.until((up) => up.open() === 0);
  });

  it("in an upload that has its answer already get none of their own", async () => {
    const way = await openWay(({ socket }) => early(socket), { onBytes: (socket, seen) => void (seen.includes("hello") && early(socket)) });
    const client = await way.client();
    client.send(`${way.head("POST /v1/messages", ["Transfer-Encoding: chunked"])}5\r\nhello\r\n`);
    await client.until((text) => text.endsWith("early"));
    client.send("ZZ\r\n");
    await client.closed;
    expect(statusesIn(client.text())).toEqual([200]);
  });

  it.each([
    ["HTTP/2 with prior knowledge", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000", "latin1")],
    ["a TLS hello", Buffer.from("16030100c8010000c40303" + "5a".repeat(32) + "20" + "a5".repeat(32) + "0004130113020100", "hex")],
    ["an SSH banner", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
    ["a SOCKS5 greeting", Buffer.from([5, 1, 0])],
  ])("such as %s get at most one clear HTTP/1.1 answer, and the connection is closed", async (_, bytes) => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(bytes);
    await client.closed;
    const messages = messagesIn(client.text());
    expect(messages.length).toBeLessThanOrEqual(1);
    for (const message of messages) expect([message.slice(0, 9), Number(message.slice(9, 12)) >= 400, isWhole(message)]).toEqual(["HTTP/1.1 ", true, true]);
    expect(way.upstream.requests).toEqual([]);
    const next = await way.client();
    next.send(way.post("goes on"));
    expect(statusesIn(await next.until(isWhole))).toEqual([200]);
  });
});

describe("offers and expectations", () => {
  it.each([
    ["h2c", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"]],
    ["websocket", ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]],
    ["something unknown", ["Connection: upgrade", "Upgrade: x-other/1, TLS/1.0"]],
  ])("an offer to upgrade to %s is ignored (P11)", async (_, fields) => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.post("the body", fields));
    const text = await client.until((seen) => isWhole(seen));
    expect([statusesIn(text), text.endsWith("the body"), /\r\nupgrade:/i.test(text)]).toEqual([[200], true, false]);
    expect(way.upstream.requests.map(({ head, body }) => [/\r\n(?:upgrade|http2-settings|connection: *upgrade)/i.test(head), body.toString()])).toEqual([[false, "the body"]]);
    // Without a body, and what comes behind it is either served or not begun.
    const other = await way.client();
    other.send(way.head("GET /v1/models", fields) + way.post("behind"));
    await Promise.race([other.closed, other.until(hasAnswers(2))]);
    const [first, ...rest] = statusesIn(other.text());
    expect(first).toBe(200);
    expect(rest).toEqual(way.upstream.requests.filter(({ body }) => body.toString() === "behind").map(() => 200));
  });

  it.each([
    ["two of them", ["Expect: 100-continue", "Expect: 100-continue"]],
    ["another one", ["Expect: 200-ok"]],
    ["a list", ["Expect: 100-continue, x-other"]],
    ["an empty one and a known one", ["Expect: x", "Expect: 100-continue"]],
  ])("an Expect that nobody can meet is 417, and nothing goes upstream: %s (P13)", async (_, fields) => {
    const way = await openWay(echo);
    const client = await way.client();
    client.send(way.post("the body", fields));
    const text = await client.until((seen) => /HTTP\/1\.1 417 /.test(seen) && isWhole(seen));
    expect(statusesIn(text)).toEqual([417]);
    expect(way.upstream.requests).toEqual([]);
  });

  it.each([["100-continue"], ["100-Continue"]])("Expect: %s is answered by one 100 and the answer, also behind another request (P12)", async (expectation) => {
    const way = await openWay(echo);
    const client = await way.client();
    const waiting = way.post("the body", [`Expect: ${expectation}`]);
    client.send(way.post("before") + waiting.slice(0, -"the body".length));
    await client.until((text) => text.includes("HTTP/1.1 100 "));
    client.send("the body");
    const text = await client.until((seen) => seen.endsWith("the body"));
    expect(statusesIn(text)).toEqual([200, 100, 200]);
    expect(way.upstream.requests.map(({ head }) => /\r\nexpect:/i.test(head))).toEqual([false, false]);
  });
});
