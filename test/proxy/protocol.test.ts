// HTTP as it stands on the wire, in both directions, over bare sockets.
import { createHash } from "node:crypto";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { bodyOf, get, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, reply } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();
const answerOk: RawAnswer = ({ socket }) => socket.write(reply("200 OK", "fine"));
const sha = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("requests", () => {
  it("P12 Expect: 100-continue with 5 MB gives one 100 and one final answer; the upstream sees no Expect", async () => {
    const { client, upstream: up } = await open(answerOk);
    const body = Buffer.alloc(5 * 1024 * 1024, "a");
    client.send(`POST /v1/messages HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`);
    await client.until((text) => text.includes("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send(body);
    const text = await client.until((seen) => seen.includes("fine"));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
    expect(up.requests[0]?.head).not.toMatch(/expect/i);
    expect(sha(up.requests[0]?.body ?? Buffer.alloc(0))).toBe(sha(body));
  });

  it("P18 Connection may name x-foo away, never the credential we add", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(post("{}", ["connection: x-foo, authorization", "x-foo: secret", "x-bar: stays"]));
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).not.toMatch(/x-foo/i);
    expect(head).toContain("x-bar: stays");
    expect(head).toContain("authorization: Bearer upstream-token");
  });

  it("P19 TE, Trailer, Keep-Alive, Proxy-* and Transfer-Encoding are never passed on as they came", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(
      `POST /v1/messages HTTP/1.1\r\nhost: x\r\nte: trailers\r\ntrailer: x-sum\r\nkeep-alive: timeout=9\r\nproxy-authorization: Basic abc\r\nproxy-connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n`,
    );
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).not.toMatch(/^(te|trailer|keep-alive|proxy-[a-z]+|x-sum):/im);
    expect(head.match(/transfer-encoding|content-length/gi)).toHaveLength(1);
    expect(up.requests[0]?.body.toString()).toBe("abc");
  });

  it("P21 P22 nothing is added for a missing User-Agent, and the query is byte for byte the client's", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(get("/v1/models?beta=true&a=%2F&a=;&%7e=~&x=[]"));
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).not.toMatch(/user-agent/i);
    expect(head.split("\r\n")[0]).toBe("GET /v1/models?beta=true&a=%2F&a=;&%7e=~&x=[] HTTP/1.1");
  });

  it("P23 anthropic headers keep value, order and case; the OAuth capability is added once to the last list", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(post("{}", ["X-First: 1", "Anthropic-Beta: a-1,b-2", "anthropic-version: 2099-01-01", "anthropic-beta: c-3", "X-Last: 2"]));
    await client.until(isWhole);
    const fields = (up.requests[0]?.head ?? "").split("\r\n").slice(3, -1);
    expect(fields).toEqual(["X-First: 1", "Anthropic-Beta: a-1,b-2", "anthropic-version: 2099-01-01", "anthropic-beta: c-3,oauth-2025-04-20", "X-Last: 2", "authorization: Bearer upstream-token"]);
  });

  it("P24 a chunked body of any size arrives with the same bytes", async () => {
    const { client, upstream: up } = await open(answerOk);
    const parts = [Buffer.from("{"), Buffer.alloc(70_000, "x"), Buffer.from([0, 255, 13, 10]), Buffer.alloc(1_000_000, "y")];
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    for (const part of parts) client.send(chunk(part));
    client.send(lastChunk);
    await client.until(isWhole);
    expect(sha(up.requests[0]?.body ?? Buffer.alloc(0))).toBe(sha(Buffer.concat(parts)));
  });

  it("P25 a body that ends before its length never reaches the upstream as a whole request", async () => {
    const seen: Buffer[] = [];
    const { client: small, harness: h, upstream: up } = await open(answerOk, { onBytes: (_, bytes) => seen.push(bytes) });
    small.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
    small.socket.end();
    await small.closed;
    expect(seen).toEqual([]);
    const large = await openRawClient(h.port);
    large.send(`POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n${"a".repeat(1_000_000)}`);
    await up.until(() => seen.length > 0);
    large.socket.end();
    await large.closed;
    await up.until(() => up.open() === 0);
    expect(up.requests).toEqual([]);
  });

  it("P25 bytes beyond the length are a broken next request, not part of this one", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc\u0001junk\r\n\r\n");
    await client.closed;
    expect(client.text()).toContain("HTTP/1.1 400");
    expect(up.requests.every(({ body }) => body.toString() === "abc")).toBe(true);
  });

  it("P26 64 KiB of request headers go through", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(post("{}", [`x-large: ${"a".repeat(64 * 1024)}`]));
    await client.until(isWhole);
    expect(up.requests[0]?.head).toContain("a".repeat(64 * 1024));
  });

  it("P29 a GET with a body is forwarded with that body", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send("GET /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello");
    await client.until(isWhole);
    expect(up.requests[0]?.body.toString()).toBe("hello");
  });

  it("S21 S22 the client's own credentials, cookies and forwarding fields never reach the upstream", async () => {
    const { client, upstream: up } = await open(answerOk);
    const canaries = ["Authorization: Bearer CANARY", "X-Api-Key: CANARY", "Cookie: s=CANARY", "X-Forwarded-For: CANARY", "Forwarded: for=CANARY", "Proxy-Authorization: CANARY", "X-Claude-OAuth-Proxy-Key: CANARY"];
    client.send(post("{}", canaries));
    await client.until(isWhole);
    expect(up.requests[0]?.head).not.toContain("CANARY");
    expect(up.requests[0]?.head.match(/authorization/gi)).toHaveLength(1);
  });

  it("S23 api_base and base_url in a body lead nowhere else", async () => {
    const { client, upstream: up } = await open(answerOk);
    const body = '{"model":"m","api_base":"http://127.0.0.1:9/","base_url":"http://evil.example"}';
    client.send(post(body));
    await client.until(isWhole);
    expect(up.requests[0]?.body.toString()).toBe(body);
  });

  it("in pass-through mode the client's own login goes through and nothing is added", async () => {
    const { client, upstream: up } = await open(answerOk, { credentials: null });
    client.send(post("{}", ["Authorization: Bearer own", "x-claude-oauth-proxy-key: local"]));
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).toContain("Authorization: Bearer own");
    expect(head).not.toMatch(/anthropic|x-claude-oauth-proxy/i);
  });
});

