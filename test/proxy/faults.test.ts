// An upstream that refuses, hangs, lies or vanishes: each gives the documented answer, once.
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import { createFakeClock } from "../helpers/fake-clock.ts";
import { reservePort } from "../helpers/leftovers.ts";
import { openHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";
import { bodyOf, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, reply, streamHead } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

const errorOf = (text: string): { type: string; error: { type: string; message: string }; request_id: string } => JSON.parse(bodyOf(Buffer.from(text, "latin1")).toString());

/** As the documentation gives it. */
const defaultRetry = { maxRetries: 3, delayMs: 1000, statuses: [] };

describe("no connection", () => {
  let lone: Harness | null = null;
  afterEach(async () => {
    await lone?.close();
    lone = null;
  });

  it("a refused connection is a 502 in the API's error shape within a second, all its tries included (F1)", async () => {
    const clock = createFakeClock();
    const port = await reservePort();
    lone = await openHarness({ baseUrl: `http://127.0.0.1:${port}`, clock, settings: { retry: defaultRetry } });
    const client = await openRawClient(lone.port);
    client.send(post());
    for (const [index, pauseMs] of [125, 250, 500].entries()) {
      await lone.until(() => lone?.of("attempt.failed").length === index + 1);
      await clock.advance(pauseMs);
    }
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 502[\s\S]*x-claude-oauth-proxy-error: upstream-unreachable/);
    expect(errorOf(text)).toMatchObject({ type: "error", error: { type: "api_error" }, request_id: "r1" });
    expect(text).not.toContain("upstream-token");
    expect((await lone.finished())[0]).toMatchObject({ status: 502, outcome: "failed", blame: "network", errorCode: "upstream-unreachable", attempts: 4 });
    expect(lone.of("attempt.failed")[0]).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("a name that does not exist is a 502 of its own (F2)", async () => {
    lone = await openHarness({ baseUrl: "https://does-not-exist.invalid" });
    const client = await openRawClient(lone.port);
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 502/);
    expect(errorOf(text).error.message).toMatch(/name of https:\/\/does-not-exist\.invalid could not be looked up/);
  });

  it("tries again after a connection failure, and succeeds once the network is back (F17)", async () => {
    const clock = createFakeClock();
    const port = await reservePort();
    lone = await openHarness({ baseUrl: `http://127.0.0.1:${port}`, clock, settings: { retry: defaultRetry } });
    const client = await openRawClient(lone.port);
    client.send(post("the body"));
    await lone.until(() => lone?.of("attempt.failed").length === 1);
    await clock.advance(124);
    expect(lone.of("attempt.started")).toHaveLength(1);
    await clock.advance(1);
    await lone.until(() => lone?.of("attempt.failed").length === 2);
    const bodies: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        bodies.push(data.toString());
        if (data.toString().endsWith("the body")) socket.end(reply("200 OK", "back", ["connection: close"]));
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await clock.advance(250);
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 200/);
    expect((await lone.finished())[0]).toMatchObject({ outcome: "ok", attempts: 3 });
    expect(bodies.join("").match(/the body/g)).toHaveLength(1);
    await new Promise((resolve) => server.close(resolve));
  });

  it("a client that leaves during a pause between two tries ends it", async () => {
    const clock = createFakeClock();
    lone = await openHarness({ baseUrl: `http://127.0.0.1:${await reservePort()}`, clock, settings: { retry: defaultRetry } });
    const client = await openRawClient(lone.port);
    client.send(post());
    await lone.until(() => lone?.of("attempt.failed").length === 1);
    client.socket.destroy();
    expect((await lone.finished())[0]).toMatchObject({ outcome: "client-left", attempts: 1 });
    await clock.advance(5000);
    expect(lone.of("attempt.started")).toHaveLength(1);
  });
});

