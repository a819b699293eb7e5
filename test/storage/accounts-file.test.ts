// accounts.json as a store: what comes back, what survives, what happens to a file that is broken,
// missing, read-only or replaced while the program runs.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { systemFiles } from "../../src/storage/files.ts";
import { dataFiles } from "../../src/storage/paths.ts";
import { accountOf, filesWith, storeIn, systemError, temporaryFolder, withAccount } from "./kit.ts";

const tokenIn = (text: string): unknown => JSON.parse(text).accounts.main.access_token;
const textOf = (path: string): string => readFileSync(path, "utf8");

/** A folder with one account in it, its files, and a store of a second process start. */
const setUp = async (token = "first") => {
  const dir = temporaryFolder();
  await storeIn(dir).store.update(withAccount(accountOf("main", { accessToken: secret(token) })));
  return { dir, paths: dataFiles(dir), ...storeIn(dir) };
};

describe("an ordinary store", () => {
  it("without a file has no accounts and writes nothing", async () => {
    const dir = temporaryFolder();
    const { store, notices } = storeIn(dir);
    expect([(await store.load()).size, store.changed(), readdirSync(dir), notices]).toEqual([0, false, [], []]);
  });

  it("gives back what was stored, and what was stored is on the disk when update returns", async () => {
    const { dir, paths } = await setUp();
    const account = accountOf("main", {
      organization: { uuid: "o", name: "Org" }, account: { uuid: "p", emailAddress: "a@b.example" }, priority: 3, enabled: false, refreshedAt: 5_000,
      lastError: "no", enterpriseUrl: null, endpoints: { baseUrl: "https://x.example", clientId: "c" }, unknown: { plan: { tier: 5 } },
    });
    await storeIn(dir).store.update(withAccount(account));
    expect(JSON.parse(textOf(paths.accounts)).accounts.main).toMatchObject({
      provider_id: "anthropic", kind: "oauth", access_token: "access-main", refresh_token: "refresh-main", expires_at: "2026-01-02T00:00:00.000Z",
      account: { uuid: "p", email_address: "a@b.example" }, refreshed_at: "1970-01-01T00:00:05.000Z", enterprise_url: null,
      endpoints: { base_url: "https://x.example", client_id: "c" }, plan: { tier: 5 },
    });
    expect((await storeIn(dir).store.load()).get("main")).toEqual(account);
  });

  it("keeps a backup that equals the file, and no temporary files", async () => {
    const { dir, paths } = await setUp();
    expect(textOf(paths.backup)).toBe(textOf(paths.accounts));
    expect(readdirSync(dir).sort()).toEqual(["accounts.json", "accounts.json.bak", "accounts.json.reserve", "locks"]);
  });

  it("does not write when nothing changes", async () => {
    const { paths, store } = await setUp();
    const before = statSync(paths.accounts, { bigint: true }).ino;
    await store.update((current) => current);
    await store.update((current) => new Map(current));
    expect(statSync(paths.accounts, { bigint: true }).ino).toBe(before);
  });

  it("runs many updates of one process one after the other", async () => {
    const { store } = await setUp();
    const turns = Array.from({ length: 50 }, (_, turn) => turn);
    const ran: number[] = [];
    await Promise.all(turns.map((turn) => store.update((current) => {
      ran.push(turn);
      return withAccount(accountOf("main", { priority: (current.get("main")?.priority ?? 0) + 1 }))(current);
    })));
    expect([(await store.load()).get("main")?.priority, ran]).toEqual([50, turns]);
  });

  it("knows its own write from that of another process", async () => {
    const { store } = await setUp();
    await store.update(withAccount(accountOf("next")));
    expect(store.changed()).toBe(false);
  });

  it("removes the temporary files of dead processes when it is read first", async () => {
    const { dir, store } = await setUp();
    const leftover = join(dir, "accounts.json.4194304.0123456789ab.tmp");
    writeFileSync(leftover, "secret");
    await store.load();
    expect(existsSync(leftover)).toBe(false);
    writeFileSync(leftover, "secret");
    await store.load();
    expect(existsSync(leftover)).toBe(true);
  });

  it("says when the folder could not be synced: the write counts, a power cut could undo it", async () => {
    const { dir, paths } = await setUp();
    const files = filesWith(({ name, args }) => { if (name === "fsyncSync" && systemFiles.fstatSync(Number(args[0])).isDirectory()) throw systemError("EIO"); });
    const { store, notices } = storeIn(dir, { files });
    await store.update(withAccount(accountOf("main", { accessToken: secret("second") })));
    expect(tokenIn(textOf(paths.accounts))).toBe("second");
    expect(notices).toEqual([expect.objectContaining({ level: "warning", code: "not-synced", message: expect.stringContaining(paths.accounts) })]);
  });

  it("passes on what a change throws, and writes nothing then", async () => {
    const { store, paths } = await setUp();
    const before = textOf(paths.accounts);
    await expect(store.update(() => { throw new TypeError("a defect"); })).rejects.toThrow(new TypeError("a defect"));
    expect(textOf(paths.accounts)).toBe(before);
    await store.update(withAccount(accountOf("next")));
  });
});

