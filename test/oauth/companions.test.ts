import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Upstream } from "../../src/demo/upstream.ts";
import { secret } from "../../src/lib/secret.ts";
import { createApiKeyMaker } from "../../src/oauth/api-key.ts";
import { createRevoke } from "../../src/oauth/revoke.ts";
import { createTokenEndpoint } from "../../src/oauth/token-endpoint.ts";
import { clientId, postDeps, settingsFor, startUpstream } from "./simulated.ts";

let upstream: Upstream;
const makeKey = createApiKeyMaker(postDeps);
const revoke = createRevoke(postDeps);

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.clearScript());
afterAll(() => upstream.close());

const make = (scopes?: readonly string[]) =>
  makeKey({ baseUrl: `${upstream.baseUrl}/`, accessToken: upstream.issueTokens(scopes === undefined ? {} : { scopes }).accessToken });

const call = (token = upstream.issueTokens()) =>
  revoke({ tokenUrl: settingsFor(upstream).tokenUrl, clientId, token: token.refreshToken ?? token.accessToken, hint: "refresh_token" });

describe("an API key made by sign-in", () => {
  it("comes as a secret that is accepted", async () => {
    const answer = await make();
    expect(answer.outcome === "created" ? answer.key.reveal() : "").toMatch(/^sk-ant-api03-/);
    expect(JSON.stringify(answer)).not.toContain("sk-ant");
  });

  it("is refused in the server's words without the scope for it", async () => {
    expect(await make(["user:inference"])).toEqual({
      outcome: "failed", errorCode: "permission_error", message: "OAuth token does not meet scope requirement: org:create_api_key", mayExist: false,
    });
  });

  it("may exist although nobody holds it, when the answer is lost or has no key in it", async () => {
    upstream.script({ fault: { kind: "answer-lost" } });
    expect(await make()).toMatchObject({ outcome: "failed", mayExist: true });
    upstream.script({ fault: { kind: "json", omit: ["raw_key"] } });
    expect(await make()).toMatchObject({ outcome: "failed", errorCode: "http-200", mayExist: true });
  });

  it("certainly does not exist when nobody was reached", async () => {
    const gone = await startUpstream();
    await gone.close();
    expect(await makeKey({ baseUrl: gone.baseUrl, accessToken: secret("x") })).toMatchObject({ outcome: "failed", mayExist: false });
  });
});

describe("a revocation", () => {
  it("ends the chain: the refresh token is refused afterwards", async () => {
    const token = upstream.issueTokens();
    expect(await call(token)).toEqual({ ok: true });
    const refreshed = await createTokenEndpoint(postDeps).refresh({ tokenUrl: settingsFor(upstream).tokenUrl, clientId, refreshToken: token.refreshToken ?? secret("") });
    expect(refreshed).toMatchObject({ outcome: "refused", errorCode: "invalid_grant" });
    expect(await call(token)).toEqual({ ok: true });
  });

  it("that fails is a value with a sentence", async () => {
    upstream.script({ fault: { kind: "status", status: 503, body: { error: "temporarily_unavailable", error_description: "Later" } } });
    expect(await call()).toEqual({ ok: false, message: "Later" });
    upstream.script({ fault: { kind: "cdn-html", status: 403 } });
    expect(await call()).toEqual({ ok: false, message: "The server answered 403 to the revocation." });
    upstream.script({ fault: { kind: "hang-up" } });
    expect(await call()).toMatchObject({ ok: false });
  });
});
