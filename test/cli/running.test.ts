// Who is at a port: a proxy that proves that it knows our key, something else, or nothing; and which port is free. What
// has not proved itself is never shown the key, whatever it answers.
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { createServer as createSocketServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { KnownProxy } from "../../src/app/open-key.ts";
import { connectTo } from "../../src/cli/connection.ts";
import { bindFault, findRunning, lookAtPort } from "../../src/cli/running.ts";
import { secret } from "../../src/lib/secret.ts";
import { holdPort } from "../helpers/ports.ts";
import { startServer } from "../server/kit.ts";
import { localKey } from "./fake-context.ts";
import { answering, forged, health, proxyAnswers } from "./fake-proxy.ts";

const another = { key: "cop_another-key-0123456789" };

const query = (port: number, more: { readonly timeoutMs?: number; readonly proxies?: readonly KnownProxy[] } = {}) => ({
  host: "127.0.0.1", port, key: secret(localKey), proxies: [], connect: connectTo, timeoutMs: 10_000, ...more,
});
const look = (port: number) => findRunning(query(port));

const listening = async (server: Server, { host = "127.0.0.1", port = 0 } = {}): Promise<number> => {
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(port, host, resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
};

const known = (url: string, more: Partial<KnownProxy> = {}): KnownProxy => ({ pid: 1, url, forOneCommand: false, holdsOtherEnd: () => null, ...more });

describe("who is at the port", () => {
  it("is ours when it knows our key, another folder's when it refuses it as we do", async () => {
    const [ours, other] = [await proxyAnswers(), await proxyAnswers(another)];
    expect(await look(ours.port)).toMatchObject({ is: "ours", url: `http://127.0.0.1:${ours.port}`, health: { in_flight: 2 } });
    expect(await look(other.port)).toMatchObject({ is: "other-folder" });
  });

  it("is ours without any account", async () => {
    const { port } = await proxyAnswers({ health: { ...health, status: "sign-in-needed" } });
    expect(await look(port)).toMatchObject({ is: "ours", health: { status: "sign-in-needed" } });
  });

  it("is the real server, reached under a name, with the address that was reached (S3)", async () => {
    await using server = await startServer({ key: localKey });
    expect(await findRunning({ ...query(server.port), host: "localhost" })).toMatchObject({ is: "ours", url: `http://127.0.0.1:${server.port}` });
  });

  it("shows the key only where that is asked for, and on the connection that has proved itself (S3)", async () => {
    const { port, seen } = await proxyAnswers();
    await look(port);
    expect(seen.join()).not.toContain(localKey);
    const ports = new Set<unknown>();
    const server = await proxyAnswers({ state: { refreshes: [{ at: 1 }] } });
    await findRunning({ ...query(server.port), withKey: "timeline", connect: async (...to) => {
      const connection = await connectTo(...to);
      ports.add(connection.ends.localPort);
      return connection;
    } });
    expect(server.seen.map((head) => [head.split("\n")[0], head.includes(localKey)])).toEqual([["GET /api/hello", false], ["GET /health", true], ["GET /api/status", true]]);
    expect(ports.size).toBe(1);
  });

  it("is nothing on a port that refuses, and on port 0", async () => {
    const { port, release } = await holdPort();
    onTestFinished(release);
    expect([await look(port), await look(0)]).toEqual([{ is: "none" }, { is: "none" }]);
  });
});

describe("an impostor on the port", () => {
  it("that looks like a proxy in every field is asked nothing but the challenge (S3)", async () => {
    const { port, seen } = await forged();
    expect(await look(port)).toMatchObject({ is: "foreign" });
    expect(seen.map((head) => head.split("\n")[0])).toEqual(["GET /api/hello"]);
    expect(seen.join()).not.toContain(localKey);
  });

  it.each(["<html>", [], "null", { ok: true }, { proof: 1 }, { proof: "" }, "x".repeat(100_000)])("that answers with something else is foreign (S3): %j", async (body) => {
    const { port, seen } = await answering(() => [200, body]);
    expect(await look(port)).toMatchObject({ is: "foreign" });
    expect(seen).toHaveLength(1);
  });

  it("that replays an old proof is foreign (S3)", async () => {
    const real = await proxyAnswers();
    const { challenge } = await recorded(real.port);
    const replay = await answering(() => [200, { ok: true, proof: challenge }]);
    expect(await look(replay.port)).toMatchObject({ is: "foreign" });
  });

  it("that passes the challenge on to the real proxy on its own port is refused by that one (S3)", async () => {
    await using real = await startServer({ key: localKey });
    for (const rename of [(host: string) => host, () => `127.0.0.1:${real.port}`]) {
      const { server, passedOn } = relayTo("127.0.0.1", real.port, rename);
      const port = await listening(server);
      expect(["foreign", "other-folder"]).toContain((await look(port)).is);
      expect(passedOn.length).toBe(1);
    }
    expect(await look(real.port)).toMatchObject({ is: "ours" });
  });

  it("that has the same port on another loopback address is refused by the real one as well (S3)", async () => {
    await using real = await startServer({ key: localKey });
    const { server, passedOn } = relayTo("127.0.0.1", real.port, (host) => host);
    await listening(server, { host: "::1", port: real.port });
    expect(await findRunning({ ...query(real.port), host: "::1" })).toMatchObject({ is: "other-folder" });
    expect(passedOn).toMatchObject([{ headers: { host: `[::1]:${real.port}` } }]);
  });

  it("that closes the connection behind a good proof is not shown the key on another one (S3)", async () => {
    const real = await proxyAnswers();
    const { server, passedOn } = relayTo("127.0.0.1", real.port, (host) => host, { connection: "close" });
    const port = await listening(server);
    expect(await findRunning({ ...query(port), withKey: "timeline" })).toMatchObject({ is: "foreign" });
    expect(passedOn.map(({ url }) => url)).toEqual(["/api/hello"]);
  });

  it.each([
    ["accepts and says nothing", () => {}] as const,
    ["sends an answer without end, byte by byte", (write: (text: string) => void) => {
      write("HTTP/1.1 200 OK\r\n\r\n");
      const drip = setInterval(() => write("x"), 10);
      onTestFinished(() => clearInterval(drip));
    }],
  ])("that %s is waited for no longer than the limit (S3)", async (_, behave) => {
    const server = createSocketServer((socket) => {
      socket.on("error", () => {});
      behave((text) => void socket.write(text));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const began = performance.now();
    expect(await findRunning(query((server.address() as AddressInfo).port, { timeoutMs: 200 }))).toMatchObject({ is: "foreign" });
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

/** Asks as a command does and gives the proof that came. */
const recorded = async (port: number): Promise<{ readonly challenge: unknown }> => {
  let challenge: unknown;
  await findRunning({ ...query(port), connect: async (...to) => {
    const connection = await connectTo(...to);
    return { ...connection, ask: async (path, question) => {
      const answer = await connection.ask(path, question);
      challenge ??= (answer.body as { proof?: unknown }).proof;
      return answer;
    } };
  } });
  return { challenge };
};

/** A program that passes every request on to `port` of `host`, and the answer back. */
const relayTo = (host: string, port: number, rename: (host: string) => string, extra: Readonly<Record<string, string>> = {}) => {
  const passedOn: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    passedOn.push(request);
    const connection = await connectTo(`http://${host}:${port}`, 5000);
    const headers = { ...request.headers, host: rename(request.headers.host ?? "") } as unknown as Record<string, string>;
    const { status, errorCode, body } = await connection.ask(request.url ?? "", { headers, maxBytes: 65_536 });
    connection.close();
    response.writeHead(status, { ...(errorCode === null ? {} : { "x-claude-oauth-proxy-error": errorCode }), ...extra }).end(JSON.stringify(body));
  });
  return { server, passedOn };
};

describe("the proxies that the data folder knows", () => {
  it("are looked at before the configured port, and one that does not answer is passed over", async () => {
    const { port: gone, release } = await holdPort();
    onTestFinished(release);
    const [elsewhere, configured] = [await proxyAnswers(), await proxyAnswers()];
    const proxies = [known(`http://127.0.0.1:${gone}`), known(`http://127.0.0.1:${elsewhere.port}`)];
    expect(await findRunning(query(configured.port, { proxies }))).toMatchObject({ is: "ours", url: `http://127.0.0.1:${elsewhere.port}` });
    expect(configured.seen).toEqual([]);
  });

  it("come in the order of the file, unless one of them has the configured port", async () => {
    const [newest, configured] = [await proxyAnswers(), await proxyAnswers()];
    const proxies = [known(`http://127.0.0.1:${newest.port}`), known(`http://127.0.0.1:${configured.port}`)];
    expect(await findRunning(query(0, { proxies }))).toMatchObject({ url: `http://127.0.0.1:${newest.port}` });
    expect(await findRunning(query(configured.port, { proxies }))).toMatchObject({ url: `http://127.0.0.1:${configured.port}` });
  });

  it("are left out when they end with their command and a lasting one is asked for", async () => {
    const passing = await proxyAnswers();
    const proxies = [known(`http://127.0.0.1:${passing.port}`, { forOneCommand: true })];
    expect(await findRunning(query(0, { proxies }))).toMatchObject({ is: "ours" });
    expect(await findRunning({ ...query(0, { proxies }), lasting: true })).toEqual({ is: "none" });
  });

  it.each([
    [false, "foreign"],
    [true, "ours"],
    [null, "ours"],
  ])("are believed only when their process holds the other end of the connection, where the system says: %j is %s (S3)", async (holds, is) => {
    const { port } = await proxyAnswers();
    const proxies = [known(`http://127.0.0.1:${port}`, { holdsOtherEnd: () => holds })];
    expect(await findRunning(query(port, { proxies }))).toMatchObject({ is });
    expect((await lookAtPort(query(port, { proxies }))).other === null).toBe(is === "foreign");
  });
});

describe("a port that is taken", () => {
  it("is told apart: our own proxy, one with another folder, another program; each with the next port", async () => {
    const [ours, other, foreign] = [await proxyAnswers(), await proxyAnswers(another), await forged()];
    const looks = await Promise.all([ours, other, foreign].map(({ port }) => lookAtPort(query(port))));
    expect(looks.map(({ message }) => message)).toEqual([
      `Port ${ours.port} on 127.0.0.1 is taken by another claude-oauth-proxy of yours (version 0.1.0, this data folder).`,
      `Port ${other.port} on 127.0.0.1 is taken already: something else answers on this port; it refuses our local key, as a claude-oauth-proxy with another data folder does.`,
      `Port ${foreign.port} on 127.0.0.1 is taken already: something else answers on this port; it did not prove that it knows our local key.`,
    ]);
    expect(looks.map(({ other: proxy }) => proxy)).toEqual([{ version: "0.1.0", uptimeSeconds: 7500 }, null, null]);
    expect(looks.map(({ hint }) => hint.slice(0, 17))).toEqual(["It serves already", "If that one is yo", "Start on the next"]);
    for (const { nextPort, hint } of looks) expect(hint).toContain(`\`claude-oauth-proxy --port ${nextPort}\``);
    expect(looks[0]?.nextPort).toBeGreaterThan(ours.port);
    expect([...other.seen, ...foreign.seen].join()).not.toContain(localKey);
  });

  it("is a port on which this user cannot listen, with the system's reason", async () => {
    const { port } = await proxyAnswers();
    expect(await bindFault("127.0.0.1", port)).toBe("EADDRINUSE");
    expect(await bindFault("192.0.2.1", 0)).toBe("EADDRNOTAVAIL");
  });

  it("has no next one behind the last port of all", async () => {
    expect(await lookAtPort(query(65_535))).toMatchObject({ nextPort: null, hint: expect.stringContaining("Choose another one with --port.") });
  });
});
