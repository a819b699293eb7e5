// Accounts at two servers at once: each credential goes to the server that gave it and to no other.
import { describe, expect, it, onTestFinished } from "vitest";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import type { EndpointOptions } from "../../src/messages/commands.ts";
import { startApp } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";

const anotherServer = async (): Promise<Upstream> => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  return upstream;
};

const endpointsOf = (upstream: Upstream): EndpointOptions => {
  const settings = upstream.settings();
  return {
    baseUrl: settings["upstream.baseUrl"],
    tokenUrl: settings["oauth.tokenUrl"],
    authorizeUrl: settings["oauth.authorizeUrl"],
    redirectUri: settings["oauth.redirectUri"],
  };
};

const signInAt = async ({ app }: RunningApp, upstream: Upstream, accountId: string): Promise<void> => {
  const attempt = await app.commands.startLogin({ accountId, endpoints: endpointsOf(upstream), acceptIdentity: true });
  expect(new URL(attempt.authorizeUrl).origin).toBe(upstream.baseUrl);
  const outcome = await app.commands.submitCode(secret(await upstream.approve(attempt.authorizeUrl)), attempt.attemptId);
  expect(outcome).toMatchObject({ outcome: "signed-in", accountId });
};

const ask = async ({ listening, key }: Pick<RunningApp, "listening" | "key">): Promise<number> => {
  const body = JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, messages: [{ role: "user", content: "x" }] });
  const response = await fetch(`${listening.url}/v1/messages`, { method: "POST", body, headers: { authorization: `Bearer ${key}` } });
  await response.text();
  return response.status;
};

const pathsAt = ({ requests }: Upstream, path: string) => requests.filter(({ target }) => target.startsWith(path));
const credentialsIn = (rawHeaders: readonly string[]): readonly string[] =>
  rawHeaders.filter((_, index) => ["authorization", "x-api-key"].includes(rawHeaders[index - 1]?.toLowerCase() ?? ""));

const credentialsAt = ({ requests }: Upstream): ReadonlySet<string> => new Set(requests.flatMap(({ rawHeaders }) => credentialsIn(rawHeaders)));

const twoServers = async () => {
  const running = await startApp();
  const other = await anotherServer();
  await running.signIn({ accountId: "here" });
  await signInAt(running, other, "there");
  return { running, here: running.upstream, other };
};

describe("an account with addresses of its own", () => {
  it("is signed in, served, refreshed, kept over a restart and revoked at its own server only", async () => {
    const { running, here, other } = await twoServers();
    expect([await ask(running), await ask(running)]).toEqual([200, 200]);
    expect([pathsAt(here, "/v1/messages").length, pathsAt(other, "/v1/messages").length]).toEqual([1, 1]);
    await running.app.commands.stop("restart");
    const next = await startApp({ dir: running.dir, shared: here });
    other.expireAccessTokens();
    here.expireAccessTokens();
    expect([await ask(next), await ask(next)]).toEqual([200, 200]);
    expect([here.tokenCalls().refresh_token, other.tokenCalls().refresh_token]).toEqual([1, 1]);
    await next.app.commands.logout("there");
    expect([pathsAt(here, "/v1/oauth/token/revoke").length, pathsAt(other, "/v1/oauth/token/revoke").length]).toEqual([0, 1]);
    expect([...credentialsAt(here)].filter((credential) => credentialsAt(other).has(credential))).toEqual([]);
    expect(await ask(next)).toBe(200);
  });

  it("an API key with a base URL of its own is sent there, as x-api-key", async () => {
    const running = await startApp();
    const other = await anotherServer();
    await running.app.commands.addApiKey({ key: other.issueApiKey(), accountId: "key", endpoints: { baseUrl: other.baseUrl } });
    expect([await ask(running), running.upstream.requestsTotal()]).toEqual([200, 0]);
    expect(pathsAt(other, "/v1/messages")[0]?.rawHeaders.map((name) => name.toLowerCase())).toContain("x-api-key");
  });

  it("a console sign-in makes its key there", async () => {
    const running = await startApp();
    const other = await anotherServer();
    const { "oauth.consoleAuthorizeUrl": authorizeUrl } = other.settings();
    const attempt = await running.app.commands.startLogin({ kind: "console", accountId: "made", endpoints: { ...endpointsOf(other), authorizeUrl } });
    await running.app.commands.submitCode(secret(await other.approve(attempt.authorizeUrl)), attempt.attemptId);
    expect([await ask(running), running.upstream.requestsTotal()]).toEqual([200, 0]);
  });

  it("is signed in again at its own server without saying so once more", async () => {
    const { running, other } = await twoServers();
    const attempt = await running.app.commands.startLogin({ accountId: "there" });
    expect(new URL(attempt.authorizeUrl).origin).toBe(other.baseUrl);
    const outcome = await running.app.commands.submitCode(secret(await other.approve(attempt.authorizeUrl)), attempt.attemptId);
    expect([outcome.outcome, await ask(running), await ask(running)]).toEqual(["signed-in", 200, 200]);
  });

  it("asks with its own client id and scopes", async () => {
    const running = await startApp();
    const { authorizeUrl } = await running.app.commands.startLogin({ accountId: "own", endpoints: { clientId: "client-7", scopes: "user:inference" } });
    const { searchParams } = new URL(authorizeUrl);
    expect([searchParams.get("client_id"), searchParams.get("scope")]).toEqual(["client-7", "user:inference"]);
  });

  it("refreshes and revokes with its own client id", async () => {
    const running = await startApp();
    await running.signIn();
    await running.app.commands.setEndpoint("claude", "clientId", "client-7");
    await running.app.commands.refresh("claude");
    await running.app.commands.logout("claude");
    const [, refresh, revoke] = running.upstream.requests.filter(({ target }) => target.startsWith("/v1/oauth/token"));
    expect([String(refresh?.body), String(revoke?.body)]).toEqual([expect.stringContaining("client-7"), expect.stringContaining("client-7")]);
  });

  it("is moved by setting one address, and back to the settings by taking it away", async () => {
    const running = await startApp();
    const other = await anotherServer();
    await running.app.commands.addApiKey({ key: other.issueApiKey(), accountId: "key" });
    expect(await ask(running)).toBe(401);
    await running.app.commands.setEndpoint("key", "baseUrl", other.baseUrl);
    expect(await ask(running)).toBe(200);
    await running.app.commands.setEndpoint("key", "baseUrl", null);
    expect(await ask(running)).toBe(401);
    expect(pathsAt(other, "/v1/messages")).toHaveLength(1);
  });
});