describe("a file that cannot be used (D3)", () => {
  const good = JSON.stringify({ version: 1, accounts: {} });
  const endless = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
  // The V8 of Node 26 writes what it has read, however deep that is; earlier ones have no room for it.
  const isRead = ((): boolean => {
    try {
      return JSON.stringify(JSON.parse(endless)) === endless;
    } catch {
      return false;
    }
  })();
  it.each([
    ["empty", "", "it is empty"],
    ["cut off", '{"version":1,"accounts":{"main":{"access_token":"sk-ant-oat01-secret', "it is cut off or not JSON"],
    ["not JSON", "sk-ant-oat01-secret", "it is cut off or not JSON"],
    ["a list", "[1]", "it is JSON but not an object"],
    ["without accounts", '{"version":1}', "it has no accounts object"],
    ["of a later format", good.replace("1", "99"), "it was written by a newer program (format 99, this one knows 1)"],
    ["nested without end", `{"version":1,"accounts":${endless}}`, isRead ? "it has no accounts object" : "it is cut off or not JSON"],
  ])("%s: moved aside word for word, named, and the backup is used", async (_, content, reason) => {
    const { dir, paths, store, notices } = await setUp();
    writeFileSync(paths.accounts, content);
    expect((await store.load()).get("main")?.accessToken.reveal()).toBe("first");
    const aside = readdirSync(dir).find((name) => name.startsWith("accounts.json.broken-")) ?? "";
    expect(textOf(join(dir, aside))).toBe(content);
    expect(tokenIn(textOf(paths.accounts))).toBe("first");
    const message = `${paths.accounts} cannot be used: ${reason}. It was moved to ${join(dir, aside)}; the backup accounts.json.bak is used (1 account)`;
    expect(notices).toEqual([{ level: "warning", code: "moved-aside", hint: null, message }]);
    expect(JSON.stringify(notices)).not.toContain("secret");
  });

  it("is not overwritten by an update that comes first, and two of them do not replace each other", async () => {
    const { dir, paths, store } = await setUp();
    for (const content of ["broken once", "broken twice"]) {
      writeFileSync(paths.accounts, content);
      await store.update(withAccount(accountOf(`after-${content.slice(7)}`)));
    }
    const aside = readdirSync(dir).filter((name) => name.includes(".broken-")).map((name) => textOf(join(dir, name)));
    expect(aside.sort()).toEqual(["broken once", "broken twice"]);
    expect([...(await store.load()).keys()].sort()).toEqual(["after-once", "after-twice", "main"]);
  });

  it("is moved aside without hard links too", async () => {
    const { dir, paths } = await setUp();
    writeFileSync(paths.accounts, "broken");
    const { store, notices } = storeIn(dir, { files: filesWith(({ name }) => { if (name === "linkSync") throw systemError("EPERM"); }) });
    expect((await store.load()).size).toBe(1);
    const aside = readdirSync(dir).filter((name) => name.includes(".broken-"));
    expect([aside.map((name) => textOf(join(dir, name))), tokenIn(textOf(paths.accounts)), notices.map(({ code }) => code)]).toEqual([["broken"], "first", ["moved-aside"]]);
  });

  it("and has no usable backup leaves no accounts, the file, and a next step", async () => {
    const { paths, store, notices } = await setUp();
    writeFileSync(paths.accounts, "broken");
    writeFileSync(paths.backup, "broken too");
    expect((await store.load()).size).toBe(0);
    expect(notices).toEqual([expect.objectContaining({ level: "error", code: "moved-aside", hint: "Sign in again, or repair that file and put it back." })]);
  });

  it("holds bytes that are no UTF-8 is moved aside too, because a rewrite would change them", async () => {
    const { paths, store, notices } = await setUp();
    writeFileSync(paths.accounts, Buffer.concat([Buffer.from('{"version":1,"x":"'), Buffer.from([0xff]), Buffer.from('","accounts":{}}')]));
    expect((await store.load()).size).toBe(1);
    expect(notices.map(({ code }) => code)).toEqual(["moved-aside"]);
  });
});

