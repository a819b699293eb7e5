// All sockets to the upstream read into one place: what one of them brought stays what it was, however long it waits.
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { createServer } from "node:tls";
import type { AddressInfo } from "node:net";

import { selfSigned } from "../demo/certificate.ts";
import { eventually } from "../helpers/eventually.ts";
import { openHarness } from "./harness.ts";
import { bodyOf, isWhole, openRawClient, post } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { reply } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const severalClients = async (port: number, count: number): Promise<readonly RawClient[]> => Promise.all(Array.from({ length: count }, () => openRawClient(port)));

/** A message in two pieces, the tokens in the first one. */
const pieces = (tokens: number): readonly [Buffer, Buffer] => {
  const answer = reply("200 OK", JSON.stringify({ type: "message", usage: { input_tokens: tokens, output_tokens: 1 } }), ["content-type: application/json"]);
  const middle = answer.length - 10;
  return [answer.subarray(0, middle), answer.subarray(middle)];
};

describe("what several upstream connections read", () => {
  it("waits unmixed for clients that do not take it yet", async () => {
    // More than the kernel keeps on the way to a client.
    const bodies = Array.from({ length: 4 }, () => randomBytes(12_000_000));
    const { harness } = await open(({ socket, body }) => void socket.write(reply("200 OK", bodies[Number(body)] ?? "")));
    const clients = await severalClients(harness.port, bodies.length);
    for (const [index, { socket, send }] of clients.entries()) {
      socket.pause();
      send(post(String(index)));
    }
    await harness.until(() => harness.of("response.started").length === bodies.length);
    await eventually(() => harness.sockets.filter(({ writableLength }) => writableLength > 0).length, (waiting) => waiting === bodies.length);
    for (const [index, client] of clients.entries()) {
      client.socket.resume();
      await client.untilSize(bodies[index]?.length ?? 0);
      await client.until(isWhole);
      expect(bodyOf(client.received()).equals(bodies[index] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it("is still its own when the usage is read from it later", async () => {
    const { harness, upstream } = await open(({ socket, body }) => void socket.write(pieces(Number(body))[0]));
    const clients = await severalClients(harness.port, 12);
    for (const [index, client] of clients.entries()) client.send(post(String(1000 + index)));
    await harness.until(() => harness.of("response.started").length === clients.length);
    for (const { socket, body } of upstream.requests) socket.write(pieces(Number(body))[1]);
    await harness.finished(clients.length);
    expect(harness.of("usage.updated").map(({ inputTokens }) => inputTokens).toSorted()).toEqual(clients.map((_, index) => 1000 + index));
  });
});

describe("a connection over TLS", () => {
  it("resumes the session of the one before it", async () => {
    const certificate = selfSigned();
    const reused: boolean[] = [];
    const server = createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
      reused.push(socket.isSessionReused());
      socket.on("error", () => {});
      socket.once("data", () => void socket.end(reply("200 OK", "over TLS", ["connection: close"])));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const harness = await openHarness({ baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, out: { ca: certificate.cert } });
    closing.push(harness.close);
    for (const count of [1, 2, 3]) {
      const client = await openRawClient(harness.port);
      client.send(post());
      expect(await client.until(isWhole)).toMatch(/over TLS$/);
      await harness.finished(count);
    }
    expect(reused).toEqual([false, true, true]);
  });
});
