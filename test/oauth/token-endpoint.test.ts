import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "../../src/demo/faults.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { secret } from "../../src/lib/secret.ts";
import type { Secret } from "../../src/lib/secret.ts";
import type { TokenAnswer } from "../../src/messages/tokens.ts";
import { createTokenEndpoint } from "../../src/oauth/token-endpoint.ts";
import { clientId, postDeps, settingsFor, startUpstream } from "./simulated.ts";

let upstream: Upstream;
const endpoint = createTokenEndpoint(postDeps);

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.clearScript());
afterAll(() => upstream.close());

const refresh = (token = upstream.issueTokens().refreshToken ?? secret("")): Promise<TokenAnswer> =>
  endpoint.refresh({ tokenUrl: settingsFor(upstream).tokenUrl, clientId, refreshToken: token });

const faced = (...fault: Fault[]): Promise<TokenAnswer> => {
  upstream.script({ match: { grant: "refresh_token" }, fault });
  return refresh();
};

const status = (code: number, body: unknown, headers: [string, string][] = []): Fault => ({ kind: "status", status: code, body, headers });

describe("a refresh", () => {
  it("sends what the server asks for, under our own name, and reads the whole grant", async () => {
    const before = Date.now();
    const answer = await refresh();
    if (answer.outcome !== "granted") throw new Error(JSON.stringify(answer));
    expect(answer.grant.accessToken.reveal()).toMatch(/^sk-ant-oat01-/);
    expect(answer.grant.refreshToken?.reveal()).toMatch(/^sk-ant-ort01-/);
    expect(answer.grant.expiresAt).toBeGreaterThanOrEqual(before + 28_800_000);
    expect(answer.grant).toMatchObject({
      scopes: ["org:create_api_key", "user:profile", "user:inference"],
      organization: { name: "Ada Example's Organization" },
      account: { emailAddress: "ada@example.com" },
    });
    const seen = upstream.requests.at(-1);
    const header = (name: string): string | undefined => seen?.rawHeaders[seen.rawHeaders.findIndex((each) => each.toLowerCase() === name) + 1];
    const names = ["content-type", "anthropic-beta", "user-agent", "accept"];
    expect(names.map(header)).toEqual(["application/json", "oauth-2025-04-20", "claude-oauth-proxy/0.0.0-test", "application/json"]);
    expect(Object.keys(JSON.parse(String(seen?.body)) as object)).toEqual(["grant_type", "refresh_token", "client_id"]);
  });

  it("with a spent token is refused in the server's words, without the token in them (A6)", async () => {
    const token = upstream.issueTokens().refreshToken ?? secret("");
    await refresh(token);
    expect(await refresh(token)).toEqual({ outcome: "refused", errorCode: "invalid_grant", message: "Refresh token not found or invalid", status: 400 });
  });

  it("an answer without a refresh token has none (A15)", async () => {
    expect(await faced({ kind: "json", omit: ["refresh_token"] })).toMatchObject({ outcome: "granted", grant: { refreshToken: null } });
  });
});

const slowDown = { type: "error", error: { type: "rate_limit_error", message: "Slow down" } };