describe("a connection that fails", () => {
  it("a reused connection that dies under a POST is a 502 that asks to try again, and never runs twice (F3)", async () => {
    let calls = 0;
    const { client, harness, upstream } = await open(({ socket }) => {
      calls += 1;
      if (calls === 1) socket.write(reply("200 OK", "one"));
      else socket.destroy();
    });
    client.send(post());
    await client.until((text) => text.endsWith("one"));
    client.send(post());
    const text = await client.until((seen) => seen.endsWith("}\n"));
    expect(text).toMatch(/HTTP\/1\.1 502[\s\S]*x-should-retry: true/);
    expect(upstream.requests).toHaveLength(2);
    expect((await harness.finished(2))[1]).toMatchObject({ errorCode: "upstream-broken", attempts: 1 });
  });

  it("sixty requests at the moment the upstream closes its idle connection: no POST runs twice (F3)", { timeout: 30_000 }, async () => {
    const { harness, upstream } = await open(({ socket }) => {
      socket.write(reply("200 OK", "fine", ["x-n: 1"]));
      setImmediate(() => setImmediate(() => socket.destroy()));
    });
    const client = await openRawClient(harness.port);
    let answered = 0;
    for (let round = 1; round <= 60; round += 1) {
      client.send(post());
      const text = await client.until((seen) => (seen.match(/HTTP\/1\.1 /g)?.length ?? 0) === round && (seen.endsWith("fine") || seen.endsWith("}\n")));
      answered += 1;
      expect(text).toMatch(/200 OK|x-should-retry: true/);
    }
    const finished = await harness.finished(60);
    expect(answered).toBe(60);
    expect(upstream.requests.length).toBeLessThanOrEqual(finished.reduce((sum, { attempts }) => sum + attempts, 0));
    expect(finished.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it("an upstream that sends one byte and hangs is a 504 when the time is up (F4)", async () => {
    const clock = createFakeClock();
    const { client, harness, upstream } = await open(({ socket }) => socket.write("H"), { clock, settings: { headersTimeoutMs: 5000 } });
    client.send(post());
    await upstream.until((up) => up.requests.length === 1);
    await clock.advance(5000);
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 504[\s\S]*upstream-timeout/);
    expect(errorOf(text).error.type).toBe("timeout_error");
    await upstream.until((up) => up.open() === 0);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "timeout", blame: "network" });
  });

  it("a slow upload is not mistaken for a slow upstream", async () => {
    const clock = createFakeClock();
    let arrived = "";
    const { client, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "fine")), {
      clock,
      settings: { headersTimeoutMs: 5000 },
      onBytes: (_, seen) => {
        arrived = seen.toString();
      },
    });
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    for (let part = 1; part <= 4; part += 1) {
      client.send(chunk(`part ${part}`));
      await upstream.until(() => arrived.includes(`part ${part}`));
      await clock.advance(2000);
    }
    client.send("0\r\n\r\n");
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 200/);
  });

  it.each([
    [
      "429 Too Many Requests", '{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}', ["retry-after: 7"],
      { blame: "throttle", nextStep: "Wait 7 s. The client tries again by itself." },
    ],
    ["429 Too Many Requests", '{"type":"error","error":{"type":"rate_limit_error","message":"Limit"}}', ["anthropic-ratelimit-unified-status: rejected"], { blame: "plan-limit" }],
    ["529 Overloaded", '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', [], { blame: "overload", message: "Overloaded" }],
    ["500 Internal Server Error", "<html>oops</html>", [], { blame: "upstream", message: "The upstream answered 500 without saying why." }],
    ["403 Forbidden", '{"type":"error","error":{"type":"permission_error","message":"Not you"}}', [], { blame: "credential" }],
  ])("%s goes through unchanged and is blamed (A9, F5, F6)", async (status, body, fields, blamed) => {
    const { client, harness, upstream } = await open(({ socket }) => socket.write(reply(status, body, ["request-id: req_9", ...fields])));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text.startsWith(`HTTP/1.1 ${status.slice(0, 3)}`)).toBe(true);
    expect(bodyOf(client.received()).toString()).toBe(body);
    for (const field of fields) expect(text).toContain(field);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "upstream-error", upstreamRequestId: "req_9", ...blamed });
    expect(upstream.requests).toHaveLength(1);
  });

  it.each([
    ["garbage", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy"],
    ["a length and a coding", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
    ["two codings", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
    ["an unasked 101", "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"],
    ["a flood of interim answers", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50)],
    ["headers without end (S20)", `HTTP/1.1 200 OK\r\n${`x-a: ${"h".repeat(1000)}\r\n`.repeat(200)}`],
  ])("%s is a 502, and that connection is not used again (F7)", async (_, bytes) => {
    let calls = 0;
    const { client, upstream } = await open(({ socket }) => {
      calls += 1;
      socket.write(calls === 1 ? bytes : reply("200 OK", "healthy"));
    });
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 502[\s\S]*upstream-broken/);
    client.send(post());
    await client.until((text) => text.endsWith("healthy"));
    expect(upstream.connections()).toBe(2);
  });

  it("a body shorter than its length is never a whole answer (F7)", async () => {
    const { client, harness } = await open(({ socket }) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"));
    client.send(post());
    await client.closed;
    expect(client.text()).toMatch(/content-length: 100[\s\S]*short$/);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "failed", errorCode: "upstream-broken" });
  });

  it.each([
    ["ended", true],
    ["reset", false],
  ])("a body without a length whose connection is %s: complete is %s", async (how, isComplete) => {
    const { client, harness, upstream } = await open(({ socket }) => socket.write("HTTP/1.1 200 OK\r\n\r\nall of it"));
    client.send(post());
    await client.until((text) => text.includes("all of it"));
    const socket = upstream.requests[0]?.socket;
    if (how === "reset") socket?.resetAndDestroy();
    else socket?.end();
    expect((await harness.finished())[0]).toMatchObject(isComplete ? { outcome: "ok" } : { outcome: "failed", errorCode: "upstream-broken" });
    if (isComplete) await client.until((text) => text.endsWith("\r\n0\r\n\r\n"));
    else await client.closed;
    expect(client.text().endsWith("\r\n0\r\n\r\n")).toBe(isComplete);
  });

  it("a chunk that is no chunk breaks the client's connection instead of ending it", async () => {
    const { client } = await open(({ socket }) => socket.write(`${streamHead}${chunk("data: 1\n\n").toString()}zz\r\n`));
    client.send(post());
    await client.closed;
    expect(client.text()).toContain("data: 1");
    expect(client.text()).not.toMatch(/0\r\n\r\n$/);
  });

  it("an opted-in status is tried again, the last answer goes through", async () => {
    let calls = 0;
    const { client, harness } = await open(
      ({ socket }) => {
        calls += 1;
        socket.write(calls < 3 ? reply("529 Overloaded", "later") : reply("200 OK", "fine"));
      },
      { settings: { retry: { maxRetries: 2, delayMs: 1, statuses: [529] } } },
    );
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 200/);
    expect((await harness.finished())[0]).toMatchObject({ attempts: 3, outcome: "ok" });
  });
});
