// Which credentials the simulated API accepts, and in which words it refuses the others.
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { ask, hello, keyHeaders, oauthHeaders, start } from "./kit.ts";

const send = async (upstream: Upstream, headers: Record<string, string>, path = "/v1/messages") => {
  const response = await fetch(upstream.baseUrl + path, { method: "POST", headers, body: JSON.stringify(hello) });
  return { status: response.status, body: (await response.json()) as { error: { type: string; message: string }; request_id: string }, requestId: response.headers.get("request-id") };
};

describe("the credential of an API call", () => {
  it("may be a live OAuth bearer with the OAuth beta, among other betas", async () => {
    const upstream = await start();
    expect((await ask(upstream)).status).toBe(200);
    const headers = { ...oauthHeaders(upstream.issueTokens().accessToken), "anthropic-beta": "a, oauth-2025-04-20 ,b" };
    expect((await send(upstream, headers)).status).toBe(200);
  });

  it("may be an API key without any beta, in its own header or as a bearer", async () => {
    const upstream = await start();
    expect((await send(upstream, keyHeaders(upstream.issueApiKey()))).status).toBe(200);
    const { "anthropic-beta": _, ...bearer } = oauthHeaders(upstream.issueApiKey("grace"));
    expect((await send(upstream, bearer)).status).toBe(200);
    expect(upstream.requests.map(({ account }) => account)).toEqual(["ada", "grace"]);
  });

  it("is refused without the OAuth beta", async () => {
    const upstream = await start();
    for (const beta of ["", "oauth-2025-04-2", "claude-code-20250219"]) {
      const { status, body } = await send(upstream, { ...oauthHeaders(upstream.issueTokens().accessToken), "anthropic-beta": beta });
      expect([status, body.error.message]).toEqual([401, "OAuth authentication is currently not supported."]);
    }
  });

  it("is refused when a key comes beside a bearer, both live", async () => {
    const upstream = await start();
    const both = { ...oauthHeaders(upstream.issueTokens().accessToken), ...keyHeaders(upstream.issueApiKey()) };
    expect(await send(upstream, both)).toMatchObject({ status: 401, body: { error: { type: "authentication_error" } } });
  });

  it("is refused in the documented words once it has expired", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock, accessTokenSeconds: 60 });
    const headers = oauthHeaders(upstream.issueTokens().accessToken);
    clock.jump(59_999);
    expect((await send(upstream, headers)).status).toBe(200);
    clock.jump(1);
    const { status, body, requestId } = await send(upstream, headers);
    expect(status).toBe(401);
    expect(body).toEqual({
      type: "error",
      error: { type: "authentication_error", message: "OAuth token has expired. Please obtain a new token or refresh your existing token." },
      request_id: requestId,
    });
  });

  it("is refused after expireAccessTokens and revokeAll, whatever the clock says", async () => {
    const upstream = await start();
    const [headers, key] = [oauthHeaders(upstream.issueTokens().accessToken), keyHeaders(upstream.issueApiKey())];
    upstream.expireAccessTokens();
    expect((await send(upstream, headers)).body.error.message).toContain("expired");
    expect((await send(upstream, key)).status).toBe(200);
    upstream.revokeAll();
    expect((await send(upstream, headers)).body.error.message).toContain("revoked");
    expect((await send(upstream, key)).body.error.message).toBe("invalid x-api-key");
  });

  it("is refused when it is unknown, malformed or absent", async () => {
    const upstream = await start();
    const version = { "anthropic-version": "2023-06-01" };
    expect((await send(upstream, oauthHeaders(secret("sk-ant-oat01-unknown")))).body.error.message).toBe("Invalid bearer token");
    expect((await send(upstream, { ...oauthHeaders(secret("x")), authorization: "Basic eDp5" })).status).toBe(401);
    expect((await send(upstream, version)).body.error.message).toBe("x-api-key header is required");
  });

  it("needs user:inference for messages", async () => {
    const upstream = await start();
    const { status, body } = await send(upstream, oauthHeaders(upstream.issueTokens({ scopes: ["user:profile"] }).accessToken));
    expect([status, body.error]).toEqual([403, { type: "permission_error", message: "OAuth token does not meet scope requirement: user:inference" }]);
  });
});

describe("the endpoints beside the API", () => {
  it("make an API key that works, for org:create_api_key only", async () => {
    const upstream = await start();
    const create = (scopes: readonly string[]) =>
      fetch(`${upstream.baseUrl}/api/oauth/claude_cli/create_api_key`, { method: "POST", headers: { authorization: `Bearer ${upstream.issueTokens({ scopes }).accessToken.reveal()}` } });
    const made = (await (await create(["org:create_api_key"])).json()) as { raw_key: string };
    expect(made.raw_key).toMatch(/^sk-ant-api03-/);
    expect((await send(upstream, keyHeaders(secret(made.raw_key)))).status).toBe(200);
    expect((await create(["user:inference"])).status).toBe(403);
  });

  it("tell the profile to user:profile", async () => {
    const upstream = await start();
    const read = (scopes: readonly string[]) =>
      fetch(`${upstream.baseUrl}/api/oauth/profile`, { headers: { authorization: `Bearer ${upstream.issueTokens({ scopes, account: "grace" }).accessToken.reveal()}` } });
    expect(await (await read(["user:profile"])).json()).toMatchObject({
      account: { email: "grace@example.com", has_claude_pro: true },
      organization: { organization_type: "claude_pro", rate_limit_tier: "default_claude_ai" },
      application: { name: "Claude Code" },
    });
    expect((await read(["user:inference"])).status).toBe(403);
  });
});