describe("a file that changes while the program runs (D10)", () => {
  it("is seen by one stat and picked up", async () => {
    const { dir, store } = await setUp();
    await store.load();
    expect(store.changed()).toBe(false);
    await storeIn(dir).store.update(withAccount(accountOf("main", { accessToken: secret("second") })));
    expect(store.changed()).toBe(true);
    expect((await store.load()).get("main")?.accessToken.reveal()).toBe("second");
    expect(store.changed()).toBe(false);
  });

  it("is seen to vanish", async () => {
    const { paths, store } = await setUp();
    await store.load();
    unlinkSync(paths.accounts);
    expect(store.changed()).toBe(true);
  });

  it("counts as changed while it cannot be looked at, so that it is read and the reason is said", async () => {
    let failing = false;
    const { store } = storeIn(temporaryFolder(), { files: filesWith(({ name }) => { if (failing && name === "statSync") throw systemError("EACCES"); }) });
    await store.load();
    expect(store.changed()).toBe(false);
    failing = true;
    expect(store.changed()).toBe(true);
  });

  it("and is replaced in the moment in which its backup is renewed does not become the backup unread", async () => {
    const { dir, paths } = await setUp();
    unlinkSync(paths.backup);
    let reads = 0;
    // `load` and the transaction inside it look twice each; the fifth look is for the backup.
    const files = filesWith(({ name, args }) => {
      if (name !== "openSync" || args[0] !== paths.accounts) return;
      reads += 1;
      if (reads === 5) writeFileSync(paths.accounts, "broken");
    });
    const { store } = storeIn(dir, { files });
    expect((await store.load()).size).toBe(1);
    expect([reads, existsSync(paths.backup)]).toEqual([5, false]);
    expect(store.changed()).toBe(true);
  });

  it("and vanishes is restored from the backup, not overwritten by an empty one", async () => {
    const { paths, store, notices } = await setUp();
    unlinkSync(paths.accounts);
    await store.update(withAccount(accountOf("new")));
    expect([...(await store.load()).keys()]).toEqual(["main", "new"]);
    expect(notices).toEqual([expect.objectContaining({ code: "restored", message: `${paths.accounts} was missing; the backup accounts.json.bak is used (1 account)` })]);
  });

  it("and vanishes with its backup, or with the whole folder, is restored from what the process knows", async () => {
    const { dir, store, notices } = await setUp();
    await store.load();
    rmSync(dir, { recursive: true });
    await store.update(withAccount(accountOf("new")));
    expect([...(await storeIn(dir).store.load()).keys()]).toEqual(["main", "new"]);
    expect(notices[0]?.message).toContain("what this process knew is used (1 account)");
  });

  it("is not brought back by the backup after every account was removed on purpose", async () => {
    const { dir, store } = await setUp();
    await store.update(() => new Map());
    expect((await storeIn(dir).store.load()).size).toBe(0);
    expect(textOf(dataFiles(dir).backup)).not.toContain("first");
  });
});

