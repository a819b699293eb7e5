// The library beside a proxy on the same folder: valid tokens, one refresh, clear failures.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { inspect } from "node:util";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AppError, OAuthClient, TokenStore, createProxy, secret } from "../../src/index.ts";
import type { LoginOptions, StoredToken } from "../../src/index.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { temporaryFolder } from "../helpers/running-app.ts";

const aPlace = async () => {
  const upstream = await createUpstream({ clock: createSystemClock(), random: systemRandom });
  onTestFinished(() => upstream.close());
  const options = { dir: join(temporaryFolder(), "data"), settings: upstream.settings() };
  return { upstream, options, store: new TokenStore(options) };
};

const clientOf = (store: TokenStore): OAuthClient => {
  const client = new OAuthClient(store);
  onTestFinished(() => client.close());
  return client;
};

const signedIn = async (client: OAuthClient, upstream: Upstream): Promise<string> => {
  const { authorizeUrl, attemptId } = await client.getAuthorizationUrl();
  return (await client.exchangeCode(await upstream.approve(authorizeUrl), attemptId, "anthropic-max")).id;
};

const failure = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "no failure", (error: unknown) => (error instanceof AppError ? error.code : error));

describe("OAuthClient", () => {
  it("signs in, and gives the same token until that is about to end", async () => {
    const { upstream, store } = await aPlace();
    const client = clientOf(store);
    const id = await signedIn(client, upstream);
    expect(id).toBe("anthropic-max");
    const [first, second] = [await client.getValidToken(id), await client.getValidToken()];
    expect(first.reveal()).toBe(second.reveal());
    expect(upstream.tokenCalls()).toEqual({ authorization_code: 1, refresh_token: 0, other: 0 });
    expect(inspect(await store.get(id))).not.toContain("sk-ant");
  });

  it("keeps a person who had no account here after a yes of the program only, or when that was given at the start (A27)", async () => {
    const { upstream, store } = await aPlace();
    const client = clientOf(store);
    await signedIn(client, upstream);
    const exchange = async (options: LoginOptions = {}): Promise<StoredToken> => {
      const { authorizeUrl, attemptId } = await client.getAuthorizationUrl(options);
      return client.exchangeCode(await upstream.approve(authorizeUrl, { user: "grace" }), attemptId);
    };
    const asked = async (): Promise<string> => {
      const error = await exchange().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "conflict", message: expect.stringContaining("grace@example.com") as string, fields: { email: "grace@example.com" } });
      return String((error as AppError).fields?.["confirm"]);
    };
    expect(await failure(client.answerIdentity(await asked(), false))).toBe("login-failed");
    expect((await store.list()).map(({ id }) => id)).toEqual(["anthropic-max"]);
    const { id } = await client.answerIdentity(await asked(), true);
    await client.signOut(id);
    expect((await exchange({ acceptIdentity: true })).id).toBe(id);
  });

  it("refreshes inside the lead time, once for two programs on one folder", async () => {
    const { upstream, options, store } = await aPlace();
    const clients = [clientOf(store), clientOf(new TokenStore(options))] as const;
    await store.save({ id: "ada", ...tokensOf(upstream, 100) });
    const tokens = await Promise.all([...clients, ...clients].map((client) => client.getValidToken("ada")));
    expect(new Set(tokens.map((token) => token.reveal())).size).toBe(1);
    expect(upstream.tokenCalls().refresh_token).toBe(1);
    expect((await store.get("ada"))?.accessToken.reveal()).toBe(tokens[0]?.reveal());
  });

  it("refreshes by hand, signs out at the server too, and then asks for a sign-in", async () => {
    const { upstream, store } = await aPlace();
    const client = clientOf(store);
    const id = await signedIn(client, upstream);
    const before = await client.getValidToken(id);
    expect((await client.refreshToken(id)).accessToken.reveal()).not.toBe(before.reveal());
    await client.signOut(id);
    expect(upstream.requests.some(({ target }) => target.endsWith("/revoke"))).toBe(true);
    expect([await store.list(), await failure(client.getValidToken(id)), await failure(client.refreshToken(id))]).toEqual([[], "sign-in-needed", "unknown-account"]);
  });

  it("says what is wrong with a paste, and takes the right one afterwards", async () => {
    const { upstream, store } = await aPlace();
    const client = clientOf(store);
    expect(await failure(client.exchangeCode("x#y"))).toBe("login-expired");
    const { authorizeUrl, attemptId } = await client.getAuthorizationUrl({ accountId: "ada" });
    expect([await failure(client.exchangeCode("code#other", attemptId)), await failure(client.exchangeCode(" ", attemptId))]).toEqual(["bad-paste", "bad-paste"]);
    expect((await client.exchangeCode(secret(await upstream.approve(authorizeUrl)), attemptId)).id).toBe("ada");
  });

  it("sees what another program has signed in or removed meanwhile", async () => {
    const { upstream, options, store } = await aPlace();
    const client = clientOf(store);
    expect(await failure(client.getValidToken())).toBe("sign-in-needed");
    const other = new TokenStore(options);
    const grant = tokensOf(upstream, 3600);
    await other.save({ id: "ada", ...grant });
    expect((await client.getValidToken("ada")).reveal()).toBe(grant.accessToken.reveal());
    await other.remove("ada");
    expect(await failure(client.getValidToken("ada"))).toBe("sign-in-needed");
  });

  it("a refused refresh token is a sign-in that is needed", async () => {
    const { upstream, store } = await aPlace();
    await store.save({ id: "ada", ...tokensOf(upstream, -1) });
    upstream.revokeAll();
    expect(await failure(clientOf(store).getValidToken("ada"))).toBe("sign-in-needed");
  });
});

