import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Upstream } from "../../src/demo/upstream.ts";
import { secret } from "../../src/lib/secret.ts";
import { createApiKeyMaker } from "../../src/oauth/api-key.ts";
import { postDeps, startUpstream } from "./simulated.ts";

let upstream: Upstream;
const makeKey = createApiKeyMaker(postDeps);

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.clearScript());
afterAll(() => upstream.close());

const make = (scopes?: readonly string[]) =>
  makeKey({ baseUrl: `${upstream.baseUrl}/`, accessToken: upstream.issueTokens(scopes === undefined ? {} : { scopes }).accessToken });

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

  it("is refused without the token in the words, whatever the token looks like", async () => {
    const message = "opaque-access-token-1 may not do that";
    upstream.script({ fault: { kind: "status", status: 403, body: { type: "error", error: { type: "permission_error", message } } } });
    expect(await makeKey({ baseUrl: upstream.baseUrl, accessToken: secret("opaque-access-token-1") })).toMatchObject({ outcome: "failed", message: "*** may not do that" });
  });

  it("may exist although it is stored nowhere, when the answer is lost or has no key in it", async () => {
    upstream.script({ fault: { kind: "answer-lost" } });
    expect(await make()).toMatchObject({ outcome: "failed", mayExist: true });
    upstream.script({ fault: { kind: "json", omit: ["raw_key"] } });
    expect(await make()).toMatchObject({ outcome: "failed", errorCode: "http-200", mayExist: true });
  });

  it("certainly does not exist when the server was not reached", async () => {
    const gone = await startUpstream();
    await gone.close();
    expect(await makeKey({ baseUrl: gone.baseUrl, accessToken: secret("x") })).toMatchObject({ outcome: "failed", mayExist: false });
  });
});
