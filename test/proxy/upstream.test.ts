// The way out: certificates, outbound proxies, and which base URLs are allowed at all.
import { createSecureServer as createHttp2Server } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import { createUpstream } from "../../src/proxy/upstream.ts";
import { eventually } from "../helpers/eventually.ts";
import { selfSigned } from "../demo/certificate.ts";
import type { Certificate } from "../demo/certificate.ts";
import { openHarness } from "./harness.ts";
import type { HarnessOptions } from "./harness.ts";
import { get, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, openRawUpstream, reply, streamHead } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const listen = async (server: Server, seen: Set<Socket> = new Set()): Promise<number> => {
  server.on("connection", (socket: Socket) => {
    seen.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of seen) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};

const openTls = async (certificate: Certificate): Promise<{ port: number; requests: string[] }> => {
  const requests: string[] = [];
  const server = createTlsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
    request.resume();
    response.end("over TLS");
  });
  server.on("tlsClientError", () => {});
  return { port: await listen(server), requests };
};

const ask = async (options: HarnessOptions): Promise<string> => {
  const harness = await openHarness(options);
  closing.push(harness.close);
  const client = await openRawClient(harness.port);
  client.send(post());
  return client.until(isWhole);
};

const from = (baseUrl: string) => () => createUpstream({ baseUrl, connectTimeoutMs: 1, connections: 1, proxy: null, ca: null }, {});

/** A forward proxy that tunnels whatever name it is asked for to this machine. */
const openProxy = async (status = "200 Connection Established"): Promise<{ port: number; heads: string[] }> => {
  const heads: string[] = [];
  const seen = new Set<Socket>();
  const server = createServer((socket) => {
    socket.once("data", (data) => {
      heads.push(data.toString("latin1"));
      socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
      if (!status.startsWith("200")) return void socket.once("close", () => heads.push("closed"));
      const target = connect(Number(/:(\d+) HTTP/.exec(data.toString())?.[1]), "127.0.0.1");
      seen.add(target);
      target.on("error", () => socket.destroy());
      socket.pipe(target).pipe(socket);
    });
  });
  return { port: await listen(server, seen), heads };
};

