// Accounts from the command line to the wire, with the real program: how they come in, which one serves a
// request and why, and how they go.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import type { DataFolder, Running } from "../helpers/data-folder.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";

const end = async (folder: DataFolder, args: readonly string[], more: Running & { readonly input?: string } = {}) => {
  const program = folder.program(args, more);
  if (more.input !== undefined) program.write(more.input);
  program.endInput();
  const { code } = await program.waitForExit({ within: 20_000 });
  return { code, out: program.stdout(), err: program.stderr() };
};

/** Whose credential came with each message, in the order of arrival. */
const served = ({ upstream }: DataFolder): readonly (string | null)[] => upstream.requests.filter(({ target }) => target.startsWith("/v1/messages")).map(({ account }) => account);

const adaAndGrace = async (more: { readonly ada?: object; readonly grace?: object } = {}): Promise<DataFolder> => {
  const folder = await createDataFolder();
  const { upstream, dir } = folder;
  storeGrants(dir, {
    ada: { grant: upstream.issueTokens({ account: "ada" }), more: more.ada ?? {} },
    grace: { grant: upstream.issueTokens({ account: "grace" }), more: more.grace ?? {} },
  });
  return folder;
};

/** Why an account was chosen is a fact of the debug level. */
const talkative = "log.level=debug";

const session = (id: string) => ({ headers: { "x-claude-code-session-id": id } });
const sonnet = "claude-sonnet-4-5";

describe("which account serves", () => {
  it("each in turn, and says so (A17)", async () => {
    const folder = await adaAndGrace();
    const proxy = await folder.proxy({ set: [talkative] });
    for (let count = 0; count < 10; count += 1) expect((await proxy.ask()).status).toBe(200);
    expect(["ada", "grace"].map((id) => served(folder).filter((account) => account === id).length)).toEqual([5, 5]);
    expect(await proxy.waitForEvent("request.assigned")).toMatchObject({ reason: "round-robin" });
  });

  it("a session stays on its account, two sessions are spread, and a limit moves one over", async () => {
    const folder = await adaAndGrace();
    const proxy = await folder.proxy({ set: [talkative] });
    for (const id of ["one", "two", "one", "two", "one", "one"]) await proxy.ask(session(id));
    const [first, second] = served(folder);
    expect(served(folder)).toEqual([first, second, first, second, first, first]);
    expect(first).not.toBe(second);
    expect(await proxy.waitForEvent("request.assigned", ({ reason }) => reason === "sticky")).toBeDefined();
    folder.upstream.script({ match: { path: "/v1/messages", account: first ?? "" }, fault: { kind: "plan-limit", window: "5h" } });
    expect((await proxy.ask(session("one"))).status).toBe(429);
    expect(await proxy.waitForEvent("account.cooling")).toMatchObject({ accountId: first, limited: true });
    expect((await proxy.ask(session("one"))).status).toBe(200);
    expect(served(folder).at(-1)).toBe(second);
    expect(await (await fetch(`${proxy.url}/health`)).json()).toMatchObject({ accounts: expect.arrayContaining([expect.objectContaining({ id: first, health: "limited" })]) });
  });

  it("by priority: the first one while it can, the next one when it cannot, none that is disabled", async () => {
    const folder = await adaAndGrace({ ada: { priority: 2 }, grace: { priority: 1 } });
    expect((await end(folder, ["accounts", "priority", "ada", "0"])).code).toBe(0);
    const proxy = await folder.proxy({ set: [talkative, "accounts.strategy=priority"] });
    for (let count = 0; count < 3; count += 1) await proxy.ask();
    expect((await end(folder, ["accounts", "disable", "ada"])).code).toBe(0);
    await proxy.waitForEvent("account.disabled");
    await proxy.ask();
    expect((await end(folder, ["accounts", "enable", "ada"])).code).toBe(0);
    await proxy.waitForEvent("account.enabled");
    await proxy.ask();
    expect(served(folder)).toEqual(["ada", "ada", "ada", "grace", "ada"]);
    expect(await proxy.waitForEvent("request.assigned")).toMatchObject({ reason: "priority" });
  });

  it("by the model map: the account and the model named there, the next route when that cannot serve, the default for the rest", async () => {
    const folder = await adaAndGrace({ ada: { enabled: false } });
    const map = JSON.stringify({ fast: [{ model: "claude-haiku-4-5", account: "ada", priority: 1 }, { model: sonnet, account: "grace", priority: 2 }] });
    const proxy = await folder.proxy({ set: [`models.map=${map}`, "models.default=claude-opus-4-8"] });
    expect((await end(folder, ["accounts", "enable", "ada"])).code).toBe(0);
    await proxy.waitForEvent("account.enabled");
    expect(JSON.parse((await proxy.ask({ model: "fast" })).text)).toMatchObject({ model: "claude-haiku-4-5" });
    expect((await end(folder, ["accounts", "disable", "ada"])).code).toBe(0);
    await proxy.waitForEvent("account.disabled");
    expect(JSON.parse((await proxy.ask({ model: "fast" })).text)).toMatchObject({ model: sonnet });
    expect(JSON.parse((await proxy.ask({ model: "anything" })).text)).toMatchObject({ model: "claude-opus-4-8" });
    expect(served(folder)).toEqual(["ada", "grace", "grace"]);
    const sent = folder.upstream.requests.map(({ body }) => body.toString());
    const asked = JSON.stringify({ model: "fast", max_tokens: 16, messages: [{ role: "user", content: "Say something short." }] });
    expect(sent[0]).toBe(asked.replace('"fast"', '"claude-haiku-4-5"'));
  });

  it("oauth.rotateAfterHours refreshes an old token that has long to live, once", async () => {
    const folder = await adaAndGrace({ ada: { refreshed_at: new Date(Date.now() - 3 * 3_600_000).toISOString() }, grace: { refreshed_at: new Date().toISOString() } });
    const proxy = await folder.proxy({ set: ["oauth.rotateAfterHours=2", "oauth.sweepSeconds=1"] });
    expect(await proxy.waitForEvent("token.refreshed")).toMatchObject({ accountId: "ada", reason: "rotate" });
    expect((await proxy.ask()).status).toBe(200);
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
  });
});

