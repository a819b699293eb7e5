// Whose sign-in becomes which account, what is asked first, and what a no leaves: nothing here, and nothing at the server.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Account } from "../../src/accounts/account.ts";
import { openCore } from "../../src/app/core.ts";
import { isAnswered, placeOf } from "../../src/app/identity.ts";
import { createLoginCommands } from "../../src/app/login-commands.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { secret } from "../../src/lib/secret.ts";
import type { LoginOptions, SubmitOutcome } from "../../src/messages/commands.ts";
import { identityConflict, identityQuestion } from "../../src/messages/identity.ts";
import type { GrantedLogin } from "../../src/oauth/login-attempt.ts";
import { storeGrants } from "../helpers/data-folder.ts";
import { settingsOf, startApp } from "../helpers/running-app.ts";
import type { RunningApp } from "../helpers/running-app.ts";
import { accountOf } from "../storage/account-of.ts";
import { settings } from "../oauth/settings.ts";

const person = (name: string) => ({ uuid: `uuid-${name}`, emailAddress: `${name}@example.com` });
const organization = (name: string) => ({ uuid: `org-${name}`, name: `${name}'s` });

const account = (id: string, name: string | null, more: Partial<Account> = {}): Account => ({
  ...accountOf(id),
  account: name === null ? null : person(name),
  organization: name === null ? null : organization(name),
  ...more,
});

const login = (name: string | null, more: Partial<GrantedLogin> = {}): GrantedLogin => ({
  kind: "max",
  accountId: null,
  settings,
  grant: { accessToken: secret("a"), refreshToken: null, expiresAt: 1, scopes: null, organization: name === null ? null : organization(name), account: name === null ? null : person(name) },
  ...more,
});

const place = (accounts: readonly Account[], granted: GrantedLogin, wantedId: string | null = null) =>
  placeOf(new Map(accounts.map((known) => [known.id, known])), { login: granted, wantedId, isOfServer: ({ endpoints }) => endpoints === undefined });

describe("the account that a granted sign-in becomes", () => {
  it.each<[string, readonly Account[], GrantedLogin, string | null, string]>([
    ["the first of all", [], login("ada"), null, "claude"],
    ["the first of all, under a name", [], login("ada"), "work", "work"],
    ["the same person again", [account("claude", "ada")], login("ada"), null, "claude"],
    ["the same person under the same name", [account("work", "ada")], login("ada"), "work", "work"],
    ["a person who is here, for another organisation", [account("claude", "ada")], login("ada", { grant: { ...login("ada").grant, organization: organization("company") } }), null, "claude-2"],
    ["a person who is here under another name, under a new one", [account("claude", "ada")], login("ada"), "second", "second"],
    ["a person who is here, for an API key", [account("claude", "ada")], login("ada", { kind: "console" }), null, "console"],
    ["an account that never had a known holder", [account("imported", null)], login("ada"), "imported", "imported"],
    ["an account whose organisation is not known", [account("work", "ada", { organization: null })], login("ada"), "work", "work"],
    ["a server that names nobody, again", [account("claude", null)], login(null), "claude", "claude"],
  ])("is not asked about: %s", (...[, accounts, granted, wantedId, id]) => {
    expect(place(accounts, granted, wantedId)).toMatchObject({ id, asked: null });
  });

  it.each<[string, readonly Account[], GrantedLogin, string | null, string]>([
    ["a person who is not here", [account("claude", "ada")], login("dana"), null, "Add dana@example.com to this proxy?"],
    ["that under a new name", [account("claude", "ada")], login("dana"), "work", "Add dana@example.com to this proxy?"],
    ["that for an API key", [account("claude", "ada")], login("dana", { kind: "console" }), null, "Add dana@example.com to this proxy?"],
    ["a person beside an account of nobody known", [account("imported", null)], login("ada"), null, "Add ada@example.com to this proxy?"],
    ["the same id at another server", [account("there", "ada", { endpoints: { tokenUrl: "https://other.example" } })], login("ada"), null, "Add ada@example.com to this proxy?"],
    ["a person whom the server does not name", [account("claude", "ada")], login(null), null, "Add a person whom the server does not name to this proxy?"],
    ["another person under the same name", [account("work", "ada")], login("dana"), "work", 'Replace ada@example.com by dana@example.com in the account "work"?'],
    ["another person who is here, under that name", [account("work", "ada"), account("claude", "dana")], login("dana"), "work", 'Replace ada@example.com by dana@example.com in the account "work"?'],
    [
      "another organisation of the same person under the same name", [account("work", "ada")], login("ada", { grant: { ...login("ada").grant, organization: organization("company") } }), "work",
      `Replace ada@example.com (ada's) by ada@example.com (company's) in the account "work"?`,
    ],
    ["a sign-in in the place of an API key", [account("key", null, { kind: "api_key" })], login("ada"), "key", 'Replace an API key by the sign-in of ada@example.com (ada\'s) in the account "key"?'],
    [
      "an API key in the place of a sign-in", [account("work", "ada")], login("ada", { kind: "console" }), "work",
      `Replace the sign-in of ada@example.com (ada's) by an API key of ada@example.com (ada's) in the account "work"?`,
    ],
  ])("is asked about: %s", (...[, accounts, granted, wantedId, question]) => {
    const { asked } = place(accounts, granted, wantedId);
    expect(asked === null ? null : identityQuestion(asked)).toBe(question);
  });

  it("is agreed to by the answer to that question only", () => {
    const { asked } = place([account("work", "ada")], login("dana"), "work");
    if (asked === null) throw new Error("not asked");
    const others = [null, { ...asked, email: "x" }, { ...asked, accountId: "x" }, { ...asked, replaces: null }];
    expect([asked, ...others].map((accepted) => isAnswered(asked, accepted))).toEqual([true, false, false, false, false]);
    expect(identityConflict({ ...asked, email: "\u001b[2Jdana" })).toContain("·[2Jdana");
  });
});

