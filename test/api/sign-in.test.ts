// The sign-in calls of the three ancestors, each in its own shape, over one set of commands.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SubmitOutcome } from "../../src/messages/commands.ts";
import { ask, errorOf, head, headerOf, jsonOf, post, startServer, statusOf } from "../server/kit.ts";
import { added, attempt, createFakeCommands, question, tokenExpiry } from "./fake-commands.ts";

let fake: ReturnType<typeof createFakeCommands>;
let kit: Awaited<ReturnType<typeof startServer>>;

const start = async (submit?: SubmitOutcome): Promise<void> => {
  fake = createFakeCommands(submit);
  kit = await startServer({ commands: fake.commands });
};
beforeEach(() => start());
afterEach(() => kit.close());

const send = (path: string, body: unknown): Promise<string> => ask(kit.port, post(kit.port, path, body));
const get = (path: string): Promise<string> => ask(kit.port, head(kit.port, `GET ${path}`));
const expiry = new Date(tokenExpiry).toISOString();

describe("as anthropic-oauth-proxy", () => {
  it("start gives the link, the attempt and its time", async () => {
    const answer = jsonOf(await send("/auth/device/start", {}));
    expect(answer).toMatchObject({ auth_url: attempt.authorizeUrl, attempt_id: "attempt-1" });
    expect(answer["expires_in"]).toBeGreaterThan(500);
    expect(answer["expires_in"]).toBeLessThanOrEqual(600);
  });

  it("start works without any body, names an account, and knows two kinds", async () => {
    expect(statusOf(await ask(kit.port, head(kit.port, "POST /auth/device/start", { "content-length": "0" })))).toBe(200);
    await send("/auth/device/start", { account_id: "max-1", kind: "console" });
    expect(fake.calls).toEqual([["startLogin", { kind: "max" }], ["startLogin", { kind: "console", accountId: "max-1" }]]);
    expect(errorOf(await send("/auth/device/start", { kind: "other" }))).toMatchObject({ status: 400, code: "bad-request" });
  });

  it("start gives the one-time link for a browser on this machine beside the other", async () => {
    expect(jsonOf(await send("/auth/device/start", {}))).toMatchObject({ browser_url: attempt.shortUrl });
  });

  it("submit signs in, with the attempt or with the one that is open", async () => {
    expect(jsonOf(await send("/auth/device/submit", { code: "abc#state-1", attempt_id: "attempt-1" }))).toEqual({ success: true, message: "Signed in.", account_id: "max-1", expires_at: expiry });
    await send("/auth/device/submit", { code: "abc#state-1" });
    expect(fake.calls).toEqual([["submitCode", "abc#state-1", "attempt-1"], ["submitCode", "abc#state-1", null]]);
  });

  it("status tells of accounts and of the open sign-in", async () => {
    expect(jsonOf(await get("/auth/status"))).toEqual({ authenticated: false, accounts: [], pending: null });
    await send("/auth/device/start", {});
    expect(jsonOf(await get("/auth/status"))).toMatchObject({ pending: { attempt_id: "attempt-1", auth_url: attempt.authorizeUrl } });
  });

  it("refresh and logout name an account or not; unknown ones are 404", async () => {
    expect(jsonOf(await send("/auth/refresh", {}))).toEqual({ success: true, expires_at: expiry });
    expect(jsonOf(await send("/auth/logout", { account_id: "max-1" }))).toEqual({ success: true, removed: ["max-1"] });
    const all = await send("/auth/logout", {});
    expect(headerOf(all, "set-cookie")).toContain("Max-Age=0");
    expect(fake.calls).toEqual([["refresh", null], ["logout", "max-1"], ["logout", null]]);
    expect(errorOf(await send("/auth/refresh", { account_id: "nobody" }))).toMatchObject({ status: 404, code: "unknown-account" });
  });

  it("a failed refresh says why and what to do", async () => {
    const error = errorOf(await send("/auth/refresh", { account_id: "dead" }));
    expect(error).toMatchObject({ status: 502, code: "refresh-failed" });
    expect(error.message).toBe("Refresh token not found or invalid. Sign this account in again.");
  });
});