describe("answers that may pass by themselves (A7)", () => {
  it.each<[string, Fault, Partial<Extract<TokenAnswer, { outcome: "later" }>>]>([
    ["429 with Retry-After in seconds", status(429, slowDown, [["retry-after", "17"]]), { errorCode: "rate_limit_error", message: "Slow down (429)", status: 429, retryAfterMs: 17_000 }],
    ["429 in the other envelope", status(429, { error: "slow_down" }), { errorCode: "slow_down", retryAfterMs: null }],
    ["500", status(500, { type: "error", error: { type: "api_error", message: "Internal" } }), { errorCode: "api_error", status: 500 }],
    ["404, the old host", status(404, { type: "error", error: { type: "not_found_error", message: "Not found" } }), { errorCode: "not_found_error" }],
    ["403, a network that is not liked today", status(403, { error: { type: "forbidden", message: "Request not allowed" } }), { errorCode: "forbidden" }],
    ["403 that speaks of authentication", status(403, { type: "error", error: { type: "authentication_error", message: "Blocked" } }), { errorCode: "authentication_error" }],
    ["400 that is no JSON", status(400, "<h1>Bad</h1>", [["content-type", "text/html; charset=utf-8"]]), { errorCode: "http-400", status: 400 }],
    ["200 with a page", status(200, "<h1>Hotel Wi-Fi</h1>", [["content-type", "text/html"]]), { errorCode: "http-200", status: 200 }],
    ["a redirect, which is not followed", { kind: "redirect", location: "http://127.0.0.1:1/steal", status: 307 }, { errorCode: "http-307", status: 307 }],
  ])("%s", async (_name, fault, expected) => {
    expect(await faced(fault)).toMatchObject({ outcome: "later", ...expected });
  });

  it("a page of a CDN is named by status and type, never shown", async () => {
    const answer = await faced({ kind: "cdn-html", status: 403 });
    expect(answer).toMatchObject({ outcome: "later", errorCode: "http-403", message: expect.stringContaining("answered 403 with text/html") });
    expect(JSON.stringify(answer)).not.toContain("<");
  });

  it("Retry-After may be a date", async () => {
    const answer = await faced(status(503, {}, [["retry-after", new Date(Date.now() + 90_000).toUTCString()]]));
    expect(answer).toMatchObject({ outcome: "later", errorCode: "http-503" });
    expect(answer.outcome === "later" ? answer.retryAfterMs : 0).toBeGreaterThan(80_000);
  });
});

