// An answer as it arrives: HTTP on the wire, over bare sockets.
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { bodyOf, get, isWhole, post } from "./raw-client.ts";
import { reply } from "./raw-upstream.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();

describe("answers", () => {
  it("HEAD gives headers without a body, and the connection serves the next request (P14)", async () => {
    const { client } = await open(({ socket, head }) => socket.write(head.startsWith("HEAD") ? "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nx-a: b\r\n\r\n" : reply("200 OK", "next")));
    client.send(get("/v1/models", [], "HEAD"));
    const head = await client.until((text) => text.includes("\r\n\r\n"));
    expect(head).toMatch(/content-length: 11/i);
    client.send(get());
    const both = await client.until((text) => text.endsWith("next"));
    expect(both.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it.each(["204 No Content", "304 Not Modified"])("%s has no body and no length, and the next request is answered (P15)", async (status) => {
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

  it("a 103 before the answer is skipped, the body is whole (P16)", async () => {
    const { client } = await open(({ socket }) => socket.write(Buffer.concat([Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), reply("200 OK", "whole")])));
    client.send(post());
    const text = await client.until(isWhole);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text.endsWith("whole")).toBe(true);
  });

  it("an unasked 101 is a 502 (P17)", async () => {
    const { client } = await open(({ socket }) => socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"));
    client.send(post());
    expect(await client.until(isWhole)).toMatch(/^HTTP\/1\.1 502/);
  });

  it("header order, case and duplicates reach the client; hop-by-hop and CORS fields do not (P20)", async () => {
    const fields = [
      "Set-Cookie: a=1", "X-One: 1", "set-cookie: b=2", "Connection: x-hop", "X-Hop: gone", "Keep-Alive: timeout=5", "Access-Control-Allow-Origin: *",
      "x-claude-oauth-proxy-error: forged", "Request-Id: req_1",
    ];
    const { client } = await open(({ socket }) => socket.write(reply("200 OK", "x", fields)));
    client.send(post());
    const lines = (await client.until(isWhole)).split("\r\n\r\n")[0]?.split("\r\n").slice(1) ?? [];
    expect(lines.filter((line) => !/^(connection|keep-alive):/i.test(line))).toEqual(["Set-Cookie: a=1", "X-One: 1", "set-cookie: b=2", "Request-Id: req_1", "content-length: 1"]);
  });

  it("20 KiB of response headers are delivered (P27)", async () => {
    const { client } = await open(({ socket }) => socket.write(reply("200 OK", "x", [`x-large: ${"b".repeat(20 * 1024)}`])));
    client.send(post());
    expect(await client.until(isWhole)).toContain("b".repeat(20 * 1024));
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const)("a %s body keeps its bytes and its encoding, and is still metered (P28)", async (encoding, compress) => {
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

  it("a latin-1 byte in a header arrives as that byte (P30)", async () => {
    const { client } = await open(({ socket }) => socket.write(reply("200 OK", "x", [`x-name: caf${"\u00e9"}\u009b1m`])));
    client.send(post());
    expect(await client.until(isWhole)).toContain("x-name: caf\u00e9\u009b1m");
  });

  it("a redirect goes through and is not followed (S16)", async () => {
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
    const text = await client.until((seen) => seen.includes("502 Bad Gateway") && seen.endsWith("}\n"));
    expect(text.match(/Access-Control-Allow-Origin: https:\/\/app\.example/g)).toHaveLength(2);
  });
});