describe("as claude-code-mux", () => {
  it("authorize gives url, verifier and instructions; the verifier is the attempt, not PKCE's", async () => {
    expect(jsonOf(await send("/api/oauth/authorize", { oauth_type: "max" }))).toEqual({ url: attempt.authorizeUrl, verifier: "attempt-1", instructions: expect.stringContaining("#") });
    await send("/api/oauth/authorize", { oauth_type: "console" });
    expect(fake.calls.at(-1)).toEqual(["startLogin", { kind: "console" }]);
  });

  it("exchange takes the handle back and names the account", async () => {
    const answer = jsonOf(await send("/api/oauth/exchange", { code: "abc#state-1", verifier: "attempt-1", provider_id: "anthropic-max" }));
    expect(answer).toEqual({ success: true, message: "Signed in; the token is stored.", provider_id: "max-1", expires_at: expiry });
    expect(fake.calls).toEqual([["submitCode", "abc#state-1", "attempt-1", "anthropic-max"]]);
    expect(errorOf(await send("/api/oauth/exchange", { code: "abc#state-1", verifier: "attempt-1", provider_id: "../x" }))).toMatchObject({ status: 400 });
  });

  it("tokens lists times and never a token", async () => {
    kit.publish(added({ expiresAt: tokenExpiry }));
    expect(jsonOf(await get("/api/oauth/tokens"))).toEqual([{ provider_id: "max-1", expires_at: expiry, is_expired: false, needs_refresh: false }]);
  });

  it("tokens are refreshed and deleted, by body and by path", async () => {
    expect(jsonOf(await send("/api/oauth/tokens/refresh", { provider_id: "max-1" }))).toMatchObject({ success: true, provider_id: "max-1", expires_at: expiry });
    expect(jsonOf(await send("/api/oauth/tokens/delete", { provider_id: "max-1" }))).toMatchObject({ success: true, provider_id: "max-1" });
    expect(jsonOf(await ask(kit.port, head(kit.port, "DELETE /api/oauth/tokens/max-2")))).toMatchObject({ success: true, provider_id: "max-2" });
    expect(fake.calls).toEqual([["refresh", "max-1"], ["logout", "max-1"], ["logout", "max-2"]]);
    expect(errorOf(await ask(kit.port, head(kit.port, "DELETE /api/oauth/tokens/nobody"))).status).toBe(404);
  });
});

describe("as claude-proxy", () => {
  it("authorize is a GET and gives the link, its state and the handle", async () => {
    expect(jsonOf(await get("/oauth/authorize"))).toEqual({ authorization_url: attempt.authorizeUrl, state: "state-1", code_verifier: "attempt-1" });
  });

  it("exchange puts code and state together; one that holds its state is taken as it is", async () => {
    expect(jsonOf(await send("/oauth/exchange", { code: "abc", state: "state-1", code_verifier: "attempt-1" }))).toEqual({ success: true, account: { id: "max-1" } });
    await send("/oauth/exchange", { code: "abc#state-1", code_verifier: "attempt-1" });
    expect(fake.calls).toEqual([["submitCode", "abc#state-1", "attempt-1"], ["submitCode", "abc#state-1", "attempt-1"]]);
    expect(errorOf(await send("/oauth/exchange", { code: "abc", code_verifier: "attempt-1" })).message).toContain('"state" is missing');
  });
});