describe("answers that end it", () => {
  it.each([
    [400, { error: "invalid_client", error_description: "Unknown client" }, "invalid_client"],
    [401, { error: "invalid_client" }, "invalid_client"],
    [400, { error: "oauth_request_parse_error", error_description: "state" }, "oauth_request_parse_error"],
    [400, { type: "error", error: { type: "invalid_request_error", message: "Invalid request format" } }, "invalid_request_error"],
    [403, { error: "access_denied", error_description: "no" }, "access_denied"],
  ])("%i %j", async (code, body, errorCode) => {
    expect(await faced(status(code, body))).toMatchObject({ outcome: "refused", errorCode, status: code });
  });

  it("keep only the error's three fields, cut, harmless to a terminal, without e-mail and tokens", async () => {
    const body = {
      error: "invalid_grant",
      error_description: `Token sk-ant-ort01-LEAK of dana@example.com \u001b[2J\u009b31m ${"x".repeat(5000)}`,
      error_uri: "https://docs.example/errors",
      debug: "DO NOT SHOW",
    };
    const answer = await faced(status(400, body));
    const text = JSON.stringify(answer);
    expect(answer).toMatchObject({ outcome: "refused", message: expect.stringMatching(/^Token \*\*\* of d…@… ·\[2J·31m x{100}/) });
    expect(text).not.toMatch(/LEAK|example\.com|\\u001b|\u009b|DO NOT SHOW/);
    expect(text.length).toBeLessThan(2200);
  });

  it("never echo the token that was sent", async () => {
    const token = secret("opaque-refresh-token-1");
    upstream.script({ match: { grant: "refresh_token" }, fault: status(400, { error: "invalid_grant", error_description: "opaque-refresh-token-1 is spent" }) });
    expect(await refresh(token)).toMatchObject({ message: "*** is spent" });
  });
});

describe("answers that were lost: the token may be spent", () => {
  it.each<[string, Fault]>([
    ["the connection is cut before the answer", { kind: "refuse" }],
    ["it is closed before the answer", { kind: "hang-up" }],
    ["the server worked and nothing came", { kind: "answer-lost" }],
    ["half an answer", { kind: "truncated", afterBytes: 20 }],
    ["bytes that are no HTTP", { kind: "garbage" }],
    ["200 with JSON that has no token", status(200, { hello: 1 })],
    ["200 with a token of another type", { kind: "json", set: { token_type: "mac" } }],
    ["200 with a token that would break a header", { kind: "json", set: { access_token: "a\r\nx: y" } }],
    ["200 with an endless body", status(200, { access_token: "a", pad: "x".repeat(1024 * 1024) })],
  ])("%s", async (_name, fault) => {
    expect(await faced(fault)).toMatchObject({ outcome: "unknown" });
  });

  it("patience ends after the timeout, also in the middle of a body", async () => {
    const impatient = createTokenEndpoint({ ...postDeps, timeoutMs: 60 });
    // A server of its own: on a busy machine a request may arrive after its caller has given up.
    const slow = await startUpstream();
    const request = { tokenUrl: settingsFor(slow).tokenUrl, clientId, refreshToken: secret("x") };
    slow.script({ fault: { kind: "never" } });
    expect(await impatient.refresh(request)).toMatchObject({ outcome: "unknown", errorCode: "timeout" });
    slow.clearScript();
    slow.script({ fault: [status(200, { access_token: "a", pad: "x".repeat(5000) }), { kind: "silence", afterBytes: 10 }] });
    expect(await impatient.refresh(request)).toMatchObject({ outcome: "unknown" });
    await slow.close();
  });
});

describe("a lifetime that makes no sense becomes a safe one (A16)", () => {
  it.each([[undefined], [0], [-5], [367 * 24 * 3600], [1e12], [Number.MAX_VALUE], ["28800"], ["soon"], [null], [[1]], [0.5]])("expires_in %j", async (value) => {
    const fault: Fault = value === undefined ? { kind: "json", omit: ["expires_in"] } : { kind: "json", set: { expires_in: value } };
    const answer = await faced(fault);
    const life = answer.outcome === "granted" ? (answer.grant.expiresAt ?? 0) - Date.now() : 0;
    expect(life).toBeGreaterThan(3_590_000);
    expect(life).toBeLessThanOrEqual(3_600_000);
  });

  it.each([[1], [43_200], [432_000], [31_536_000], [366 * 24 * 3600]])("%i seconds are honoured", async (seconds) => {
    const answer = await faced({ kind: "json", set: { expires_in: seconds } });
    const life = answer.outcome === "granted" ? (answer.grant.expiresAt ?? 0) - Date.now() : 0;
    expect(Math.abs(life - seconds * 1000)).toBeLessThan(1000);
  });
});

const revoke = (token: Secret) => endpoint.revoke({ tokenUrl: settingsFor(upstream).tokenUrl, clientId, token, hint: "refresh_token" });
const issued = (): Secret => upstream.issueTokens().refreshToken ?? expect.unreachable();

describe("a revocation", () => {
  it("ends the chain: the refresh token is refused afterwards", async () => {
    const token = issued();
    expect(await revoke(token)).toEqual({ ok: true });
    expect(await refresh(token)).toMatchObject({ outcome: "refused", errorCode: "invalid_grant" });
    expect(await revoke(token)).toEqual({ ok: true });
  });

  it("that fails is a value with a sentence", async () => {
    upstream.script({ fault: status(503, { error: "temporarily_unavailable", error_description: "Later" }) });
    expect(await revoke(issued())).toEqual({ ok: false, message: "Later" });
    upstream.script({ fault: { kind: "cdn-html", status: 403 } });
    expect(await revoke(issued())).toEqual({ ok: false, message: "The server answered 403 to the revocation." });
    upstream.script({ fault: { kind: "hang-up" } });
    expect(await revoke(issued())).toMatchObject({ ok: false });
  });

  it("that fails does not give the token back in the server's words, whatever the token looks like", async () => {
    upstream.script({ fault: status(400, { error: "invalid_request", error_description: "opaque-refresh-token-2 is not known" }) });
    expect(await revoke(secret("opaque-refresh-token-2"))).toEqual({ ok: false, message: "*** is not known" });
  });
});
