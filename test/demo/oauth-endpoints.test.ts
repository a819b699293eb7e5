// The token endpoint: strict with the first grant, rotating with every refresh, unforgiving with reuse.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { exchangeFields, hello, oauthHeaders, refreshFields, start, token } from "./kit.ts";
import type { Upstream } from "../../src/demo/upstream.ts";

const messageStatus = async (upstream: Upstream, accessToken: unknown): Promise<number> => {
  const headers = oauthHeaders(secret(String(accessToken)));
  const response = await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers, body: JSON.stringify(hello) });
  await response.text();
  return response.status;
};

const text = (value: unknown): string => String(value);

describe("authorization_code", () => {
  it("gives a working pair with scope, organization and account", async () => {
    const upstream = await start();
    const { status, body } = await token(upstream, await exchangeFields(upstream));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: "Bearer",
      expires_in: 28_800,
      access_token: expect.stringMatching(/^sk-ant-oat01-[\w-]{95}$/),
      refresh_token: expect.stringMatching(/^sk-ant-ort01-[\w-]{95}$/),
      scope: "org:create_api_key user:profile user:inference",
      organization: { name: "Ada Example's Organization" },
      account: { email_address: "ada@example.com" },
    });
    expect(await messageStatus(upstream, body["access_token"])).toBe(200);
    expect(upstream.tokenCalls()).toEqual({ authorization_code: 1, refresh_token: 0, other: 0 });
  });

  it.each(["state", "client_id", "code", "redirect_uri", "code_verifier", "grant_type"])("cannot be parsed without %s", async (name) => {
    const upstream = await start();
    const fields = await exchangeFields(upstream);
    const { status, body } = await token(upstream, { ...fields, [name]: undefined });
    expect([status, body["error"]]).toMatchObject([400, { type: "oauth_request_parse_error", message: "Invalid request format" }]);
  });

  it.each([
    ["another redirect_uri", { redirect_uri: "http://localhost:1/callback" }, "redirect_uri does not match the authorization request"],
    ["another state", { state: "other" }, "Invalid state"],
    ["a wrong verifier", { code_verifier: "x".repeat(64) }, "Invalid code_verifier"],
    ["a verifier below 43 characters", { code_verifier: "x".repeat(42) }, "Invalid code_verifier"],
    ["an invented code", { code: "invented" }, "Invalid authorization code"],
  ])("refuses %s as invalid_grant", async (_, change, error_description) => {
    const upstream = await start();
    expect(await token(upstream, { ...(await exchangeFields(upstream)), ...change })).toEqual({ status: 400, body: { error: "invalid_grant", error_description } });
  });

  it("accepts the S256 pair of RFC 7636 appendix B only with its own verifier", async () => {
    const upstream = await start();
    const fields = await exchangeFields(upstream, { code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" });
    const challenge = createHash("sha256").update(text(fields["code_verifier"])).digest("base64url");
    expect(challenge).not.toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    expect((await token(upstream, fields)).status).toBe(400);
    expect((await token(upstream, { ...fields, code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" })).status).toBe(200);
  });

  it("revokes what a code gave when the code comes again", async () => {
    const upstream = await start();
    const fields = await exchangeFields(upstream);
    const { body } = await token(upstream, fields);
    expect((await token(upstream, fields)).body["error"]).toBe("invalid_grant");
    expect(await messageStatus(upstream, body["access_token"])).toBe(401);
    expect((await token(upstream, refreshFields(text(body["refresh_token"])))).status).toBe(400);
  });

  it("forgets a code after ten minutes", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock });
    const [early, late] = [await exchangeFields(upstream), await exchangeFields(upstream)];
    clock.jump(599_000);
    expect((await token(upstream, early)).status).toBe(200);
    clock.jump(2000);
    expect((await token(upstream, late)).body["error"]).toBe("invalid_grant");
  });

  it("refuses a lifetime of one's own with broad scopes", async () => {
    const upstream = await start();
    const { body } = await token(upstream, { ...(await exchangeFields(upstream)), expires_in: 31_536_000 });
    expect(body["error_description"]).toBe("Custom expires_in not allowed for scope 'org:create_api_key'");
  });

  it("knows one client and two grants", async () => {
    const upstream = await start();
    const fields = await exchangeFields(upstream);
    expect(await token(upstream, { ...fields, client_id: "other" })).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(await token(upstream, { ...fields, grant_type: "password" })).toMatchObject({ status: 400, body: { error: "unsupported_grant_type" } });
    expect(upstream.tokenCalls().other).toBe(1);
  });
});

describe("refresh_token", () => {
  it("rotates: the new pair works and the chain goes on", async () => {
    const upstream = await start();
    const first = await token(upstream, refreshFields(upstream.issueTokens().refreshToken));
    const second = await token(upstream, refreshFields(text(first.body["refresh_token"])));
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await messageStatus(upstream, second.body["access_token"])).toBe(200);
    expect(upstream.tokenCalls().refresh_token).toBe(2);
  });

  it("revokes the whole chain when a spent token comes again", async () => {
    const upstream = await start();
    const { refreshToken } = upstream.issueTokens();
    const { body } = await token(upstream, refreshFields(refreshToken));
    expect(await token(upstream, refreshFields(refreshToken))).toEqual({ status: 400, body: { error: "invalid_grant", error_description: "Refresh token not found or invalid" } });
    expect((await token(upstream, refreshFields(text(body["refresh_token"])))).status).toBe(400);
    expect(await messageStatus(upstream, body["access_token"])).toBe(401);
  });

  it("needs the client id, of the client that got the token", async () => {
    const upstream = await start();
    const { refreshToken } = upstream.issueTokens();
    expect((await token(upstream, { ...refreshFields(refreshToken), client_id: undefined })).body).toMatchObject({ error: { message: "Invalid request format" } });
    expect((await token(upstream, refreshFields(refreshToken))).status).toBe(200);
  });

  it("never widens the scopes, and does not spend the token when it refuses", async () => {
    const upstream = await start();
    const { refreshToken } = upstream.issueTokens({ scopes: ["user:inference"] });
    const wide = await token(upstream, { ...refreshFields(refreshToken), scope: "user:inference user:profile" });
    expect([wide.status, wide.body["error"]]).toEqual([400, "invalid_scope"]);
    expect((await token(upstream, { ...refreshFields(refreshToken), scope: "user:inference" })).status).toBe(200);
  });

  it("understands form bodies and nothing but them and JSON", async () => {
    const upstream = await start();
    const send = (type: string, body: string) => fetch(upstream.settings()["oauth.tokenUrl"], { method: "POST", headers: { "content-type": type }, body });
    const form = new URLSearchParams(refreshFields(upstream.issueTokens().refreshToken) as Record<string, string>).toString();
    expect((await send("application/x-www-form-urlencoded", form)).status).toBe(200);
    expect((await send("text/plain", form)).status).toBe(400);
    expect((await send("application/json", "[1")).status).toBe(400);
  });
});

describe("revocation", () => {
  it("ends the grant of either token, and is 200 for an unknown token", async () => {
    const upstream = await start();
    const revoke = async (value: string): Promise<number> => {
      const url = `${upstream.settings()["oauth.tokenUrl"]}/revoke`;
      return (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ token: value }) })).status;
    };
    const grant = upstream.issueTokens();
    expect(await revoke("unknown")).toBe(200);
    expect(await messageStatus(upstream, grant.accessToken.reveal())).toBe(200);
    expect(await revoke(grant.refreshToken?.reveal() ?? "")).toBe(200);
    expect(await messageStatus(upstream, grant.accessToken.reveal())).toBe(401);
  });
});