const signInAs = async ({ app, upstream }: RunningApp, user: string, options: LoginOptions = {}): Promise<SubmitOutcome> => {
  const attempt = await app.commands.startLogin(options);
  return app.commands.submitCode(secret(await upstream.approve(attempt.authorizeUrl, { user })), attempt.attemptId);
};

const answer = ({ app }: RunningApp, outcome: SubmitOutcome, accept: boolean): Promise<SubmitOutcome> => {
  if (outcome.outcome !== "confirm") throw new Error(outcome.outcome);
  return app.commands.answerIdentity({ attemptId: null, confirm: outcome.question.confirm, accept });
};

const upstreamSettings = (upstream: Upstream): readonly string[] => Object.entries(upstream.settings()).map(([key, value]) => `${key}=${value}`);

const stored = ({ dir }: RunningApp): Readonly<Record<string, { readonly access_token: string }>> => (JSON.parse(readFileSync(join(dir, "accounts.json"), "utf8")) as { accounts: never }).accounts;

describe("a proxy that has an account", () => {
  it("takes another person in after a yes only, and that person without a question from then on (A27)", async () => {
    const running = await startApp();
    await running.signIn();
    const outcome = await signInAs(running, "grace");
    expect(outcome).toMatchObject({ outcome: "confirm", question: { email: "grace@example.com", accountId: "claude-2", replaces: null } });
    expect([Object.keys(stored(running)), running.app.store.snapshot().accounts.length]).toEqual([["claude"], 1]);
    expect(await answer(running, outcome, true)).toMatchObject({ outcome: "signed-in", accountId: "claude-2" });
    expect(await signInAs(running, "grace")).toMatchObject({ outcome: "signed-in", accountId: "claude-2" });
    expect(JSON.stringify(running.events)).not.toContain("example.com");
  });

  it("gives what was declined, cancelled or never answered back to the server (A27)", async () => {
    const running = await startApp();
    await running.signIn();
    const revoked = (): number => running.upstream.requests.filter(({ target }) => target.endsWith("/revoke")).length;
    expect(await answer(running, await signInAs(running, "grace"), false)).toMatchObject({ outcome: "failed", message: expect.stringContaining("grace@example.com was not added") as string });
    expect(revoked()).toBe(1);
    await signInAs(running, "grace");
    running.app.commands.cancelLogin(running.app.commands.pendingLogin()?.attemptId ?? "");
    await expect.poll(revoked).toBe(2);
    await signInAs(running, "grace");
    await running.app.commands.stop("test");
    expect([revoked(), Object.keys(stored(running))]).toEqual([3, ["claude"]]);
  });

  it("replaces a named account by another person after a yes only (A28)", async () => {
    const running = await startApp();
    await signInAs(running, "ada", { accountId: "work" });
    const before = stored(running)["work"]?.access_token;
    const outcome = await signInAs(running, "grace", { accountId: "work" });
    expect(outcome).toMatchObject({ outcome: "confirm", question: { email: "grace@example.com", accountId: "work", replaces: { email: "ada@example.com" } } });
    expect(await answer(running, outcome, false)).toMatchObject({ message: expect.stringContaining('The account "work" was left as it is') as string });
    expect(stored(running)["work"]?.access_token).toBe(before);
    expect(await answer(running, await signInAs(running, "grace", { accountId: "work" }), true)).toMatchObject({ outcome: "signed-in", accountId: "work" });
    expect(stored(running)["work"]).toMatchObject({ account: { email_address: "grace@example.com" } });
  });

  it("does not replace an API key that was typed in by a sign-in without a word (A28)", async () => {
    const running = await startApp();
    await running.app.commands.addApiKey({ key: running.upstream.issueApiKey(), accountId: "key" });
    const outcome = await signInAs(running, "ada", { accountId: "key" });
    expect(outcome).toMatchObject({ outcome: "confirm", question: { replaces: { kind: "api_key", email: null } } });
  });

  it("makes no API key of a person who is asked about before the yes", async () => {
    const running = await startApp();
    await running.signIn();
    const made = (): number => running.upstream.requests.filter(({ target }) => target.includes("/create_api_key")).length;
    const outcome = await signInAs(running, "grace", { kind: "console" });
    expect(made()).toBe(0);
    expect(await answer(running, outcome, true)).toMatchObject({ outcome: "signed-in", accountId: "console" });
    expect(made()).toBe(1);
  });

  it("does not replace what another process signed in under that name after the question was decided (A28)", async () => {
    const running = await startApp();
    const { upstream, app, dir } = running;
    storeGrants(dir, { ada: { grant: upstream.issueTokens({ account: "ada" }) } });
    const attempt = await app.commands.startLogin({ accountId: "work" });
    const outcome = await app.commands.submitCode(secret(await upstream.approve(attempt.authorizeUrl, { user: "grace" })), null);
    expect(outcome).toMatchObject({ outcome: "confirm", question: { replaces: null } });
    const grant = upstream.issueTokens({ account: "ada" });
    storeGrants(dir, { ada: { grant }, work: { grant, more: { account: { uuid: "someone", email_address: "someone@example.com" } } } });
    expect(await answer(running, outcome, true)).toMatchObject({ outcome: "confirm", question: { replaces: { email: "someone@example.com" } } });
  });

  it("nor what another process stored under that name in the same moment (A28)", async () => {
    const { upstream, dir } = await startApp();
    const core = await openCore({ config: settingsOf(upstreamSettings(upstream)), dir, version: "0.0.0-test", environment: {}, askPassphrase: async () => null, process });
    onTestFinished(() => core.close());
    storeGrants(dir, { work: { grant: upstream.issueTokens({ account: "ada" }), more: { account: { uuid: "someone", email_address: "someone@example.com" } } } });
    const commands = createLoginCommands({ ...core, accounts: { ...core.accounts, load: async () => new Map() } }, async () => null);
    const { authorizeUrl } = await commands.startLogin({ accountId: "work" });
    const outcome = await commands.submitCode(secret(await upstream.approve(authorizeUrl, { user: "grace" })), null);
    expect(outcome).toMatchObject({ outcome: "retry", message: expect.stringContaining("changed by another process") as string });
    expect([...(await core.accounts.load()).values()].map((known) => known.account?.emailAddress)).toEqual(["someone@example.com"]);
  });
});
