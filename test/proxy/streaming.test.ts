// Streams: nothing held back, nothing added, nothing that looks complete when it is not.
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { bodyOf, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, reply, streamHead } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
const start = event("message_start", { message: { model: "claude-x", usage: { input_tokens: 3, output_tokens: 1 } } });
const ping = event("ping", {});
const delta = event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 8 } });
const stop = event("message_stop", {});

const openStream: RawAnswer = ({ socket }) => socket.write(streamHead + chunk(start).toString());

describe("a stream that flows", () => {
  it("R1 the head and the first event come while the answer is open", async () => {
    const { client, upstream } = await open(({ socket }) => socket.write(streamHead));
    client.send(post());
    await client.until((text) => text.endsWith("\r\n\r\n"));
    const sentAt = performance.now();
    upstream.requests[0]?.socket.write(chunk(start));
    await client.until((text) => text.includes("message_start"));
    expect(performance.now() - sentAt).toBeLessThan(100);
    expect(upstream.open()).toBe(1);
  });

  it("R2 an event cut at every byte arrives with the same bytes", async () => {
    const bytes = Buffer.from(`event: x\r\ndata: {"t":"zażółć 🎈"}\r\n\r\n${start}${delta}${stop}`);
    const { client, harness } = await open(({ socket }) => {
      socket.write(streamHead);
      for (const byte of bytes) socket.write(chunk(Buffer.from([byte])));
      socket.write(lastChunk);
    });
    client.send(post());
    await client.until(isWhole);
    expect(bodyOf(client.received()).equals(bytes)).toBe(true);
    await harness.finished();
    expect(harness.of("usage.updated").at(-1)).toMatchObject({ inputTokens: 3, outputTokens: 8, stopReason: "end_turn" });
  });

  it("R3 a ping passes at once and counts as no usage", async () => {
    const { client, harness } = await open(({ socket }) => socket.write(streamHead + chunk(ping).toString()));
    client.send(post());
    await client.until((text) => text.includes("event: ping"));
    client.socket.destroy();
    await harness.finished();
    expect(harness.of("usage.updated")).toEqual([]);
  });

  it("R4 ten silent minutes do not cut a stream", async () => {
    const clock = createFakeClock();
    const { client, harness, upstream } = await open(openStream, { clock });
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    await clock.advance(600_000);
    upstream.requests[0]?.socket.write(Buffer.concat([chunk(delta + stop), Buffer.from(lastChunk)]));
    await client.until(isWhole);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok", longestSilenceMs: 600_000 });
  });

  it("R10 a stream without message_stop passes unchanged, and is named incomplete", async () => {
    const { client, harness } = await open(({ socket }) => socket.write(streamHead + chunk(start + delta).toString() + lastChunk));
    client.send(post());
    await client.until(isWhole);
    expect(bodyOf(client.received()).toString()).toBe(start + delta);
    expect((await harness.finished())[0]).toMatchObject({ status: 200, outcome: "upstream-error", blame: "upstream", errorCode: "incomplete-stream" });
  });

  it("an error event in a stream passes unchanged and is blamed", async () => {
    const error = event("error", { error: { type: "overloaded_error", message: "Overloaded \u001b[2J" } });
    const { client, harness } = await open(({ socket }) => socket.write(streamHead + chunk(start + error).toString() + lastChunk));
    client.send(post());
    await client.until(isWhole);
    expect(bodyOf(client.received()).toString()).toBe(start + error);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "upstream-error", blame: "overload", errorCode: "overloaded_error", message: "Overloaded ·[2J" });
  });

  it("R11 a slow reader holds the upstream back, and nothing is lost", async () => {
    const size = 32 * 1024 * 1024;
    let written = 0;
    const { harness } = await open(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      const block = Buffer.alloc(64 * 1024, "z");
      const more = (): void => {
        while (written < size) {
          written += block.length;
          if (!socket.write(block)) return void socket.once("drain", more);
        }
      };
      more();
    });
    const inside: Socket[] = [];
    harness.server.on("connection", (socket) => inside.push(socket));
    const slow = await openRawClient(harness.port);
    slow.socket.pause();
    slow.send(post());
    let before = -1;
    await eventually(
      () => {
        const still = before === written && inside[0]?.writableNeedDrain === true;
        before = written;
        return still;
      },
      (still) => still,
    );
    expect(inside[0]?.writableLength).toBeLessThan(1024 * 1024);
    expect(written).toBeLessThan(size);
    slow.socket.resume();
    await slow.untilSize(size);
    expect(bodyOf(slow.received()).length).toBe(size);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok", bytesOut: size });
  });

  it("R14 trailers are dropped without harm", async () => {
    const { client } = await open(({ socket }) => socket.write(`${streamHead}${chunk(stop).toString()}0\r\nx-sum: 1\r\n\r\n`));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).not.toContain("x-sum");
  });
});

