// The files of claude-code-mux and claude-proxy, good and bad, and the merge that replaces nothing.
import { jsonValue, assert, property, string } from "fast-check";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { systemFiles } from "../../src/storage/files.ts";
import { mergeImport, parseImport, readImport } from "../../src/storage/import.ts";
import { accountOf, storeIn, temporaryFolder } from "./kit.ts";

const now = Date.UTC(2026, 0, 2);
const mux = {
  "anthropic-max": { provider_id: "anthropic-max", access_token: "ey...", refresh_token: "rt_1", expires_at: "2025-11-18T15:30:00Z", enterprise_url: null },
  other: { provider_id: "other", access_token: "at", refresh_token: "rt_2", expires_at: "2025-11-18T16:30:00+00:00", enterprise_url: "https://e.example", tier: { deep: 1 } },
};
const proxy = {
  id: "Account 1", name: "Work", access_token: "at", refresh_token: "rt", expires_at: "2025-11-18T15:30:00.5+01:00", refresh_at: 1_763_476_200,
  status: "active", last_refresh_error: "", created_by: "me",
};
const fileWith = (content: unknown, name = "in.json"): string => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const read = (path: string) => readImport(path, { files: systemFiles, now });

describe("oauth_tokens.json of claude-code-mux", () => {
  it("becomes accounts, with enterprise_url and unknown fields", () => {
    const { accounts, problems } = read(fileWith(mux));
    expect(problems).toEqual([]);
    expect(accounts).toMatchObject([
      { id: "anthropic-max", providerId: "anthropic-max", kind: "oauth", expiresAt: Date.UTC(2025, 10, 18, 15, 30), createdAt: now, enterpriseUrl: null },
      { id: "other", expiresAt: Date.UTC(2025, 10, 18, 16, 30), enterpriseUrl: "https://e.example", unknown: { tier: { deep: 1 } } },
    ]);
    expect(accounts.map(({ accessToken, refreshToken }) => [accessToken.reveal(), refreshToken?.reveal()])).toEqual([["ey...", "rt_1"], ["at", "rt_2"]]);
  });

  it("keeps enterprise_url: null through our own file", async () => {
    const dir = temporaryFolder();
    const { store } = storeIn(dir);
    await store.update((current) => mergeImport(current, read(fileWith(mux)).accounts).accounts);
    const after = await storeIn(dir).store.load();
    expect([after.get("anthropic-max")?.enterpriseUrl, after.get("other")?.enterpriseUrl, after.get("other")?.unknown]).toEqual([null, "https://e.example", { tier: { deep: 1 } }]);
  });

  it("gives the good entries and a sentence for each bad one", () => {
    const { accounts, problems } = read(fileWith({ ...mux, bad: { refresh_token: "x" }, worse: 7 }));
    expect([accounts.length, problems.map((problem) => problem.replace(/^.*: /, ""))]).toEqual([2, ["entry 3 has no access_token", "entry 4 is not an object"]]);
  });
});

describe("account_*.json of claude-proxy", () => {
  it("becomes an account", () => {
    expect(read(fileWith(proxy)).accounts).toMatchObject([
      {
        id: "account-1", label: "Work", enabled: true, expiresAt: Date.UTC(2025, 10, 18, 14, 30, 0, 500), refreshedAt: 1_763_476_200_000,
        lastError: null, unknown: { id: "Account 1", created_by: "me" },
      },
    ]);
  });

  it("that was inactive stays disabled, with its last error", () => {
    expect(read(fileWith({ ...proxy, status: "inactive", last_refresh_error: "invalid_grant" })).accounts).toMatchObject([{ enabled: false, lastError: "invalid_grant" }]);
  });

  it("never makes an e-mail address a label", () => {
    const [account] = read(fileWith({ ...proxy, id: "ann@x.example", name: "ann@x.example" })).accounts;
    expect([account?.id, account?.label, account?.unknown?.["name"]]).toEqual(["ann", "ann", "ann@x.example"]);
  });

  it("has a label of at most 100 characters", () => {
    expect(read(fileWith({ ...proxy, name: "n".repeat(150) })).accounts[0]?.label).toBe("n".repeat(100));
  });

  it.each([
    [1_763_476_200, 1_763_476_200_000], [1_763_476_200_000, 1_763_476_200_000], ["1763476200", 1_763_476_200_000],
    ["0001-01-01T00:00:00Z", null], [0, null], [null, null], ["soon", null],
  ])("with expires_at %s", (expires_at, expiresAt) => {
    expect(read(fileWith({ ...proxy, expires_at })).accounts[0]?.expiresAt).toBe(expiresAt);
  });

  it("in a folder: all of them, other files left alone, a bad one named", () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "account_folder.json"));
    const contents = { "account_1.json": JSON.stringify(proxy), "account_2.json": JSON.stringify({ ...proxy, id: "two" }), "account_3.json": "{", "config.json": "{}" };
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(dir, name), content);
    const { accounts, problems } = read(dir);
    expect(accounts.map(({ id }) => id)).toEqual(["account-1", "two"]);
    expect(problems).toEqual([expect.stringMatching(/account_3.json: it is cut off or not JSON/), expect.stringMatching(/account_folder.json: it is not a regular file/)]);
  });
});