const tokensOf = (upstream: Upstream, seconds: number) => {
  const { accessToken, refreshToken } = upstream.issueTokens();
  return { accessToken, refreshToken, expiresAt: Date.now() + seconds * 1000 };
};

describe("TokenStore", () => {
  it("keeps, lists and removes; the file is private and what it does not know stays", async () => {
    const { upstream, store, options } = await aPlace();
    await store.save({ id: "ada", label: "Ada", scopes: ["user:inference"], ...tokensOf(upstream, 3600) });
    await store.save({ id: "key", kind: "api_key", accessToken: secret("sk-ant-api03-0123456789") });
    await store.save({ id: "ada", ...tokensOf(upstream, 100) });
    expect((await store.list()).map(({ id, kind, label, isExpired, needsRefresh }) => [id, kind, label, isExpired, needsRefresh])).toEqual([
      ["ada", "oauth", "Ada", false, true],
      ["key", "api_key", "key", false, false],
    ]);
    const path = join(options.dir, "accounts.json");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: 1, accounts: { ada: { scopes: ["user:inference"] } } });
    expect([await store.remove("ada"), await store.remove("ada"), await store.get("ada")]).toEqual([true, false, null]);
  });

  it("forgets the last error of an account whose credential is replaced, and the expiry of an API key", async () => {
    const { upstream, options, store } = await aPlace();
    await store.save({ id: "ada", ...tokensOf(upstream, 3600) });
    const path = join(options.dir, "accounts.json");
    const stored = (): Record<string, Record<string, unknown>> => (JSON.parse(readFileSync(path, "utf8")) as { accounts: Record<string, Record<string, unknown>> }).accounts;
    writeFileSync(path, JSON.stringify({ version: 1, accounts: { ada: { ...stored()["ada"], last_error: "invalid_grant: gone" } } }), { mode: 0o600 });
    await store.save({ id: "ada", ...tokensOf(upstream, 3600) });
    expect(stored()["ada"]).toMatchObject({ last_error: null });
    await store.save({ id: "key", kind: "api_key", accessToken: secret("sk-ant-api03-0123456789"), expiresAt: 1 });
    expect(await store.get("key")).toMatchObject({ expiresAt: null, isExpired: false, needsRefresh: false });
  });

  it("refuses a name that cannot be one, and a sealed file without its passphrase", async () => {
    const { upstream, options } = await aPlace();
    const settings = { ...options.settings, "storage.encryption": "passphrase" };
    const sealed = new TokenStore({ ...options, settings, passphrase: async () => "correct horse" });
    expect(await failure(sealed.save({ id: "../x", ...tokensOf(upstream, 1) }))).toBe("bad-usage");
    await sealed.save({ id: "ada", ...tokensOf(upstream, 1000) });
    expect(readFileSync(join(options.dir, "accounts.json"), "utf8")).not.toContain("sk-ant");
    expect(await failure(new TokenStore({ ...options, settings }).list())).toBe("store-sealed");
    expect(await failure(new TokenStore({ ...options, settings, passphrase: async () => "wrong" }).list())).toBe("store-sealed");
  });

  it("takes settings as texts, numbers, lists and objects", async () => {
    const { options } = await aPlace();
    const map = { fast: [{ model: "claude-haiku-4-5" }] };
    const settings = { ...options.settings, "server.port": 4500, "server.allowedHosts": ["a.example", "b.example"], "retry.statuses": [429, 529], "models.map": map, "oauth.callback": false };
    const { config } = await new TokenStore({ ...options, settings }).coreOptions();
    expect(config).toMatchObject({ server: { port: 4500, allowedHosts: ["a.example", "b.example"] }, retry: { statuses: [429, 529] }, models: { map }, oauth: { callback: false } });
  });

  it("names every setting that is wrong", async () => {
    const { options } = await aPlace();
    expect(await failure(new TokenStore({ ...options, settings: { "server.port": "x" } }).list())).toBe("bad-config");
  });
});

describe("createProxy", () => {
  it("serves the accounts of the folder and tells its events", async () => {
    const { upstream, options, store } = await aPlace();
    await store.save({ id: "ada", ...tokensOf(upstream, 3600) });
    const proxy = await createProxy({ ...options, settings: { ...options.settings, "server.port": 0, "models.map": { fast: [{ model: "claude-haiku-4-5" }] } } });
    const types: string[] = [];
    const stop = proxy.subscribe(({ type }) => types.push(type));
    const { url } = await proxy.start();
    const body = JSON.stringify({ model: "fast", max_tokens: 16, messages: [{ role: "user", content: "x" }] });
    const response = await fetch(`${url}/v1/messages`, { method: "POST", headers: { authorization: `Bearer ${proxy.key?.reveal()}` }, body });
    expect(await response.json()).toMatchObject({ type: "message", model: "claude-haiku-4-5" });
    stop();
    await proxy.stop();
    expect(types).toEqual(expect.arrayContaining(["server.listening", "request.received", "request.finished"]));
    expect(types).not.toContain("server.stopped");
    expect(proxy.snapshot().server.status).toBe("stopped");
  });
});

describe("importing the package", () => {
  it("opens nothing, starts nothing and writes nothing", () => {
    const index = join(import.meta.dirname, "../../src/index.ts");
    // Reading modules may leave a file request behind for a moment; a timer, socket or child would be ours.
    const code = `await import(${JSON.stringify(index)}); console.log(process.getActiveResourcesInfo().filter((name) => !/^(FSReq|CloseReq|Pipe)/.test(name)).join());`;
    const home = temporaryFolder();
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8", cwd: home, env: { HOME: home, PATH: process.env["PATH"] } });
    expect([status, stdout, stderr, readdirSync(home)]).toEqual([0, "\n", "", []]);
  });
});
