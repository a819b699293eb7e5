// A request as it leaves: HTTP on the wire, over bare sockets.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { get, isWhole, openRawClient, post } from "./raw-client.ts";
import { chunk, lastChunk, reply } from "./raw-upstream.ts";
import type { RawAnswer } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

const answerOk: RawAnswer = ({ socket }) => socket.write(reply("200 OK", "fine"));
const sha = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("requests", () => {
  it("Expect: 100-continue with 5 MB gives one 100 and one final answer; the upstream sees no Expect (P12)", async () => {
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

  it("Connection may name x-foo away, never the credential we add (P18)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(post("{}", ["connection: x-foo, authorization", "x-foo: secret", "x-bar: stays"]));
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).not.toMatch(/x-foo/i);
    expect(head).toContain("x-bar: stays");
    expect(head).toContain("authorization: Bearer upstream-token");
  });

  it("TE, Trailer, Keep-Alive, Proxy-* and Transfer-Encoding are never passed on as they came (P19)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(
      "POST /v1/messages HTTP/1.1\r\nhost: x\r\nte: trailers\r\ntrailer: x-sum\r\nkeep-alive: timeout=9\r\n" +
        "proxy-authorization: Basic abc\r\nproxy-connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n",
    );
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).not.toMatch(/^(te|trailer|keep-alive|proxy-[a-z]+|x-sum):/im);
    expect(head.match(/transfer-encoding|content-length/gi)).toHaveLength(1);
    expect(up.requests[0]?.body.toString()).toBe("abc");
  });

  it("nothing is added for a missing User-Agent, and the query is byte for byte the client's (P21, P22)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(get("/v1/models?beta=true&a=%2F&a=;&%7e=~&x=[]"));
    await client.until(isWhole);
    const head = up.requests[0]?.head ?? "";
    expect(head).not.toMatch(/user-agent/i);
    expect(head.split("\r\n")[0]).toBe("GET /v1/models?beta=true&a=%2F&a=;&%7e=~&x=[] HTTP/1.1");
  });

  it("anthropic headers keep value, order and case; the OAuth capability is added once to the last list (P23)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(post("{}", ["X-First: 1", "Anthropic-Beta: a-1,b-2", "anthropic-version: 2099-01-01", "anthropic-beta: c-3", "X-Last: 2"]));
    await client.until(isWhole);
    const fields = (up.requests[0]?.head ?? "").split("\r\n").slice(3, -1);
    expect(fields).toEqual(["X-First: 1", "Anthropic-Beta: a-1,b-2", "anthropic-version: 2099-01-01", "anthropic-beta: c-3,oauth-2025-04-20", "X-Last: 2", "authorization: Bearer upstream-token"]);
  });

  it("a chunked body of any size arrives with the same bytes (P24)", async () => {
    const { client, upstream: up } = await open(answerOk);
    const parts = [Buffer.from("{"), Buffer.alloc(70_000, "x"), Buffer.from([0, 255, 13, 10]), Buffer.alloc(1_000_000, "y")];
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    for (const part of parts) client.send(chunk(part));
    client.send(lastChunk);
    await client.until(isWhole);
    expect(sha(up.requests[0]?.body ?? Buffer.alloc(0))).toBe(sha(Buffer.concat(parts)));
  });

  it("a body that ends before its length never reaches the upstream as a whole request (P25)", async () => {
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

  it("bytes beyond the length are a broken next request, not part of this one (P25)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc\u0001junk\r\n\r\n");
    await client.closed;
    expect(client.text()).toContain("HTTP/1.1 400");
    expect(up.requests.every(({ body }) => body.toString() === "abc")).toBe(true);
  });

  it("60 KiB of request headers go through (P26)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send(post("{}", [`x-large: ${"a".repeat(60 * 1024)}`]));
    await client.until(isWhole);
    expect(up.requests[0]?.head).toContain("a".repeat(60 * 1024));
  });

  it("a GET with a body is forwarded with that body (P29)", async () => {
    const { client, upstream: up } = await open(answerOk);
    client.send("GET /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello");
    await client.until(isWhole);
    expect(up.requests[0]?.body.toString()).toBe("hello");
  });

  it("the client's own credentials, cookies and forwarding fields never reach the upstream (S21, S22)", async () => {
    const { client, upstream: up } = await open(answerOk);
    const canaries = [
      "Authorization: Bearer CANARY", "X-Api-Key: CANARY", "Cookie: s=CANARY", "X-Forwarded-For: CANARY", "Forwarded: for=CANARY",
      "Proxy-Authorization: CANARY", "X-Claude-OAuth-Proxy-Key: CANARY",
    ];
    client.send(post("{}", canaries));
    await client.until(isWhole);
    expect(up.requests[0]?.head).not.toContain("CANARY");
    expect(up.requests[0]?.head.match(/authorization/gi)).toHaveLength(1);
  });

  it("api_base and base_url in a body lead nowhere else (S23)", async () => {
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
