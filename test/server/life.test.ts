// Starting, refusing to start, slow clients, and stopping in good order.
import { spawn } from "node:child_process";
import { createServer as createTcpServer } from "node:net";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import { reservePort } from "../helpers/leftovers.ts";
import { answers, ask, errorOf, head, headerOf, isWhole, key, openWire, post, startServer, statusOf } from "./kit.ts";
import type { Wire } from "./kit.ts";

const fast = { headersMs: 300, requestMs: 600, checkMs: 50 };

const failure = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.then(() => null, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
};

describe("starting", () => {
  it("a port in use is `port-taken`, in words, and nothing is left behind (F12)", async () => {
    const port = await reservePort();
    const other = createTcpServer().listen(port, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const error = await failure(startServer({ port }));
    expect(error).toMatchObject({ code: "port-taken", message: `Port ${port} on 127.0.0.1 is already in use.` });
    expect(error.hint).toContain("--port");
    await new Promise((resolve) => other.close(resolve));
    await (await startServer({ port })).close();
  });

  it("an address that others can reach needs a key (S11)", async () => {
    for (const host of ["0.0.0.0", "::", "192.168.0.7", "proxy.lan", "127.0.0.1.evil.example"]) expect(await failure(startServer({ host, key: null }))).toMatchObject({ code: "unsafe-settings" });
    await using own = await startServer({ host: "0.0.0.0" });
    expect(own.url).toBe(`http://127.0.0.1:${own.port}`);
    expect(statusOf(await ask(own.port, head(own.port, "GET /v1/models", { "x-api-key": null })))).toBe(401);
  });

  it("says the address itself to which a name of loopback led, because the name may lead a client elsewhere (S3)", async () => {
    await using own = await startServer({ host: "localhost" });
    expect([`http://127.0.0.1:${own.port}`, `http://[::1]:${own.port}`]).toContain(own.url);
  });

  it("the standard address is loopback and nothing else (S11)", async () => {
    await using own = await startServer();
    const wire = openWire(own.port, "127.0.0.2");
    expect(await wire.closed()).toBe("");
    expect(own.url).toBe(`http://127.0.0.1:${own.port}`);
  });

  it("an address that is not of this machine is told in a sentence", async () => {
    expect(await failure(startServer({ host: "192.0.2.1" }))).toMatchObject({ code: "bad-config", message: '"192.0.2.1" is no address of this machine.' });
    expect(await failure(startServer({ host: "no-such-host.invalid" }))).toMatchObject({ code: "bad-config" });
  });

  it("IPv6 loopback is served under its own name", async () => {
    await using own = await startServer({ host: "::1" });
    expect(own.url).toBe(`http://[::1]:${own.port}`);
    const wire = openWire(own.port, "::1");
    wire.write(head(own.port, "GET /v1/models", { host: `[::1]:${own.port}` }));
    expect(statusOf(await wire.until(isWhole))).toBe(200);
  });
});

describe("slow clients", () => {
  it("a head that never ends is answered 408 and dropped (L10)", async () => {
    await using own = await startServer({ timeouts: { ...fast, requestMs: 60_000 } });
    const wire = openWire(own.port);
    wire.write(`GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:${own.port}\r\n`);
    const dribble = setInterval(() => wire.write("x: y\r\n"), 40);
    const text = await wire.closed();
    clearInterval(dribble);
    expect(errorOf(text)).toMatchObject({ status: 408, code: "request-timeout" });
  });

  it("a body that never ends is answered 408 and the forwarded request aborted (L10)", async () => {
    await using own = await startServer({ timeouts: fast });
    const wire = openWire(own.port);
    wire.write(`${head(own.port, "POST /v1/messages", { "content-length": "1000" })}a`);
    const dribble = setInterval(() => wire.write("a"), 40);
    const text = await wire.closed();
    clearInterval(dribble);
    expect(statusOf(text)).toBe(408);
    expect(own.forwards[0]?.request.complete).toBe(false);
    await expect.poll(() => own.forwards[0]?.response.closed, { timeout: 3000 }).toBe(true);
  });

  it("hundreds of slow connections do not keep a normal request waiting, and all are gone in the end (L10)", async () => {
    await using own = await startServer({ timeouts: { ...fast, headersMs: 1500, requestMs: 1500 } });
    let ended = 0;
    const slow = Array.from({ length: 300 }, () => openWire(own.port));
    for (const { socket } of slow) socket.once("close", () => (ended += 1));
    for (const [index, wire] of slow.entries()) wire.write(index % 2 === 0 ? "GET /v1/models HTTP/1.1\r\nHost:" : `${head(own.port, "POST /v1/messages", { "content-length": "9" })}a`);
    expect(statusOf(await ask(own.port, head(own.port, "GET /v1/models")))).toBe(200);
    expect(ended).toBe(0);
    await Promise.all(slow.map((wire) => wire.closed()));
    await expect.poll(() => own.server.inFlight(), { timeout: 3000 }).toBe(0);
  });

  it("an answer may take longer than the request's time limit", async () => {
    const later = Promise.withResolvers<void>();
    await using own = await startServer({ timeouts: fast, forward: ({ response }) => void later.promise.then(() => response.end("late")) });
    const pending = ask(own.port, head(own.port, "GET /v1/models"));
    const slow = openWire(own.port);
    slow.write("GET / HTTP/1.1\r\n");
    await slow.closed();
    later.resolve();
    expect(await pending).toContain("late");
  });

  it("without free descriptors new clients are turned away, the others served, and it recovers (F11)", async () => {
    const child = spawn("bash", ["-c", `ulimit -n 64 && exec "$0" "$1"`, process.execPath, new URL("../fixtures/bare-server.ts", import.meta.url).pathname], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    try {
      const port = Number(await new Promise<string>((resolve) => child.stdout.once("data", (data: Buffer) => resolve(data.toString()))));
      const many = Array.from({ length: 100 }, () => openWire(port));
      await Promise.all(many.map(({ socket }) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))));
      many.forEach((wire) => wire.write(head(port, "GET /v1/models")));
      const seen = await Promise.all(many.map((wire) => wire.until(isWhole, 10_000).catch(() => "")));
      expect(seen.filter((text) => statusOf(text) === 200).length).toBeGreaterThan(20);
      many.forEach(({ socket }) => socket.destroy());
      await expect.poll(() => ask(port, head(port, "GET /v1/models")).then(statusOf, () => 0), { timeout: 5000 }).toBe(200);
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
  });
});

const streaming = async (requests = 1) => {
  const open: { end(): void }[] = [];
  const own = await startServer({
    forward: ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      open.push({ end: () => response.end("data: last\n\n") });
    },
  });
  const wire = openWire(own.port);
  wire.write(head(own.port, "GET /v1/models").repeat(requests));
  await wire.until((text) => text.includes("first"));
  return { own, wire, finish: () => open.forEach((stream) => stream.end()) };
};

