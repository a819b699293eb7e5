// What is refused here, and what happens to requests when the program has to stop.
import { describe, expect, it } from "vitest";

import { eventually } from "../helpers/eventually.ts";
import { isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, reply, streamHead } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

describe("limits of our own", () => {
  it("a body beyond the limit is refused by its length, before anything is sent", async () => {
    const { client, harness, upstream } = await open(() => {}, { settings: { maxBodyBytes: 1000 } });
    client.send(post("x".repeat(1001)));
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 413[\s\S]*too-large/);
    expect(upstream.connections()).toBe(0);
    expect((await harness.finished())[0]).toMatchObject({ status: 413, blame: "client", attempts: 0 });
  });

  it("a chunked body beyond the limit is refused while it comes, and the attempt is broken off", async () => {
    const { client, upstream } = await open(() => {}, { settings: { maxBodyBytes: 100_000 } });
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    client.send(chunk(Buffer.alloc(60_000, "a")));
    await upstream.until((up) => up.connections() === 1);
    client.send(chunk(Buffer.alloc(60_000, "a")));
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 413/);
    await upstream.until((up) => up.open() === 0);
    expect(upstream.requests).toEqual([]);
  });

  it("a target that must not go out is rejected, not forwarded", async () => {
    const { client, harness, upstream } = await open(() => {});
    client.send("GET //evil.example/v1/x HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 400/);
    expect(harness.of("request.rejected")).toHaveLength(1);
    expect(upstream.connections()).toBe(0);
  });

  it("when the drain time is over, a body that was still coming is not sent any more", async () => {
    const cut = new AbortController();
    const { client, harness, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "next")), { cut: cut.signal, credentials: null });
    client.send(post("0123456789").subarray(0, -5));
    await eventually(() => harness.inFlight(), (count) => count === 1);
    cut.abort();
    await client.until((text) => text.startsWith("HTTP/1.1 503") && isWhole(text));
    client.send(Buffer.concat([Buffer.from("56789"), post("next")]));
    await client.until((text) => text.endsWith("next"));
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual(["next"]);
  });

  it("when the drain time is over, open streams are cut and waiting requests are answered", async () => {
    const cut = new AbortController();
    const { client, harness, upstream } = await open(({ socket, body }) => void (body.toString() === "stream" && socket.write(streamHead + chunk("data: 1\n\n").toString())), { cut: cut.signal });
    const second = await openRawClient(harness.port);
    client.send(post("stream"));
    await client.until((text) => text.includes("data: 1"));
    second.send(post("wait"));
    await upstream.until((up) => up.requests.length === 2);
    cut.abort();
    await client.closed;
    expect(await second.until(isWhole)).toMatch(/^HTTP\/1\.1 503[\s\S]*shutting-down/);
    expect((await harness.finished(2)).map(({ outcome }) => outcome)).toEqual(["shutdown", "shutdown"]);
    await upstream.until((up) => up.open() === 0);
  });
});
