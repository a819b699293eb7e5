// Streams that break, on either side: the other side feels it at once, and nothing looks complete that is not.
import { describe, expect, it } from "vitest";

import { createFakeClock } from "../helpers/fake-clock.ts";
import { openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, streamHead } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

const openStream: RawAnswer = ({ socket }) => socket.write(streamHead + chunk("event: message_start\ndata: {}\n\n").toString());

describe("a stream that breaks", () => {
  it("an upstream silent for the watchdog's time is aborted and the client cut off (R5)", async () => {
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

  it("a client that leaves in the stream is felt upstream before any time passes, and nothing reconnects (R6)", async () => {
    const { client, harness, upstream } = await open(openStream, { clock: createFakeClock() });
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    client.socket.destroy();
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left", status: 200 });
    expect(upstream.connections()).toBe(1);
  });

  it("a client that leaves before the answer began is felt upstream at once (R7)", async () => {
    const { client, harness, upstream } = await open(() => {});
    client.send(post());
    await upstream.until((up) => up.requests.length === 1);
    client.socket.destroy();
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left", status: null, attempts: 1 });
    expect(upstream.connections()).toBe(1);
  });

  // A closed client and one that only shut its writing side look the same (a FIN), and the first must be noticed at once.
  it("a client that shuts its writing side counts as gone (R8)", async () => {
    const { client, harness, upstream } = await open(openStream);
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    client.socket.end();
    await client.closed;
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "client-left" });
  });

  it("an upstream reset in the stream is never a clean end for the client (R9)", async () => {
    const { client, harness, upstream } = await open(openStream);
    client.send(post());
    await client.until((text) => text.includes("message_start"));
    upstream.requests[0]?.socket.resetAndDestroy();
    await client.closed;
    expect(client.text().endsWith(lastChunk)).toBe(false);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "failed", blame: "upstream", errorCode: "upstream-broken", status: 200 });
  });

  it("an HTTP/1.0 client, for whom a close is the end, gets a reset (R9)", async () => {
    const { client, upstream } = await open(openStream);
    client.send("POST /v1/messages HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}");
    await client.until((text) => text.includes("message_start"));
    upstream.requests[0]?.socket.resetAndDestroy();
    expect(await client.closed).toBe("reset");
  });

  it("a thousand opened and aborted streams leave nothing open (R15)", { timeout: 60_000 }, async () => {
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
});