describe("certificates", () => {
  it("an upstream whose authority is in the CA file is trusted", async () => {
    const certificate = selfSigned();
    const { port } = await openTls(certificate);
    expect(await ask({ baseUrl: `https://127.0.0.1:${port}`, out: { ca: certificate.cert } })).toMatch(/^HTTP\/1\.1 200[\s\S]*over TLS/);
  });

  it.each([
    ["self-signed", selfSigned(), false, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["expired", selfSigned({ from: Date.now() - 9e6, until: Date.now() - 1e6 }), true, "CERT_HAS_EXPIRED"],
    ["made for another name", selfSigned({ names: ["other.example"] }), true, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ] as const)("a certificate that is %s is a 502, and no token is sent (S17)", async (_, certificate, known, reason) => {
    const { port, requests } = await openTls(certificate);
    const text = await ask({ baseUrl: `https://127.0.0.1:${port}`, out: { ca: known ? certificate.cert : null }, settings: { retry: { maxRetries: 2, delayMs: 60_000, statuses: [] } } });
    expect(text).toMatch(/^HTTP\/1\.1 502/);
    expect(text).toContain(`is not trusted (${reason}); nothing was sent`);
    expect(requests).toEqual([]);
  });

  it("a body over TLS whose end only the end of the connection marks never looks complete, because it may have been cut", async () => {
    const certificate = selfSigned();
    const server = createTlsServer({ key: certificate.key, cert: certificate.cert });
    server.on("secureConnection", (socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhalf")));
    const harness = await openHarness({ baseUrl: `https://127.0.0.1:${await listen(server)}`, out: { ca: certificate.cert } });
    closing.push(harness.close);
    const client = await openRawClient(harness.port);
    client.send(post());
    await client.closed;
    expect(client.text()).toMatch(/^HTTP\/1\.1 200[\s\S]*half\r\n$/);
    expect((await harness.finished())[0]).toMatchObject({ outcome: "failed", errorCode: "upstream-broken", message: expect.stringContaining("CLOSE_WITHOUT_LENGTH") as unknown });
  });

  it("an answer to HEAD and a 304 over TLS have no body to be cut", async () => {
    const certificate = selfSigned();
    const server = createTlsServer({ key: certificate.key, cert: certificate.cert });
    server.on("secureConnection", (socket) => socket.on("data", (seen: Buffer) => socket.write(seen.toString().startsWith("HEAD") ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 304 Not Modified\r\n\r\n")));
    const harness = await openHarness({ baseUrl: `https://127.0.0.1:${await listen(server)}`, out: { ca: certificate.cert } });
    closing.push(harness.close);
    const client = await openRawClient(harness.port);
    client.send(get("/v1/models", [], "HEAD"));
    await harness.finished();
    client.send(get());
    expect((await harness.finished(2)).map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
  });

  it("something that does not speak TLS is named as that (F2)", async () => {
    const upstream = await openRawUpstream(() => {}, (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    closing.push(upstream.close);
    const text = await ask({ baseUrl: `https://127.0.0.1:${upstream.port}` });
    expect(text).toMatch(/^HTTP\/1\.1 502[\s\S]*No TLS connection with .* could be agreed/);
  });

  it("NODE_TLS_REJECT_UNAUTHORIZED=0 refuses to start (S18)", () => {
    const settings = { baseUrl: "https://api.anthropic.com", connectTimeoutMs: 1, connections: 1, proxy: null, ca: null };
    expect(() => createUpstream(settings, { NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toThrow(/unchecked server/);
  });

  it("http: beyond loopback, paths, users and other schemes are refused (S19)", () => {
    expect(from("http://api.anthropic.com")).toThrow(/not encrypted/);
    expect(from("http://127.0.0.1.nip.example")).toThrow(/not encrypted/);
    expect(from("https://api.anthropic.com/v1")).toThrow(/origin without path/);
    expect(from("https://user:pw@api.anthropic.com")).toThrow(/origin without path/);
    expect(from("ftp://api.anthropic.com")).toThrow(/not an http/);
    expect(from("http://[::1]:4000")).not.toThrow();
  });

  it("the token endpoint's fetch obeys the same rules and follows no redirect", async () => {
    const upstream = await openRawUpstream(({ socket }) => socket.write(reply("302 Found", "", ["location: http://127.0.0.1:1/"])));
    closing.push(upstream.close);
    const out = createUpstream({ baseUrl: upstream.baseUrl, connectTimeoutMs: 1000, connections: 1, proxy: null, ca: null }, {});
    closing.push(() => out.close());
    expect((await out.fetch(`${upstream.baseUrl}/token`, { method: "POST", body: "a=1" })).status).toBe(302);
    await expect(out.fetch("http://tokens.example/")).rejects.toThrow(/not encrypted/);
  });
});

describe("an outbound proxy", () => {
  it("HTTPS_PROXY is tunnelled through; the token never stands on that hop, the proxy's password does (F16)", async () => {
    const certificate = selfSigned({ names: ["upstream.example"] });
    const { port, requests } = await openTls(certificate);
    const proxy = await openProxy();
    const env = { HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${proxy.port}` };
    const text = await ask({ baseUrl: `https://upstream.example:${port}`, out: { ca: certificate.cert }, env });
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(requests).toEqual(["POST /v1/messages Bearer upstream-token"]);
    expect(proxy.heads[0]).toContain(`CONNECT upstream.example:${port} HTTP/1.1`);
    expect(proxy.heads[0]).toContain(`proxy-authorization: Basic ${Buffer.from("user:p@ss").toString("base64")}`);
    expect(proxy.heads.join("")).not.toContain("upstream-token");
  });

  it("NO_PROXY and loopback go around it (F16)", async () => {
    const certificate = selfSigned();
    const { port } = await openTls(certificate);
    const proxy = await openProxy();
    await ask({ baseUrl: `https://127.0.0.1:${port}`, out: { ca: certificate.cert }, env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } });
    expect(proxy.heads).toEqual([]);
    const text = await ask({ baseUrl: "https://no.such.invalid", env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: ".such.invalid" } });
    expect(text).toContain("could not be looked up");
    expect(proxy.heads).toEqual([]);
  });

  it("a proxy that wants a password is named with the variable that chose it, and nothing is tried again (F16)", async () => {
    const proxy = await openProxy("407 Proxy Authentication Required");
    const text = await ask({
      baseUrl: "https://upstream.example", env: { https_proxy: `http://me:secret@127.0.0.1:${proxy.port}` },
      settings: { retry: { maxRetries: 3, delayMs: 60_000, statuses: [] } },
    });
    expect(text).toMatch(/^HTTP\/1\.1 502/);
    expect(text).toContain(`http://127.0.0.1:${proxy.port} (from https_proxy) wants a user name and a password (407)`);
    expect(text).not.toContain("secret");
    await eventually(() => proxy.heads.length, (count) => count === 2);
    expect(proxy.heads[1]).toBe("closed");
  });

  it("a proxy that is not there is named too", async () => {
    const text = await ask({ baseUrl: "https://upstream.example", out: { proxy: "http://127.0.0.1:1" } });
    expect(text).toMatch(/outbound proxy http:\/\/127\.0\.0\.1:1 \(from upstream\.proxy\) could not be reached: ECONNREFUSED/);
  });
});

describe("connections", () => {
  it("HTTP/2 is never negotiated", async () => {
    const certificate = selfSigned();
    const versions: string[] = [];
    const server = createHttp2Server({ key: certificate.key, cert: certificate.cert, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion);
      response.end("x");
    });
    const port = await listen(server);
    await ask({ baseUrl: `https://127.0.0.1:${port}`, out: { ca: certificate.cert } });
    expect(versions).toEqual(["1.1"]);
  });

  it("a request that cannot be sent at all gives its place back", async () => {
    const upstream = await openRawUpstream(({ socket }) => socket.write(reply("200 OK", "x")));
    closing.push(upstream.close);
    const out = createUpstream({ baseUrl: upstream.baseUrl, connectTimeoutMs: 1000, connections: 1, proxy: null, ca: null }, {});
    closing.push(() => out.close());
    const send = async (method: string): Promise<string> => {
      const answer = await out.request({ baseUrl: null, method, path: "/v1/x", headers: [], body: null, signal: new AbortController().signal, onSent() {} });
      await answer.read(() => {});
      return `${answer.status}`;
    };
    await expect(send("BAD METHOD")).rejects.toMatchObject({ code: "UND_ERR_INVALID_ARG" });
    expect(await send("GET")).toBe("200");
  });

  it("open streams leave their places to plain requests, of which no more than the setting says run at once", async () => {
    const running: Socket[] = [];
    let most = 0;
    const { client, harness, upstream } = await open(
      ({ socket, body }) => {
        if (body.toString() === "stream") return void socket.write(streamHead + chunk("data: 1\n\n").toString());
        running.push(socket);
        if (running.length < 2) return;
        // A third that came now would be counted.
        setImmediate(() => {
          most = Math.max(most, running.length);
          for (const one of running.splice(0)) one.write(reply("200 OK", "plain"));
        });
      },
      { out: { connections: 2 } },
    );
    const streams = [client, await openRawClient(harness.port), await openRawClient(harness.port)];
    for (const one of streams) one.send(post("stream"));
    await Promise.all(streams.map((one) => one.until((text) => text.includes("data: 1"))));
    const plain = await Promise.all(Array.from({ length: 8 }, () => openRawClient(harness.port)));
    for (const one of plain) one.send(post("plain"));
    await Promise.all(plain.map((one) => one.until(isWhole)));
    expect(most).toBe(2);
    expect(upstream.open()).toBeLessThanOrEqual(3 + 2 * 2);
    for (const one of streams) one.socket.destroy();
    await harness.finished(11);
  });

  it("a request that leaves the line before its turn is never sent", async () => {
    const { client, harness, upstream } = await open(() => {}, { out: { connections: 1 } });
    client.send(post("first"));
    await upstream.until((up) => up.requests.length === 1);
    const second = await openRawClient(harness.port);
    second.send(post("second"));
    await harness.until(() => harness.of("attempt.started").length === 2);
    second.socket.destroy();
    await harness.finished();
    upstream.requests[0]?.socket.write(reply("200 OK", "x"));
    await client.until(isWhole);
    await harness.finished(2);
    expect(upstream.requests).toHaveLength(1);
  });

  it("after a suspend new requests take new connections, open ones keep theirs", async () => {
    const { client, harness, upstream } = await open(({ socket, body }) => void socket.write(body.toString() === "stream" ? streamHead + chunk("data: 1\n\n").toString() : reply("200 OK", "plain")));
    client.send(post("stream"));
    await client.until((text) => text.includes("data: 1"));
    harness.upstream.renewConnections();
    const plain = await openRawClient(harness.port);
    plain.send(post("plain"));
    await plain.until(isWhole);
    upstream.requests[0]?.socket.write(Buffer.concat([chunk("data: 2\n\n"), Buffer.from(lastChunk)]));
    await client.until(isWhole);
    expect(upstream.connections()).toBe(2);
    expect((await harness.finished(2)).map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
  });
});