describe("what is refused", () => {
  it.each([
    ["baseUrl", "http://example.com", /http: URL to another machine/],
    ["baseUrl", "https://example.com/v1", /path, query or fragment/],
    ["tokenUrl", "https://user:canary@example.com/token", /user name or password/],
    ["tokenUrl", "ftp://example.com", /accepted: an http\(s\) URL/],
    ["scopes", "", /an empty text/],
    ["access_token", "canary", /nothing that an account has of its own/],
  ])("refuses %s %s", async (key, value, sentence) => {
    const running = await startApp();
    await running.signIn();
    const error = await running.app.commands.setEndpoint("claude", key, value).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "bad-usage", message: expect.stringMatching(sentence) });
    expect(String((error as Error).message)).not.toContain("canary");
    expect(await ask(running)).toBe(200);
  });

  it("an account that is not there", async () => {
    const running = await startApp();
    await expect(running.app.commands.setEndpoint("nobody", "baseUrl", "https://example.com")).rejects.toMatchObject({ code: "unknown-account" });
  });

  it("a sign-in at one server is never kept under an account of another", async () => {
    const { running, here, other } = await twoServers();
    const attempt = await running.app.commands.startLogin({});
    const outcome = await running.app.commands.submitCode(secret(await here.approve(attempt.authorizeUrl)), attempt.attemptId, "there");
    expect(outcome).toMatchObject({ outcome: "retry", message: expect.stringContaining("account of another server") });
    expect([await ask(running), await ask(running)]).toEqual([200, 200]);
    expect([...credentialsAt(here)].filter((credential) => credentialsAt(other).has(credential))).toEqual([]);
  });

  it.each(["max", "console"] as const)("a sign-in (%s) is never sent to the base URL of a key", async (kind) => {
    const running = await startApp();
    const other = await anotherServer();
    await running.app.commands.addApiKey({ key: other.issueApiKey(), accountId: "key", endpoints: { baseUrl: other.baseUrl } });
    const attempt = await running.app.commands.startLogin({ kind, accountId: "key" });
    const outcome = await running.app.commands.submitCode(secret(await running.upstream.approve(attempt.authorizeUrl)), attempt.attemptId);
    expect(outcome).toMatchObject({ outcome: "retry", message: expect.stringContaining("account of another server") });
    expect([other.requestsTotal(), await ask(running)]).toEqual([0, 200]);
  });

  it("the same person at two servers is two accounts", async () => {
    const { running, here } = await twoServers();
    await running.app.commands.logout("here");
    expect(await running.signIn({ acceptIdentity: true })).toBe("claude");
    expect([await ask(running), await ask(running)]).toEqual([200, 200]);
    expect(pathsAt(here, "/v1/messages").length).toBeGreaterThan(0);
  });
});