describe("how an account comes in", () => {
  it("a console sign-in makes an API key, which then serves and is never refreshed", async () => {
    const folder = await createDataFolder();
    const login = folder.program(["login", "--console", "--account", "team"]);
    const link = (await login.waitForLine(/http:\/\/127\.0\.0\.1:\d+\/\S+authorize\?/)).trim();
    login.write(`${await folder.upstream.approve(link)}\n`);
    expect((await login.waitForExit()).code).toBe(0);
    expect(folder.accounts()["team"]).toMatchObject({ kind: "api_key", refresh_token: null, expires_at: null });
    const proxy = await folder.proxy();
    expect((await proxy.ask()).status).toBe(200);
    const [message] = folder.upstream.requests.filter(({ target }) => target === "/v1/messages");
    expect(message?.rawHeaders.map((name) => name.toLowerCase())).toEqual(expect.arrayContaining(["x-api-key"]));
    expect((await end(folder, ["refresh", "team"])).code).toBe(2);
  });

  it("the files of both ancestors: their accounts serve, a second import changes nothing, bad entries are named", async () => {
    const folder = await createDataFolder();
    const [mux, proxyFile] = [folder.upstream.issueTokens({ account: "ada" }), folder.upstream.issueTokens({ account: "grace" })];
    const from = temporaryFolder();
    const tokensOf = ({ accessToken, refreshToken, expiresAt }: typeof mux) => ({
      access_token: accessToken.reveal(),
      refresh_token: refreshToken?.reveal(),
      expires_at: new Date(expiresAt ?? 0).toISOString(),
    });
    const [one, two] = [join(from, "oauth_tokens.json"), join(from, "account_7.json")];
    writeFileSync(one, JSON.stringify({ "anthropic-max": { provider_id: "anthropic-max", ...tokensOf(mux), enterprise_url: null }, broken: { provider_id: "broken" } }));
    writeFileSync(two, JSON.stringify({ id: "acc-7", name: "Work", ...tokensOf(proxyFile), status: "active", last_refresh_error: "" }));
    const first = await end(folder, ["import", one]);
    expect([first.code, first.err]).toEqual([0, expect.stringContaining("1 imported, 1 skipped")]);
    expect(first.err).not.toContain("sk-ant");
    expect((await end(folder, ["import", two])).code).toBe(0);
    expect(Object.keys(folder.accounts())).toEqual(["anthropic-max", "acc-7"]);
    expect(folder.accounts()["anthropic-max"]).toMatchObject({ enterprise_url: null });
    const before = readFileSync(join(folder.dir, "accounts.json"), "utf8");
    expect((await end(folder, ["import", two])).code).toBe(1);
    expect(readFileSync(join(folder.dir, "accounts.json"), "utf8")).toBe(before);
    const proxy = await folder.proxy();
    expect([(await proxy.ask()).status, (await proxy.ask()).status]).toEqual([200, 200]);
    expect(served(folder).toSorted()).toEqual(["ada", "grace"]);
  });

  it("accounts set gives one its own server, and says no to an address that is not safe", async () => {
    const folder = await adaAndGrace();
    expect((await end(folder, ["accounts", "set", "ada", "baseUrl", "http://example.com"])).code).toBe(2);
    expect(await end(folder, ["accounts", "set", "ada", "baseUrl", "https://other.example"])).toMatchObject({ code: 0, err: "account ada has its own baseUrl; its credential goes there\n" });
    expect(folder.accounts()["ada"]).toMatchObject({ endpoints: { base_url: "https://other.example" } });
    expect((await end(folder, ["accounts", "set", "ada", "baseUrl"])).code).toBe(0);
    expect(folder.accounts()["ada"]).not.toHaveProperty("endpoints");
  });
});