describe("metering on a copy", () => {
  it("R12 a line without end costs the stream nothing", async () => {
    const block = Buffer.alloc(1024 * 1024, "x");
    const { client, harness } = await open(({ socket }) => {
      socket.write(streamHead);
      socket.write(chunk("data: "));
      for (let count = 0; count < 16; count += 1) socket.write(chunk(block));
      socket.write(lastChunk);
    });
    client.send(post());
    await client.untilSize(16 * block.length);
    await client.until((text) => text.endsWith(lastChunk));
    expect(bodyOf(client.received()).length).toBe(16 * block.length + 6);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok" });
  });

  it.each([
    ["invalid JSON", "{nope", []],
    ["something that is not gzip", "plain", ["content-encoding: gzip"]],
    ["a gzip that breaks off", gzipSync("x".repeat(2000)).subarray(0, 30), ["content-encoding: gzip"]],
  ])("R13 %s leaves the client's bytes alone and gives at most one notice", async (_, body, fields) => {
    const { client, harness } = await open(({ socket }) => socket.write(reply("200 OK", body, ["content-type: application/json", ...fields])));
    client.send(post());
    await client.until(isWhole);
    expect(bodyOf(client.received()).equals(Buffer.from(body))).toBe(true);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok" });
    expect(harness.of("notice").length).toBeLessThanOrEqual(1);
  });
});

describe("a stream that breaks", () => {
  it("R5 an upstream silent for the watchdog's time is aborted and the client cut off", async () => {
    const clock = createFakeClock();
    const { client, harness, upstream } = await open(openStream, { clock, settings: { silenceSeconds: 30 } });
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    await clock.advance(31_000);
    await client.closed;
    expect(client.text().endsWith(lastChunk)).toBe(false);
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "timeout", blame: "network", errorCode: "upstream-timeout" });
  });

  it("R6 a client that leaves in the stream is felt upstream at once, and nothing reconnects", async () => {
    const { client, harness, upstream } = await open(openStream);
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    const leftAt = performance.now();
    client.socket.destroy();
    await upstream.until((up) => up.open() === 0);
    expect(performance.now() - leftAt).toBeLessThan(100);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left", status: 200 });
    expect(upstream.connections()).toBe(1);
  });

  it("R7 a client that leaves before the answer began is felt upstream at once", async () => {
    const { client, harness, upstream } = await open(() => {});
    client.send(post());
    await upstream.until((up) => up.requests.length === 1);
    client.socket.destroy();
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left", status: null, attempts: 1 });
    expect(upstream.connections()).toBe(1);
  });

  // A closed client and one that only shut its writing side look the same (a FIN), and the first must be noticed at once.
  it("R8 a client that shuts its writing side counts as gone", async () => {
    const { client, harness, upstream } = await open(openStream);
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    client.socket.end();
    await client.closed;
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left" });
  });

  it("R9 an upstream reset in the stream is never a clean end for the client", async () => {
    const { client, harness, upstream } = await open(openStream);
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    upstream.requests[0]?.socket.resetAndDestroy();
    await client.closed;
    expect(client.text().endsWith(lastChunk)).toBe(false);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "failed", blame: "upstream", errorCode: "upstream-broken", status: 200 });
  });

  it("R9 an HTTP/1.0 client, for whom a close is the end, gets a reset", async () => {
    const { client, upstream } = await open(openStream);
    client.send("POST /v1/messages HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}");
    await client.until((text) => text.includes("message_start"));
    upstream.requests[0]?.socket.resetAndDestroy();
    expect(await client.closed).toBe("reset");
  });

  it("R15 a thousand opened and aborted streams leave nothing open", { timeout: 60_000 }, async () => {
    const { harness, upstream, client } = await open(openStream);
    client.socket.destroy();
    for (let round = 0; round < 20; round += 1) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => openRawClient(harness.port)));
      for (const one of clients) one.send(post());
      await Promise.all(clients.map((one) => one.until((text) => text.includes("message_start"))));
      for (const one of clients) one.socket.destroy();
      await harness.finished((round + 1) * 50);
    }
    await upstream.until((up) => up.open() <= 4);
    expect(upstream.connections()).toBeLessThanOrEqual(1000);
    expect(harness.of("request.finished").every(({ outcome }) => outcome === "client-left")).toBe(true);
  });

  it("R16 an early 413 while the body is still coming reaches the client, 20 times of 20", { timeout: 30_000 }, async () => {
    const { harness } = await open(() => {}, {
      onBytes: (socket, seen) => {
        if (seen.length < 100_000 || !socket.writable) return;
        socket.end(reply("413 Payload Too Large", '{"type":"error","error":{"type":"request_too_large","message":"no"}}', ["connection: close", "content-type: application/json"]));
      },
    });
    for (let round = 1; round <= 20; round += 1) {
      const client = await openRawClient(harness.port);
      client.send(post(Buffer.alloc(6 * 1024 * 1024, "u")));
      expect(await client.until((text) => text.includes("request_too_large"))).toMatch(/^HTTP\/1\.1 413/);
      client.socket.destroy();
      await harness.finished(round);
    }
  });
});
