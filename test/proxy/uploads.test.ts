// Bodies on their way up while the upstream answers early, reads slowly, or not at all.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, reply } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";
import { standsStill } from "./stands-still.ts";

const open = useScenes();

describe("an upload", () => {
  it("after an early answer the rest of the body is thrown away and the connection serves the next request (R16)", async () => {
    let early = true;
    const { client, harness } = await open(({ socket }) => socket.write(reply("200 OK", "next")), {
      onBytes: (socket) => {
        if (early) socket.end(reply("429 Too Many Requests", "early", ["connection: close"]));
        early = false;
      },
    });
    const body = Buffer.alloc(3 * 1024 * 1024, "u");
    client.send(post(body).subarray(0, 1_000_000));
    await client.until((text) => text.endsWith("early"));
    await harness.finished();
    client.send(post(body).subarray(1_000_000));
    client.send(post());
    await client.until((text) => text.endsWith("next"));
  });

  it("that outgrows the limit after its answer disturbs nothing any more", async () => {
    let early = true;
    const { client, harness } = await open(({ socket }) => socket.write(reply("200 OK", "next")), {
      settings: { maxBodyBytes: 200_000 },
      onBytes: (socket) => {
        if (early) socket.end(reply("429 Too Many Requests", "early", ["connection: close"]));
        early = false;
      },
    });
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    client.send(chunk(Buffer.alloc(1000, "a")));
    await client.until((text) => text.endsWith("early"));
    await harness.finished();
    client.send(Buffer.concat([chunk(Buffer.alloc(400_000, "a")), Buffer.from(lastChunk), post()]));
    await client.until((text) => text.endsWith("next"));
  });

  it("that is refused before its turn is thrown away, and the connection serves the next request", async () => {
    const clock = createFakeClock();
    const { client, harness, upstream } = await open(
      ({ socket, body }) => void (body.toString() === "next" && socket.write(reply("200 OK", "next"))),
      { clock, out: { connections: 1 }, settings: { headersTimeoutMs: 1000 } },
    );
    client.send(post("occupies the only connection"));
    await upstream.until((up) => up.requests.length === 1);
    const { length: before } = harness.sockets;
    const inside = (): Socket | undefined => harness.sockets[before];
    const second = await openRawClient(harness.port);
    const body = Buffer.alloc(24 * 1024 * 1024, "u");
    second.send(post(body).subarray(0, -1_000_000));
    await standsStill(() => inside()?.bytesRead ?? 0);
    await eventually(
      () => clock.advance(1000).then(() => harness.of("request.finished").length),
      (count) => count === 2,
    );
    second.send(post(body).subarray(-1_000_000));
    second.send(post("next"));
    await second.until((text) => text.endsWith("next"));
    expect(upstream.requests.map((request) => request.body.length)).toEqual([28, 4]);
  });

  it("an upstream that does not read holds the client's upload back", async () => {
    const outside: Socket[] = [];
    const { client, harness, upstream } = await open(() => {}, {
      onBytes: (socket) => {
        socket.pause();
        outside.push(socket);
      },
    });
    const { length: before } = harness.sockets;
    const inside = (): Socket | undefined => harness.sockets[before];
    client.socket.destroy();
    const sender = await openRawClient(harness.port);
    sender.send(post(Buffer.alloc(48 * 1024 * 1024, "u")));
    await upstream.until(() => outside.length > 0);
    const read = await standsStill(() => inside()?.bytesRead ?? 0);
    expect(read).toBeLessThan(24 * 1024 * 1024);
    outside[0]?.destroy();
    expect(await sender.until(isWhole)).toMatch(/^HTTP\/1\.1 502/);
    expect((await harness.finished())[0]).toMatchObject({ errorCode: "upstream-broken", attempts: 1 });
  });

  it("an upstream that reads again gets the rest, every byte of it", async () => {
    const body = randomBytes(24 * 1024 * 1024);
    const parts: Buffer[] = [];
    const outside: Socket[] = [];
    const { client, harness, upstream } = await open(() => {}, {
      onBytes(socket, seen) {
        let left = body.length;
        const take = (bytes: Buffer): void => {
          parts.push(bytes);
          left -= bytes.length;
          if (left === 0) socket.write(reply("200 OK", "got it"));
        };
        socket.pause().removeAllListeners("data").on("data", take);
        take(seen.subarray(seen.indexOf("\r\n\r\n") + 4));
        outside.push(socket);
      },
    });
    const { length: before } = harness.sockets;
    const inside = (): Socket | undefined => harness.sockets[before];
    client.socket.destroy();
    const sender = await openRawClient(harness.port);
    sender.send(post(body));
    await upstream.until(() => outside.length > 0);
    expect(await standsStill(() => inside()?.bytesRead ?? 0)).toBeLessThan(body.length);
    outside[0]?.resume();
    await sender.until((text) => text.endsWith("got it"));
    expect(Buffer.concat(parts).equals(body)).toBe(true);
  });

  it("whose answer begins before the upstream has read it arrives whole", async () => {
    const body = randomBytes(3 * 1024 * 1024);
    const outside: Socket[] = [];
    const { client, harness } = await open(({ socket, body: received }) => socket.write(received.equals(body) ? "ok" : "no"), {
      onBytes: (socket) => {
        if (outside.length > 0) return;
        outside.push(socket.pause());
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
      },
    });
    const { length: before } = harness.sockets;
    const sender = await openRawClient(harness.port);
    client.socket.destroy();
    sender.send(post(body));
    await sender.until((text) => text.includes("200 OK"));
    await standsStill(() => harness.sockets[before]?.bytesRead ?? 0);
    outside[0]?.resume();
    expect(await sender.until(isWhole)).toMatch(/\r\n\r\nok$/);
  });

  it("of any size, one behind the other before their turn, arrive whole", { timeout: 30_000 }, async () => {
    const bodies = Array.from({ length: 40 }, (_, index) => randomBytes(20_000 + index * 4001));
    const { client, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "got it")));
    client.send(Buffer.concat(bodies.map((body, index) => (index % 3 === 0 ? Buffer.concat([
      Buffer.from("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"), chunk(body), Buffer.from(lastChunk),
    ]) : post(body)))));
    await client.until((text) => text.split("got it").length > bodies.length);
    expect(upstream.requests.map(({ body }, index) => body.equals(bodies[index] ?? Buffer.alloc(0)))).toEqual(bodies.map(() => true));
  });

  it("that is still coming when the answer is complete leaves its connection to nobody", async () => {
    let early = true;
    const { client, harness, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "next")), {
      onBytes: (socket) => {
        if (early) socket.write(reply("429 Too Many Requests", "early"));
        early = false;
      },
    });
    client.send(post(Buffer.alloc(1_000_000, "u")).subarray(0, 100_000));
    await client.until((text) => text.includes("early"));
    const other = await openRawClient(harness.port);
    other.send(post());
    await other.until((text) => text.endsWith("next"));
    expect(upstream.connections()).toBe(2);
    await upstream.until((up) => up.open() === 1);
  });

  it("an early 413 while the body is still coming reaches the client, 20 times of 20 (R16)", { timeout: 30_000 }, async () => {
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

  it.each([[[]], [["connection: close"]]])("an early 413 reaches a client that reads only when it has written everything, with the fields %j (R16)", { timeout: 30_000 }, async (fields) => {
    const { client } = await open(() => {}, { onBytes: (socket, seen) => void (seen.length > 100_000 && socket.writable && socket.end(reply("413 Payload Too Large", "too large"))) });
    client.socket.pause();
    await new Promise((resolve) => client.socket.write(post(Buffer.alloc(12 * 1024 * 1024, "u"), fields), resolve));
    client.socket.resume();
    expect(await client.until((text) => text.endsWith("too large"))).toMatch(/^HTTP\/1\.1 413/);
  });
});