describe("a code of a person who has no account here", () => {
  const identity = { email: "dana@example.com", organization: "Dana's", account_id: "claude-2", replaces: null };
  const calls = [
    ["/auth/device/submit", { attempt_id: "attempt-1" }, { account_id: "claude-2" }],
    ["/api/oauth/exchange", { verifier: "attempt-1" }, { provider_id: "claude-2" }],
    ["/oauth/exchange", { code_verifier: "attempt-1" }, { account: { id: "claude-2" } }],
    ["/api/accounts", { code_verifier: "attempt-1" }, { id: "claude-2" }],
  ] as const;

  it.each(calls)("is a 409 of %s that shows the e-mail and the member that confirms; with that, the same call goes through (A27)", async (path, handle, done) => {
    await kit.close();
    await start({ outcome: "confirm", question });
    const refused = await send(path, { code: "c#state-1", ...handle });
    expect(errorOf(refused)).toMatchObject({ status: 409, code: "conflict", type: "conflict_error" });
    expect(errorOf(refused).message).toBe(
      'This code signs in dana@example.com, who has no account in this proxy yet. If that is right, send this call again with "confirm": "confirm-1" while the sign-in is open; ' +
        "POST /auth/device/cancel gives the sign-in back.",
    );
    expect(jsonOf(refused)["error"]).toMatchObject({ confirm: "confirm-1", identity });
    expect(jsonOf(await get("/auth/status"))).toMatchObject({ pending: { confirm: "confirm-1", identity } });
    expect(jsonOf(await send(path, { ...handle, confirm: "confirm-1" }))).toMatchObject(done);
    expect(fake.calls.at(-1)).toEqual(["answerIdentity", "attempt-1", "confirm-1", true]);
    expect(JSON.stringify(kit.events)).not.toContain("dana");
  });

  it("under the name of another's account says whose it is (A28)", async () => {
    await kit.close();
    await start({ outcome: "confirm", question: { ...question, accountId: "work", replaces: { email: "ada@example.com", organization: "Ada's", kind: "oauth" } } });
    const refused = await send("/auth/device/submit", { code: "c#state-1" });
    expect(errorOf(refused).message).toContain(`This code signs in dana@example.com (Dana's), but the account "work" is the sign-in of ada@example.com (Ada's).`);
    expect(jsonOf(refused)["error"]).toMatchObject({ identity: { account_id: "work", replaces: { email: "ada@example.com", organization: "Ada's" } } });
  });
});

describe("a code that signs nobody in", () => {
  it.each<[string, SubmitOutcome, number, string]>([
    ["is empty", { outcome: "nothing" }, 400, "bad-paste"],
    ["has no # part", { outcome: "bad-paste", code: "no-hash", message: "Not complete: the part after # is missing." }, 400, "bad-paste"],
    ["met a server that did not answer", { outcome: "retry", message: "The server did not answer." }, 502, "login-failed"],
    ["the server refused", { outcome: "failed", errorCode: "invalid_grant", message: "Invalid code." }, 502, "login-failed"],
    ["came too late", { outcome: "failed", errorCode: "login-expired", message: "This sign-in is over." }, 410, "login-expired"],
    ["failed with the name of a property of every object", { outcome: "failed", errorCode: "constructor", message: "Odd." }, 502, "login-failed"],
  ])("because it %s gets its sentence from all three calls", async (_case, outcome, status, code) => {
    await kit.close();
    await start(outcome);
    const calls = { "/auth/device/submit": { code: "c#s" }, "/api/oauth/exchange": { code: "c#s", verifier: "v" }, "/oauth/exchange": { code: "c#s", code_verifier: "v" } };
    for (const [path, body] of Object.entries(calls)) {
      const error = errorOf(await send(path, body));
      expect(error).toMatchObject({ status, code });
      if ("message" in outcome) expect(error.message).toContain(outcome.message);
    }
  });

  it("the code is in no answer and in no event, whatever is done wrong with it (S14)", async () => {
    const canary = "code-canary-123#state-canary";
    const texts = [
      await send("/auth/device/submit", { code: canary }),
      await send("/auth/device/submit", { code: [canary] }),
      await send("/oauth/exchange", { code: canary }),
      await get(`/callback?code=${encodeURIComponent(canary)}&state=x`),
      await get(`/callback?code=${encodeURIComponent(canary)}&code=b`),
    ];
    expect(texts.join("") + JSON.stringify(kit.events)).not.toContain("canary");
  });
});