describe("what this version does not know (D11)", () => {
  it("survives a rewrite: fields of the file, of accounts, of their parts, and whole entries", async () => {
    const { paths, store, notices } = await setUp();
    const file = JSON.parse(textOf(paths.accounts));
    file.comment = ["mine"];
    file.accounts.main = { ...file.accounts.main, later: { deep: [null, 1.5] }, organization: { uuid: "o", name: "n", seat: 4 }, endpoints: { base_url: "https://x.example", region: "eu" } };
    file.accounts.passkey = { kind: "webauthn", key: "k" };
    file.accounts["Not An Id"] = { access_token: "t" };
    writeFileSync(paths.accounts, JSON.stringify(file));
    const account = (await store.load()).get("main") ?? accountOf("main");
    await store.update(withAccount({ ...account, priority: 9 }));
    const after = JSON.parse(textOf(paths.accounts));
    expect(after).toEqual({ ...file, accounts: { ...file.accounts, main: { ...file.accounts.main, priority: 9 } } });
    expect(notices.map(({ code }) => code)).toEqual(["entry-unused", "entry-unused"]);
  });

  it("`__proto__` and `constructor` are keys like any other and change nothing else (S27)", async () => {
    const { paths, store } = await setUp();
    const entries = '"__proto__":{"access_token":"x"},"constructor":{"access_token":"c"},"main":{"access_token":"t","__proto__":{"kind":"api_key"}}';
    writeFileSync(paths.accounts, `{"version":1,"__proto__":{"polluted":1},"accounts":{${entries}}}`);
    const loaded = await store.load();
    expect([...loaded.keys()].sort()).toEqual(["constructor", "main"]);
    expect(loaded.get("main")?.kind).toBe("oauth");
    await store.update(withAccount(accountOf("other")));
    expect(textOf(paths.accounts)).toContain('"__proto__": {\n      "access_token": "x"');
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

describe("a folder that cannot be written (D8)", () => {
  it.each(["EROFS", "EACCES"])("(%s) serves what is there; a change and a refresh are refused before anything is spent", async (code) => {
    const { dir } = await setUp();
    const { store, notices } = storeIn(dir, { files: filesWith(({ name, args }) => { if (name === "openSync" && args[1] === "wx") throw systemError(code); }) });
    expect([(await store.load()).size, notices]).toEqual([1, []]);
    const refusal = { code: "store-unwritable", message: expect.stringContaining(dir), hint: expect.stringMatching(/--dir/) };
    await expect(store.update(withAccount(accountOf("b")))).rejects.toMatchObject(refusal);
    let spent = false;
    await expect(store.withRefreshLock("main", async () => (spent = true))).rejects.toMatchObject(refusal);
    expect(spent).toBe(false);
  });

  it("that has room for a lock but not for the next token refuses the refresh too", async () => {
    const { dir, paths } = await setUp();
    rmSync(`${paths.accounts}.reserve`);
    const { store } = storeIn(dir, { files: filesWith(({ name, args }) => { if (name === "openSync" && String(args[0]).includes(".reserve.")) throw systemError("ENOSPC"); }) });
    let spent = false;
    await expect(store.withRefreshLock("main", async () => (spent = true))).rejects.toMatchObject({ code: "store-unwritable", message: expect.stringContaining("the disk is full") });
    expect([spent, readdirSync(join(dir, "locks", "accounts")).filter((name) => name.endsWith(".tmp"))]).toEqual([false, []]);
  });

  it("with a broken file in it serves the backup and says so", async () => {
    const { dir, paths } = await setUp();
    writeFileSync(paths.accounts, "broken");
    const { store, notices } = storeIn(dir, { files: filesWith(({ name, args }) => { if (name === "openSync" && args[1] === "wx") throw systemError("EROFS"); }) });
    expect((await store.load()).size).toBe(1);
    expect(notices).toEqual([expect.objectContaining({ level: "error", message: expect.stringMatching(/cannot be used.*backup.*is used.*read-only/) })]);
    expect(textOf(paths.accounts)).toBe("broken");
  });
});

describe("a link in place of the file (D5)", () => {
  it("of this user to this user's file is written through, and stays a link", async () => {
    const { dir, paths } = await setUp();
    mkdirSync(join(dir, "dotfiles"));
    const target = join(dir, "dotfiles", "mine.json");
    writeFileSync(target, textOf(paths.accounts), { mode: 0o600 });
    unlinkSync(paths.accounts);
    symlinkSync(target, paths.accounts);
    const { store } = storeIn(dir);
    await store.withRefreshLock("main", () => store.update(withAccount(accountOf("main", { accessToken: secret("second") }))));
    expect(tokenIn(textOf(target))).toBe("second");
    expect(textOf(paths.backup)).toBe(textOf(target));
  });

  it("that dangles is refused and nothing is made through it", async () => {
    const dir = temporaryFolder();
    symlinkSync(join(dir, "nowhere"), join(dir, "accounts.json"));
    const { store } = storeIn(dir);
    await expect(store.load()).rejects.toMatchObject({ code: "store-unreadable" });
    await expect(store.update(withAccount(accountOf("a")))).rejects.toMatchObject({ code: "store-unreadable" });
    expect(existsSync(join(dir, "nowhere"))).toBe(false);
  });
});