describe("a file that is neither", () => {
  it.each([
    ["", "it is empty"],
    ['{"a": "sk-ant-secret', "it is cut off or not JSON"],
    [[mux], "it is a list; expected one account, or an object of accounts by name"],
    ["7", "it is JSON but not an object"],
    [{}, "it holds no accounts"],
    [{ claudeAiOauth: { accessToken: "sk-ant-secret" } }, "it is neither an oauth_tokens.json of claude-code-mux nor an account_*.json of claude-proxy"],
    [{ version: 1, accounts: {} }, "it is the accounts.json of this program; put it into a data folder instead"],
    [{ refresh_token: "sk-ant-secret" }, "the account has no access_token"],
  ])("%j is refused in words that do not quote it", (content, reason) => {
    const path = fileWith(content);
    const message = `nothing can be imported from ${path}: ${reason}`;
    expect(() => read(path)).toThrow(expect.objectContaining({ code: "store-unreadable", message, hint: expect.stringContaining("oauth_tokens.json") }));
  });

  it("a file of more than 4 MiB is refused before it is read", () => {
    const path = fileWith(mux);
    truncateSync(path, 4 * 1024 * 1024 + 1);
    expect(() => read(path)).toThrow(/it is larger than 4 MiB/);
  });

  it("a path that is not there, a folder with nothing in it", () => {
    expect(() => read(join(temporaryFolder(), "none.json"))).toThrow(expect.objectContaining({ code: "store-unreadable", message: expect.stringContaining("no such file") }));
    expect(() => read(temporaryFolder())).toThrow(/there is no oauth_tokens.json and no account_\*.json in this folder/);
  });

  it("whatever it is, it is accounts or a reason, and ids are ours", () => {
    assert(property(string({ unit: "binary" }), jsonValue(), (name, value) => {
      for (const text of [JSON.stringify({ [name]: { access_token: "t", provider_id: name, more: value } }), JSON.stringify({ ...proxy, id: name, more: value }), JSON.stringify(value)]) {
        const result = parseImport(text, now);
        for (const { id } of typeof result === "string" ? [] : result.accounts) expect(id).toMatch(/^[a-z0-9][a-z0-9._-]{0,63}$/);
      }
    }));
  });
});

describe("the merge", () => {
  const other = accountOf("main", { refreshToken: secret("another") });

  it("adds what is new, keeps what is here, renames what would replace something", () => {
    const current = new Map([["main", accountOf("main")], ["kept", accountOf("kept")]]);
    const { accounts, results } = mergeImport(current, [accountOf("new"), accountOf("kept", { priority: 5, label: "changed" }), other, { ...other, refreshToken: secret("third") }]);
    expect(results).toEqual([
      { outcome: "imported", id: "new", from: "new" }, { outcome: "kept", id: "kept", from: "kept" },
      { outcome: "renamed", id: "main-2", from: "main" }, { outcome: "renamed", id: "main-3", from: "main" },
    ]);
    expect([...accounts.keys()]).toEqual(["main", "kept", "new", "main-2", "main-3"]);
    expect([accounts.get("main"), accounts.get("kept"), accounts.get("main-2")?.id]).toEqual([current.get("main"), current.get("kept"), "main-2"]);
    expect(current.size).toBe(2);
  });

  it("knows the same credential under another name: a single-use token must not have two owners", () => {
    const { accounts, results } = mergeImport(new Map([["mine", accountOf("mine", { refreshToken: secret("another") })]]), [other]);
    expect([[...accounts.keys()], results]).toEqual([["mine"], [{ outcome: "kept", id: "mine", from: "main" }]]);
  });

  it("keeps a subscription and an API key apart, even with the same text for a token", () => {
    const key = accountOf("key", { kind: "api_key", refreshToken: null, accessToken: secret("another") });
    expect([...mergeImport(new Map([["key", key]]), [other]).accounts.keys()]).toEqual(["key", "main"]);
  });

  it("done twice changes nothing the second time", () => {
    const once = mergeImport(new Map(), read(fileWith(mux)).accounts);
    const twice = mergeImport(once.accounts, read(fileWith(mux)).accounts);
    expect(twice.accounts).toEqual(once.accounts);
    expect(twice.results.map(({ outcome }) => outcome)).toEqual(["kept", "kept"]);
  });
});
