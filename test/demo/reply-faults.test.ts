// Faults that change what is said: errors of every kind, compressed bodies, strange grants, recordings.
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import type { Upstream } from "../../src/demo/upstream.ts";
import { ask, eventsOf, exchangeFields, hello, oauthHeaders, refreshFields, start, token } from "./kit.ts";

const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync } as const;

/** The body as it came: `fetch` would decode it. */
const rawBody = (upstream: Upstream, change: object): Promise<{ encoding: string | undefined; chunks: Buffer[] }> =>
  new Promise((resolve, reject) => {
    const outgoing = request(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers: oauthHeaders(upstream.issueTokens().accessToken) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve({ encoding: response.headers["content-encoding"], chunks }));
    });
    outgoing.once("error", reject);
    outgoing.end(JSON.stringify({ ...hello, ...change }));
  });

describe("compressed bodies", () => {
  it.each(["gzip", "br", "zstd"] as const)("%s decodes to the plain answer, JSON and stream", async (encoding) => {
    const upstream = await start();
    for (const change of [{}, { stream: true }]) {
      const plain = Buffer.concat((await rawBody(upstream, change)).chunks);
      upstream.script({ fault: { kind: "encoding", encoding } });
      const coded = await rawBody(upstream, change);
      expect(coded.encoding).toBe(encoding);
      expect(decoders[encoding](Buffer.concat(coded.chunks)).toString()).toBe(plain.toString());
    }
  });

  it("flushes after each event, so that a reader can follow", async () => {
    // The second event would come after a minute.
    const upstream = await start({ chunkDelayMs: 60_000 });
    for (const encoding of ["gzip", "br"] as const) {
      upstream.script({ fault: { kind: "encoding", encoding } });
      const response = await ask(upstream, { stream: true });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      expect((await reader?.read())?.value).toMatch(/^event: message_start\ndata: .*\n\n$/);
      await reader?.cancel();
    }
  });

  it("can be a lie", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "encoding", encoding: "gzip", wrong: true } });
    const { encoding, chunks } = await rawBody(upstream, {});
    expect([encoding, Buffer.concat(chunks).toString().startsWith("{")]).toEqual(["gzip", true]);
  });
});

describe("streams that end badly", () => {
  it("break with an error event after 200", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "stream-error", type: "api_error", message: "\u001b[2J\u001b]52;c;x\u0007", afterEvents: 2 } });
    const response = await ask(upstream, { stream: true });
    const events = eventsOf(await response.text());
    expect([response.status, events.length]).toEqual([200, 3]);
    expect(events[2]).toEqual({ type: "error", error: { type: "api_error", message: "\u001b[2J\u001b]52;c;x\u0007" } });
  });

  it("stop after message_delta", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "no-message-stop" } });
    expect(eventsOf(await (await ask(upstream, { stream: true })).text()).at(-1)?.type).toBe("message_delta");
  });
});

describe("other answers", () => {
  it.each([
    [{ kind: "overloaded" }, 529, "overloaded_error"],
    [{ kind: "throttle" }, 429, "rate_limit_error"],
    [{ kind: "status", status: 500 }, 500, "api_error"],
    [{ kind: "status", status: 403 }, 403, "permission_error"],
  ] as const)("%o", async (fault, status, type) => {
    const upstream = await start();
    upstream.script({ fault });
    const response = await ask(upstream);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { type }, request_id: response.headers.get("request-id") }]);
  });

  it("are a page of the CDN, a redirect that is not followed, a body of one's own, or nothing", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "cdn-html", status: 403 } });
    expect([(await ask(upstream)).headers.get("content-type")]).toEqual(["text/html; charset=UTF-8"]);
    upstream.script({ fault: { kind: "redirect", location: "https://evil.example/", status: 307 } });
    const redirect = await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", redirect: "manual" });
    expect([redirect.status, redirect.headers.get("location")]).toEqual([307, "https://evil.example/"]);
    upstream.script({ fault: { kind: "status", status: 418, body: "teapot", headers: [["x-should-retry", "false"]] } });
    const own = await ask(upstream);
    expect([own.status, own.headers.get("x-should-retry"), await own.text()]).toEqual([418, "false", "teapot"]);
    upstream.script({ fault: { kind: "status", status: 204 } });
    const empty = await ask(upstream);
    expect([empty.status, empty.headers.get("content-length"), await empty.text()]).toEqual([204, null, ""]);
  });

  it("are replayed from a recording, header by header and chunk by chunk", async () => {
    const upstream = await start();
    upstream.script({
      fault: { kind: "recorded", status: 200, headers: [["Content-Type", "text/event-stream"], ["X-Odd", "1"]], chunks: [{ bytes: "event: ping\n" }, { bytes: "data: {}\n\n", delayMs: 2 }] },
    });
    const response = await ask(upstream, { stream: true });
    expect([response.headers.get("x-odd"), await response.text()]).toEqual(["1", "event: ping\ndata: {}\n\n"]);
    expect(upstream.requests[0]).toMatchObject({ streaming: true, status: 200 });
  });
});

describe("the token endpoint", () => {
  it("is scripted for one kind of grant without harm to the other", async () => {
    const upstream = await start();
    upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "status", status: 500 } });
    expect((await token(upstream, refreshFields(upstream.issueTokens().refreshToken))).status).toBe(200);
    expect((await token(upstream, await exchangeFields(upstream))).status).toBe(500);
  });

  it("can grant without a refresh token, or with a strange lifetime", async () => {
    const upstream = await start();
    const { refreshToken } = upstream.issueTokens();
    upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "json", omit: ["refresh_token"], set: { expires_in: "soon" } } });
    const { body } = await token(upstream, refreshFields(refreshToken));
    expect(body).toMatchObject({ expires_in: "soon", access_token: expect.any(String) });
    expect(body).not.toHaveProperty("refresh_token");
  });

  it("can lose its answer after the token was spent", async () => {
    const upstream = await start();
    const { refreshToken } = upstream.issueTokens();
    upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "answer-lost" } });
    await expect(token(upstream, refreshFields(refreshToken))).rejects.toThrow();
    expect((await token(upstream, refreshFields(refreshToken))).body["error"]).toBe("invalid_grant");
    expect(upstream.tokenCalls().refresh_token).toBe(2);
  });

  it("can fail without spending the token", async () => {
    const upstream = await start();
    const { refreshToken } = upstream.issueTokens();
    upstream.script({ match: { path: "/v1/oauth/token" }, times: 2, fault: { kind: "status", status: 500 } });
    upstream.script({ match: { path: "/v1/oauth/token" }, fault: { kind: "refuse" } });
    expect((await token(upstream, refreshFields(refreshToken))).status).toBe(500);
    expect((await token(upstream, refreshFields(refreshToken))).status).toBe(500);
    await expect(token(upstream, refreshFields(refreshToken))).rejects.toThrow();
    expect((await token(upstream, refreshFields(refreshToken))).status).toBe(200);
  });
});