describe("how an account goes, and what stays", () => {
  it("logout revokes at the server, and a server that cannot be reached keeps nobody signed in", async () => {
    const folder = await adaAndGrace();
    const grantOf = folder.accounts()["ada"]?.access_token ?? "";
    expect(await end(folder, ["logout", "ada"])).toMatchObject({ code: 0, err: "signed out: ada\n" });
    const models = await fetch(`${folder.upstream.baseUrl}/v1/models`, { headers: { authorization: `Bearer ${grantOf}`, "anthropic-beta": "oauth-2025-04-20" } });
    expect([models.status, await models.text()]).toEqual([401, expect.stringContaining("revoked")]);
    const { code, err } = await end(folder, ["logout", "--all"], { set: ["oauth.tokenUrl=http://127.0.0.1:9/v1/oauth/token"] });
    expect([code, err]).toEqual([0, expect.stringContaining("the server did not take the credential back")]);
    expect(folder.accounts()).toEqual({});
  });

  it("a torn file is put aside, its backup is used, and every account serves (D3)", async () => {
    const folder = await adaAndGrace();
    expect((await end(folder, ["accounts", "list"])).code).toBe(0);
    const path = join(folder.dir, "accounts.json");
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole.slice(0, whole.length / 2));
    const proxy = await folder.proxy();
    expect([(await proxy.ask()).status, (await proxy.ask()).status]).toEqual([200, 200]);
    expect(served(folder).toSorted()).toEqual(["ada", "grace"]);
    expect(Object.keys(folder.accounts())).toEqual(["ada", "grace"]);
    expect(await proxy.waitForEvent("notice", ({ message }) => message.includes("accounts.json"))).toMatchObject({ message: expect.stringMatching(/backup/) });
  });

  it("pass-through stores nothing, injects nothing, and sees everything", async () => {
    const folder = await createDataFolder();
    const token = folder.upstream.issueTokens({ account: "grace" }).accessToken.reveal();
    const proxy = await folder.proxy({ set: [talkative, "mode=pass-through", "auth.required=false"] });
    const headers = { authorization: `Bearer ${token}`, "anthropic-beta": "oauth-2025-04-20", "anthropic-version": "2023-06-01", "content-type": "application/json" };
    const body = JSON.stringify({ model: sonnet, max_tokens: 16, messages: [{ role: "user", content: "x" }] });
    const answer = await fetch(`${proxy.url}/v1/messages`, { method: "POST", headers, body });
    expect([answer.status, served(folder)]).toEqual([200, ["grace"]]);
    await answer.text();
    const { rawHeaders = [] } = folder.upstream.requests[0] ?? {};
    expect(rawHeaders.filter((value) => value === `Bearer ${token}`)).toHaveLength(1);
    expect(await proxy.waitForEvent("request.assigned")).toMatchObject({ accountId: null, reason: "pass-through" });
    expect(await proxy.waitForEvent("request.finished")).toMatchObject({ status: 200, outcome: "ok" });
    expect(() => folder.accounts()).toThrow("ENOENT");
    expect(proxy.stdout()).not.toContain(token);
  });
});

describe("the refresh timeline", () => {
  it("is told by status without a proxy and with one, in words and as JSON, over processes", async () => {
    const folder = await adaAndGrace();
    expect((await end(folder, ["refresh", "ada"])).code).toBe(0);
    expect((await end(folder, ["status"])).out).toMatch(/account ada .*refreshed \(manual\) \d+s ago/);
    const line = { account_id: "ada", outcome: "refreshed", reason: "manual", new_expires_at: folder.accounts()["ada"]?.expires_at };
    const still = JSON.parse((await end(folder, ["status", "--json"])).out) as object;
    expect(still).toMatchObject({ running: false, accounts: [{ id: "ada", last_refresh: { outcome: "refreshed" } }, { id: "grace", last_refresh: null }], refreshes: [line] });
    const proxy = await folder.proxy();
    const asked = await end(folder, ["status", "--json", "--set", `server.port=${new URL(proxy.url).port}`]);
    expect(JSON.parse(asked.out)).toMatchObject({ running: true, accounts: [{ id: "ada", last_refresh: { reason: "manual" } }, { id: "grace" }], refreshes: [line] });
    expect(asked.out).not.toContain("sk-ant");
  });
});