describe("answers", () => {
  it("P14 HEAD gives headers without a body, and the connection serves the next request", async () => {
    const { client } = await open(({ socket, head }) => socket.write(head.startsWith("HEAD") ? "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nx-a: b\r\n\r\n" : reply("200 OK", "next")));
    client.send(get("/v1/models", [], "HEAD"));
    const head = await client.until((text) => text.includes("\r\n\r\n"));
    expect(head).toMatch(/content-length: 11/i);
    client.send(get());
    const both = await client.until((text) => text.endsWith("next"));
    expect(both.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it.each(["204 No Content", "304 Not Modified"])("P15 %s has no body and no length, and the next request is answered", async (status) => {
    let first = true;
    const { client } = await open(({ socket }) => {
      if (first) socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 5\r\nx-a: b\r\n\r\n`);
      else socket.write(reply("200 OK", "next"));
      first = false;
    });
    client.send(get());
    const head = await client.until((text) => text.includes("\r\n\r\n"));
    expect(head).not.toMatch(/content-length|transfer-encoding/i);
    client.send(get());
    expect((await client.until((text) => text.endsWith("next"))).match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status.slice(0, 3)}`, "HTTP/1.1 200"]);
  });

  it("P16 a 103 before the answer is skipped, the body is whole", async () => {
    const { client } = await open(({ socket }) => socket.write(Buffer.concat([Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), reply("200 OK", "whole")])));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text.endsWith("whole")).toBe(true);
  });

  it("P17 an unasked 101 is a 502", async () => {
    const { client } = await open(({ socket }) => socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"));
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 502/);
  });

  it("P20 header order, case and duplicates reach the client; hop-by-hop and CORS fields do not", async () => {
    const fields = ["Set-Cookie: a=1", "X-One: 1", "set-cookie: b=2", "Connection: x-hop", "X-Hop: gone", "Keep-Alive: timeout=5", "Access-Control-Allow-Origin: *", "x-claude-oauth-proxy-error: forged", "Request-Id: req_1"];
    const { client } = await open(({ socket }) => socket.write(reply("200 OK", "x", fields)));
    client.send(post());
    const lines = (await client.until(isWhole)).split("\r\n\r\n")[0]?.split("\r\n").slice(1) ?? [];
    expect(lines.filter((line) => !/^(connection|keep-alive):/i.test(line))).toEqual(["Set-Cookie: a=1", "X-One: 1", "set-cookie: b=2", "Request-Id: req_1", "content-length: 1"]);
  });

  it("P27 20 KiB of response headers are delivered", async () => {
    const { client } = await open(({ socket }) => socket.write(reply("200 OK", "x", [`x-large: ${"b".repeat(20 * 1024)}`])));
    client.send(post());
    expect(await client.until(isWhole)).toContain("b".repeat(20 * 1024));
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const)("P28 a %s body keeps its bytes and its encoding, and is still metered", async (encoding, compress) => {
    const message = JSON.stringify({ model: "claude-x", usage: { input_tokens: 7, output_tokens: 9 } });
    const body = compress(Buffer.from(message));
    const { client, harness: h } = await open(({ socket }) => socket.write(reply("200 OK", body, [`content-encoding: ${encoding}`, "content-type: application/json"])));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toContain(`content-encoding: ${encoding}`);
    expect(bodyOf(client.received()).equals(body)).toBe(true);
    await h.finished();
    expect(h.of("usage.updated")[0]).toMatchObject({ model: "claude-x", inputTokens: 7, outputTokens: 9 });
  });

  it("P30 a latin-1 byte in a header arrives as that byte", async () => {
    const { client } = await open(({ socket }) => socket.write(reply("200 OK", "x", [`x-name: caf${"\u00e9"}\u009b1m`])));
    client.send(post());
    expect(await client.until(isWhole)).toContain("x-name: caf\u00e9\u009b1m");
  });

  it("S16 a redirect goes through and is not followed", async () => {
    const { client, upstream: up } = await open(({ socket }) => socket.write(reply("307 Temporary Redirect", "", ["location: http://127.0.0.1:1/steal"])));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 307[\s\S]*location: http:\/\/127\.0\.0\.1:1\/steal/);
    expect(up.requests).toHaveLength(1);
  });

  it("the fields of our own (CORS) are added to upstream answers and to our errors alike", async () => {
    let first = true;
    const { client } = await open(
      ({ socket }) => {
        if (first) socket.write(reply("200 OK", "x"));
        else socket.destroy();
        first = false;
      },
      { answerHeaders: ["Access-Control-Allow-Origin", "https://app.example"] },
    );
    client.send(post());
    await client.until(isWhole);
    client.send(post());
    const text = await client.until((seen) => seen.includes("502 Bad Gateway") && seen.endsWith("}"));
    expect(text.match(/Access-Control-Allow-Origin: https:\/\/app\.example/g)).toHaveLength(2);
  });
});
