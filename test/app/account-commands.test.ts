// What a person may ask about accounts, and what is refused before anything is stored.
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { startApp, type RunningApp } from "../helpers/running-app.ts";

const key = secret("sk-ant-api03-second-account-of-this-test");

const withKey = async (): Promise<RunningApp> => {
  const running = await startApp();
  await running.app.commands.addApiKey({ key });
  return running;
};

const rowOf = ({ app }: RunningApp, id: string) => app.store.snapshot().accounts.find((account) => account.id === id);

const refusedWith = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "accepted", (reason: unknown) => reason);

const post = ({ listening, key: local }: RunningApp, path: string, body: unknown): Promise<Response> =>
  fetch(listening.url + path, { method: "POST", headers: { authorization: `Bearer ${local}`, "content-type": "application/json" }, body: JSON.stringify(body) });

describe("an API key", () => {
  it("gets the next free name, and replaces the key of a name that is given", async () => {
    const { app } = await withKey();
    expect(await app.commands.addApiKey({ key })).toMatchObject({ accountId: "api-key-2" });
    expect(await app.commands.addApiKey({ key, accountId: "api-key-2", label: " Work " })).toMatchObject({ accountId: "api-key-2" });
    expect(app.store.snapshot().accounts.map(({ id, label }) => [id, label])).toEqual([["api-key", "api-key"], ["api-key-2", "Work"]]);
  });

  it("never takes the place of a sign-in", async () => {
    const running = await startApp();
    await running.signIn({ accountId: "mine" });
    expect(await refusedWith(running.app.commands.addApiKey({ key, accountId: "mine" }))).toMatchObject({ code: "conflict" });
    expect(rowOf(running, "mine")).toMatchObject({ kind: "oauth" });
  });

  it.each([
    ["of 15 characters", "k".repeat(15)],
    ["of 4097 characters", "k".repeat(4097)],
    ["with a blank in it", "sk-ant-api03 canary-canary"],
    ["of two lines", "sk-ant-api03-canary\nsk-ant-api03-canary"],
  ])("%s is refused and not repeated", async (_case, text) => {
    const { app } = await startApp();
    const error = await refusedWith(app.commands.addApiKey({ key: secret(text) }));
    expect(error).toMatchObject({ code: "bad-usage" });
    expect(String(error)).not.toContain(text);
    expect(app.store.snapshot().accounts).toEqual([]);
  });

  it.each([16, 4096])("of %i characters is taken", async (length) => {
    const { app } = await startApp();
    expect(await app.commands.addApiKey({ key: secret("k".repeat(length)) })).toMatchObject({ accountId: "api-key" });
  });

  it("cannot be refreshed", async () => {
    const { app } = await withKey();
    expect(await refusedWith(app.commands.refresh("api-key"))).toMatchObject({ code: "bad-usage" });
    expect(await refusedWith(app.commands.refresh(null))).toMatchObject({ code: "sign-in-needed" });
  });
});

describe("a change of an account", () => {
  it("is stored, shown and gives its reason", async () => {
    const running = await withKey();
    const { commands } = running.app;
    await commands.setEnabled("api-key", false);
    await commands.setPriority("api-key", 1_000_000);
    await commands.rename("api-key", `  ${"x".repeat(80)} `);
    expect(rowOf(running, "api-key")).toMatchObject({ enabled: false, priority: 1_000_000, label: "x".repeat(80) });
    expect(await running.event("account.disabled")).toMatchObject({ accountId: "api-key", reason: "disabled by hand" });
    await commands.setEnabled("api-key", true);
    expect(rowOf(running, "api-key")).toMatchObject({ enabled: true });
  });

  it.each([-1, 1_000_001, 1.5, Number.NaN])("to the priority %d is refused", async (priority) => {
    const running = await withKey();
    expect(await refusedWith(running.app.commands.setPriority("api-key", priority))).toMatchObject({ code: "bad-usage" });
    expect(rowOf(running, "api-key")).toMatchObject({ priority: 1 });
  });

  it.each([
    ["nothing but blanks", "  "],
    ["81 characters", "x".repeat(81)],
    ["an escape sequence", "a\u001b[2Jb"],
    ["an invisible sign", "a\u200bb"],
  ])("to a label of %s is refused", async (_case, label) => {
    const running = await withKey();
    expect(await refusedWith(running.app.commands.rename("api-key", label))).toMatchObject({ code: "bad-usage" });
    expect(rowOf(running, "api-key")).toMatchObject({ label: "api-key" });
  });

  it("that is not there says so, and does not repeat what cannot be a name", async () => {
    const { app } = await withKey();
    expect(await refusedWith(app.commands.rename("other", "x"))).toMatchObject({ code: "unknown-account", message: 'there is no account "other"' });
    const error = await refusedWith(app.commands.setEnabled("sk-ant-API03-canary", true));
    expect(error).toMatchObject({ code: "unknown-account", message: "there is no account of such a name" });
    expect(await refusedWith(app.commands.logout("other"))).toMatchObject({ code: "unknown-account" });
    expect(await refusedWith(app.commands.refresh("other"))).toMatchObject({ code: "unknown-account" });
  });
});

describe("a refresh of every account", () => {
  it.each([["first", "second"], ["second", "first"]])("that fails for the %s account goes on, and reports that failure", async (failing, other) => {
    const running = await startApp();
    for (const accountId of ["first", "second"]) await running.signIn({ accountId });
    await running.app.commands.addApiKey({ key });
    const refreshed = { match: { grant: "refresh_token" }, fault: { kind: "headers", headers: [] } } as const;
    const refused = { match: { grant: "refresh_token" }, fault: { kind: "status", status: 400, body: { error: "invalid_grant" } } } as const;
    for (const rule of failing === "first" ? [refused, refreshed] : [refreshed, refused]) running.upstream.script(rule);
    expect(await running.app.commands.refresh(null)).toMatchObject({ outcome: "failed", needsLogin: true });
    expect(running.upstream.tokenCalls().refresh_token).toBe(2);
    expect(await running.event("token.refreshed")).toMatchObject({ accountId: other, reason: "manual" });
  });
});

describe("signing out", () => {
  it("over HTTP without a name never costs several accounts their sign-in by surprise", async () => {
    const running = await withKey();
    await running.signIn({ acceptIdentity: true });
    const refused = await post(running, "/auth/logout", {});
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain("api-key, claude");
    expect(running.app.store.snapshot().accounts).toHaveLength(2);
    const all = await post(running, "/auth/logout", { all: true });
    expect(await all.json()).toMatchObject({ removed: ["api-key", "claude"] });
  });

  it("revokes the refresh token at the server, which ends the whole grant", async () => {
    const running = await startApp();
    await running.signIn();
    await running.app.commands.logout("claude");
    const call = running.upstream.requests.find(({ target }) => target === "/v1/oauth/token/revoke");
    expect(String(call?.body)).toContain("sk-ant-ort01-");
    expect(String(call?.body)).not.toContain("sk-ant-oat01-");
  });

  it("removes the account even when the server does not take it back, and says so", async () => {
    const running = await startApp();
    await running.signIn();
    running.upstream.script({ match: { path: "/v1/oauth/token/revoke" }, fault: { kind: "status", status: 500 } });
    expect((await post(running, "/auth/logout", {})).status).toBe(200);
    expect(running.app.store.snapshot().accounts).toEqual([]);
    expect(await running.event("notice", ({ code }) => code === "not-revoked")).toMatchObject({ level: "warning" });
    expect(running.upstream.requests.map(({ target }) => target)).toContain("/v1/oauth/token/revoke");
  });
});