const idle = async (port: number): Promise<Wire> => {
  const wire = openWire(port);
  wire.write(head(port, "GET /api/hello"));
  await wire.until(isWhole);
  return wire;
};

describe("stopping", () => {
  it("idle connections are closed at once, open streams finish, then it is over (F9)", async () => {
    const { own, wire, finish } = await streaming();
    const waiting = await idle(own.port);
    expect(own.server.inFlight()).toBe(1);
    const closed = own.server.close(60_000);
    await waiting.closed(2000);
    expect(await openWire(own.port).closed()).toBe("");
    finish();
    expect(await wire.closed()).toMatch(/data: first[^]*data: last\n\n\r\n0\r\n\r\n$/);
    await closed;
    expect(own.server.inFlight()).toBe(0);
  });

  it("what is open when the time is over is destroyed, after the owner was told (F9)", async () => {
    const told: string[] = [];
    const own = await startServer({ forward: ({ response }) => void response.write("open"), onCut: () => told.push("cut") });
    const wire = openWire(own.port);
    wire.write(head(own.port, "GET /v1/models"));
    await wire.until((text) => text.includes("open"));
    await own.server.close(50);
    expect(told).toEqual(["cut"]);
    expect((await wire.closed()).endsWith("0\r\n\r\n")).toBe(false);
  });

  it("an answer that begins while stopping says that the connection ends", async () => {
    const later = Promise.withResolvers<void>();
    const own = await startServer({ forward: ({ response }) => void later.promise.then(() => response.end("done")) });
    const wire = openWire(own.port);
    wire.write(head(own.port, "GET /v1/models"));
    await expect.poll(() => own.forwards.length).toBe(1);
    const closed = own.server.close(60_000);
    later.resolve();
    expect(headerOf(await wire.closed(), "connection")).toBe("close");
    await closed;
  });

  it("a request that waits for its turn on an open connection is told to go elsewhere", async () => {
    const { own, wire, finish } = await streaming(2);
    own.server.stopAccepting();
    finish();
    const closed = own.server.close(1000);
    const all = answers(await wire.closed());
    expect(errorOf(all[1] ?? "")).toMatchObject({ status: 503, code: "shutting-down" });
    expect(own.forwards).toHaveLength(1);
    expect(own.events.filter(({ type }) => type === "request.rejected")).toHaveLength(1);
    await closed;
  });

  it("an event stream does not hold up the end", async () => {
    const own = await startServer();
    const wire = openWire(own.port);
    wire.write(head(own.port, "GET /events"));
    await wire.until((text) => text.includes("events of"));
    await own.server.close(60_000);
    expect((await wire.closed()).endsWith("0\r\n\r\n")).toBe(true);
  });

  it("a second close cuts the first one's drain short, and both are over (F10)", async () => {
    const { own, wire } = await streaming();
    await Promise.all([own.server.close(60_000), own.server.close(0)]);
    expect((await wire.closed()).endsWith("0\r\n\r\n")).toBe(false);
  });

  it("the port is free again afterwards", async () => {
    const own = await startServer();
    await ask(own.port, post(own.port, "/v1/messages", {}, { "x-api-key": key }));
    await own.close();
    const again = await startServer({ port: own.port });
    await again.close();
  });
});
