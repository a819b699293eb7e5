// Streams that flow: nothing held back, nothing added, and a meter that cannot be felt.
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { bodyOf, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, reply, streamHead } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";
import { standsStill } from "./stands-still.ts";

const open = useScenes();

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
const start = event("message_start", { message: { model: "claude-x", usage: { input_tokens: 3, output_tokens: 1 } } });
const ping = event("ping", {});
const delta = event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 8 } });
const stop = event("message_stop", {});

const openStream: RawAnswer = ({ socket }) => socket.write(streamHead + chunk(start).toString());

const medianOfNine = (all: readonly number[]): number => all.toSorted((left, right) => left - right)[4] ?? 0;

describe("a stream that flows", () => {
  it("the head and each event come at once while the answer is open (R1, R3)", async () => {
    const { client, upstream } = await open(({ socket }) => socket.write(streamHead));
    const direct = await openRawClient(upstream.port);
    const waits: Record<"through" | "direct", number[]> = { through: [], direct: [] };
    for (const each of [client, direct]) {
      each.send(post());
      await each.until((text) => text.endsWith("\r\n\r\n"));
    }
    for (let count = 1; count <= 9; count += 1) {
      for (const [index, each] of [client, direct].entries()) {
        const sentAt = performance.now();
        upstream.requests[index]?.socket.write(chunk(count === 1 ? start : ping));
        await each.until((text) => text.split("event: ").length > count);
        waits[index === 0 ? "through" : "direct"].push(performance.now() - sentAt);
        expect(upstream.open()).toBe(2);
      }
    }
    // A piece that waited for the next one would never come; one that waited for a timer would take hundreds of times as long.
    expect(medianOfNine(waits.through) / medianOfNine(waits.direct)).toBeLessThan(50);
    direct.socket.destroy();
  });

  it("an event cut at every byte arrives with the same bytes (R2)", async () => {
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

  it("a ping passes at once and counts as no usage (R3)", async () => {
    const { client, harness } = await open(({ socket }) => socket.write(streamHead + chunk(ping).toString()));
    client.send(post());
    await client.until((text) => text.includes("event: ping"));
    client.socket.destroy();
    await harness.finished();
    expect(harness.of("usage.updated")).toEqual([]);
  });

  it("ten silent minutes do not cut a stream (R4)", async () => {
    const clock = createFakeClock();
    const { client, harness, upstream } = await open(openStream, { clock });
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    await clock.advance(600_000);
    upstream.requests[0]?.socket.write(Buffer.concat([chunk(delta + stop), Buffer.from(lastChunk)]));
    await client.until(isWhole);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok", longestSilenceMs: 600_000 });
  });

  it("a stream without message_stop passes unchanged, and is named incomplete (R10)", async () => {
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

  it("a slow reader holds the upstream back, and nothing is lost (R11)", async () => {
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
    const { length: before } = harness.sockets;
    const inside = (): Socket | undefined => harness.sockets[before];
    const slow = await openRawClient(harness.port);
    slow.socket.pause();
    slow.send(post());
    await standsStill(() => (inside()?.writableNeedDrain === true ? written : 0));
    expect(inside()?.writableLength).toBeLessThan(1024 * 1024);
    expect(written).toBeLessThan(size);
    slow.socket.resume();
    await slow.untilSize(size);
    expect(bodyOf(slow.received()).length).toBe(size);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok", bytesOut: size });
  });

  it("a reader that pauses for longer than the watchdog's time is not taken for a silent upstream (R11)", async () => {
    const clock = createFakeClock();
    const size = 32 * 1024 * 1024;
    const { harness, upstream, client } = await open(({ socket }) => socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${size + 1}\r\n\r\n`), Buffer.alloc(size, "z")])), {
      clock,
      settings: { silenceSeconds: 30 },
    });
    const { length: before } = harness.sockets;
    const inside = (): Socket | undefined => harness.sockets[before];
    client.socket.destroy();
    const slow = await openRawClient(harness.port);
    slow.socket.pause();
    slow.send(post());
    await eventually(() => inside()?.writableNeedDrain, (stalled) => stalled === true);
    await clock.advance(60_000);
    slow.socket.resume();
    await slow.untilSize(size);
    await clock.advance(29_000);
    upstream.requests[0]?.socket.write("!");
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok", bytesOut: size + 1 });
  });

  it("trailers are dropped without harm (R14)", async () => {
    const { client } = await open(({ socket }) => socket.write(`${streamHead}${chunk(stop).toString()}0\r\nx-sum: 1\r\n\r\n`));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).not.toContain("x-sum");
  });
});

describe("metering on a copy", () => {
  it("a line without end costs the stream nothing (R12)", async () => {
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
    ["a usage that is no JSON", '{"usage":{nope}}', []],
    ["something that is not gzip", "plain", ["content-encoding: gzip"]],
    ["a gzip that breaks off", gzipSync("x".repeat(2000)).subarray(0, 30), ["content-encoding: gzip"]],
  ])("%s leaves the client's bytes alone and gives at most one notice (R13)", async (_, body, fields) => {
    const { client, harness } = await open(({ socket }) => socket.write(reply("200 OK", body, ["content-type: application/json", ...fields])));
    client.send(post());
    await client.until(isWhole);
    expect(bodyOf(client.received()).equals(Buffer.from(body))).toBe(true);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "ok" });
    expect(harness.of("notice").length).toBeLessThanOrEqual(1);
  });
});
