// Which account a granted sign-in becomes, and what it keeps of an account that was there before.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { startApp, type RunningApp } from "../helpers/running-app.ts";
import { visit } from "../helpers/visit.ts";

type Stored = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const storedIn = ({ dir }: RunningApp): Stored => (JSON.parse(readFileSync(join(dir, "accounts.json"), "utf8")) as { accounts: Stored }).accounts;

const refusedWith = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "accepted", (reason: unknown) => reason);

describe("a sign-in", () => {
  it("of the same person is the same account, with its name, rank and age, and it serves again", async () => {
    const running = await startApp();
    const { commands } = running.app;
    await running.signIn();
    await commands.rename("claude", "Mine");
    await commands.setPriority("claude", 7);
    await commands.setEnabled("claude", false);
    const before = storedIn(running)["claude"];
    expect(await running.signIn()).toBe("claude");
    expect(Object.keys(storedIn(running))).toEqual(["claude"]);
    expect(storedIn(running)["claude"]).toMatchObject({ label: "Mine", priority: 7, enabled: true, created_at: before?.["created_at"] });
    expect(storedIn(running)["claude"]?.["access_token"]).not.toBe(before?.["access_token"]);
  });

  it("of an account that was there keeps the fields of the file that this version does not know", async () => {
    const first = await startApp();
    await first.signIn();
    await first.app.commands.stop("edit");
    const path = join(first.dir, "accounts.json");
    const text = readFileSync(path, "utf8").replace('"claude": {', '"claude": { "color": "blue", "enterprise_url": "https://corp.example",');
    writeFileSync(path, text, { mode: 0o600 });
    const next = await startApp({ dir: first.dir, shared: first.upstream });
    await next.signIn();
    expect(storedIn(next)["claude"]).toMatchObject({ color: "blue", enterprise_url: "https://corp.example" });
  });

  it.each([
    "javascript:alert(document.domain)//",
    "data:text/html,<script>1</script>",
  ])("is not begun for an account whose record leads to no web page, and the open one goes on (S17): %s", async (address) => {
    const first = await startApp();
    await first.signIn();
    await first.app.commands.stop("edit");
    const path = join(first.dir, "accounts.json");
    const text = readFileSync(path, "utf8").replace('"claude": {', `"claude": { "endpoints": ${JSON.stringify({ authorize_url: address })},`);
    writeFileSync(path, text, { mode: 0o600 });
    const { app, listening, key } = await startApp({ dir: first.dir, shared: first.upstream });
    const open = await app.commands.startLogin({});
    const call = { method: "POST", headers: { "x-api-key": key, "content-type": "application/json" }, body: JSON.stringify({ account_id: "claude" }) };
    const answer = await fetch(`${listening.url}/auth/device/start`, call);
    expect([answer.status, answer.headers.get("x-claude-oauth-proxy-error")]).toEqual([500, "bad-config"]);
    expect(await answer.text()).not.toContain(address);
    const page = await (await fetch(`${listening.url}/auth/device`, { headers: { "x-api-key": key } })).text();
    expect([page.includes(`data-attempt="${open.attemptId}"`), page.includes("javascript:"), page.includes("data:text")]).toEqual([true, false, false]);
  });

  it("of another person is another account", async () => {
    const { app, upstream } = await startApp();
    for (const user of ["ada", "grace"]) {
      const attempt = await app.commands.startLogin({ acceptIdentity: true });
      await app.commands.submitCode(secret(await upstream.approve(attempt.authorizeUrl, { user })), attempt.attemptId);
    }
    expect(app.store.snapshot().accounts.map(({ id }) => id)).toEqual(["claude", "claude-2"]);
  });

  it("of the same person for another organisation is another account", async () => {
    const running = await startApp();
    await running.signIn();
    running.upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "json", set: { organization: { uuid: "another", name: "A company" } } } });
    expect(await running.signIn()).toBe("claude-2");
  });

  it("is not given to an API key that the same person made", async () => {
    const running = await startApp();
    await running.signIn({ kind: "console" });
    expect(await running.signIn()).toBe("claude");
    expect(running.app.store.snapshot().accounts.map(({ id, kind }) => [id, kind])).toEqual([["console", "api_key"], ["claude", "oauth"]]);
  });

  it("gets the name that comes with its code, and the next one does not", async () => {
    const { app, upstream, signIn } = await startApp();
    const attempt = await app.commands.startLogin({});
    const pasted = secret(await upstream.approve(attempt.authorizeUrl));
    expect(await app.commands.submitCode(pasted, attempt.attemptId, "work")).toMatchObject({ accountId: "work" });
    await app.commands.logout("work");
    expect(await signIn()).toBe("claude");
  });

  it("keeps the scopes that the server granted, and else those it asked for", async () => {
    const running = await startApp({ set: ["oauth.scopes=user:inference user:profile"] });
    running.upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "json", set: { scope: "user:inference" } } });
    await running.signIn();
    expect(storedIn(running)["claude"]).toMatchObject({ scopes: ["user:inference"] });
    running.upstream.script({ match: { grant: "authorization_code" }, fault: { kind: "json", omit: ["scope"] } });
    await running.signIn();
    expect(storedIn(running)["claude"]).toMatchObject({ scopes: ["user:inference", "user:profile"] });
  });

  it("under a name that cannot be one is refused, and the text is not repeated", async () => {
    const { app } = await startApp();
    const error = await refusedWith(app.commands.startLogin({ accountId: "sk-ant-API03-canary" }));
    expect(error).toMatchObject({ code: "bad-usage" });
    expect(String(error)).not.toContain("canary");
    expect(app.commands.pendingLogin()).toBeNull();
  });

  it("is refused in pass-through mode", async () => {
    const { app } = await startApp({ set: ["mode=pass-through"] });
    expect(await refusedWith(app.commands.startLogin({}))).toMatchObject({ code: "bad-usage", hint: "Set mode to oauth to sign in." });
  });

  it("is refused in pass-through mode over HTTP as well, and so is every change of an account, even with the key (S2)", async () => {
    const { listening, dir } = await startApp({ set: ["mode=pass-through"] });
    const key = readFileSync(join(dir, "key"), "utf8").trim();
    const ask = (method: string, path: string, authorization?: string): Promise<Response> =>
      fetch(
        listening.url + path,
        { method, headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) }, body: JSON.stringify({ all: true, enabled: false }) },
      );
    const calls = [["POST", "/auth/logout"], ["POST", "/auth/refresh"], ["PATCH", "/api/accounts/max-1"], ["DELETE", "/api/accounts/max-1"], ["POST", "/auth/device/start"]] as const;
    for (const [method, path] of calls) {
      expect((await ask(method, path)).status).toBe(401);
      const refused = await ask(method, path, `Bearer ${key}`);
      expect([refused.status, refused.headers.get("x-claude-oauth-proxy-error")]).toEqual([400, "bad-usage"]);
    }
  });

  it("leads back to the port that is open anyway, and to nowhere without the callback", async () => {
    const { app, listening } = await startApp();
    const { shortUrl } = await app.commands.startLogin({});
    expect(new URL((await visit(shortUrl ?? "")).location).searchParams.get("redirect_uri")).toBe(`http://localhost:${listening.port}/callback`);
    const without = await startApp({ set: ["oauth.callback=false"] });
    const attempt = await without.app.commands.startLogin({});
    expect(attempt).toMatchObject({ returns: false, shortUrl: expect.stringMatching(new RegExp(`^http://localhost:${without.listening.port}/login/[\\w-]{11}$`)) });
    expect((await visit(attempt.shortUrl ?? "")).location).toBe(attempt.authorizeUrl);
  });
});
