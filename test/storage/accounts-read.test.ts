// What the accounts are read from when the live file, its backup, or both are not as they should be.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { dataFiles } from "../../src/storage/paths.ts";
import { accountOf, encryptionOf, filesWith, storeIn, systemError, temporaryFolder, withAccount } from "./kit.ts";

const sealedBy = (text: string) => encryptionOf({ mode: "passphrase", passphrase: async () => secret(text) });

/** A folder with the account `main` in it, written by a process that has ended. */
const folder = async (more: Parameters<typeof storeIn>[1] = {}) => {
  const dir = temporaryFolder();
  await storeIn(dir, more).store.update(withAccount(accountOf("main")));
  return { dir, paths: dataFiles(dir) };
};

describe("the live file", () => {
  it("may begin with a byte order mark", async () => {
    const { dir, paths } = await folder();
    writeFileSync(paths.accounts, `\uFEFF${readFileSync(paths.accounts, "utf8")}`);
    const { store, notices } = storeIn(dir);
    expect([(await store.load()).size, notices]).toEqual([1, []]);
  });

  it("that is missing is written again from the backup by a load alone", async () => {
    const { dir, paths } = await folder();
    unlinkSync(paths.accounts);
    const { store, notices } = storeIn(dir);
    expect((await store.load()).size).toBe(1);
    expect([readFileSync(paths.accounts, "utf8"), notices.map(({ code }) => code)]).toEqual([readFileSync(paths.backup, "utf8"), ["restored"]]);
  });

  it("that never was is not made by looking for it again and again", async () => {
    const dir = temporaryFolder();
    const { store, notices } = storeIn(dir);
    await store.load();
    expect([(await store.load()).size, readdirSync(dir), notices]).toEqual([0, [], []]);
  });

  it("that another process seals anew while the key is derived is opened as it is then", async () => {
    const { dir } = await folder({ encryption: sealedBy("horse") });
    let asked = 0;
    const passphrase = async () => {
      asked += 1;
      const other = encryptionOf({ mode: "passphrase", passphrase: async () => secret("horse"), newPassphrase: async () => secret("horse") });
      if (asked === 1) await storeIn(dir, { encryption: other }).store.update(withAccount(accountOf("second")));
      return secret("horse");
    };
    const { store, notices } = storeIn(dir, { encryption: encryptionOf({ mode: "passphrase", passphrase }) });
    expect([[...(await store.load()).keys()], asked, notices]).toEqual([["main", "second"], 2, []]);
  });
});

describe("the backup", () => {
  it("under a key that is not known is no reason to refuse a good live file, and is replaced", async () => {
    const { dir, paths } = await folder();
    const other = await folder({ encryption: sealedBy("of another time") });
    writeFileSync(paths.backup, readFileSync(other.paths.backup));
    const { store, notices } = storeIn(dir);
    expect([(await store.load()).size, notices]).toEqual([1, []]);
    expect(readFileSync(paths.backup, "utf8")).toBe(readFileSync(paths.accounts, "utf8"));
  });

  it("under a key that is not known is kept when the live file is broken: nothing is changed", async () => {
    const { dir, paths } = await folder({ encryption: sealedBy("horse") });
    writeFileSync(paths.accounts, "broken");
    const before = readFileSync(paths.backup, "utf8");
    await expect(storeIn(dir).store.load()).rejects.toMatchObject({ code: "store-sealed" });
    expect([readFileSync(paths.accounts, "utf8"), readFileSync(paths.backup, "utf8")]).toEqual(["broken", before]);
  });

  it("that is no file is no reason to refuse a good live file, and that it cannot be written is said", async () => {
    const { dir, paths } = await folder();
    rmSync(paths.backup);
    mkdirSync(join(paths.backup, "inner"), { recursive: true });
    const { store, notices } = storeIn(dir);
    expect((await store.load()).size).toBe(1);
    expect(notices).toEqual([expect.objectContaining({ level: "warning", code: "backup-unwritten", message: expect.stringContaining(paths.backup) })]);
    expect(existsSync(join(paths.backup, "inner"))).toBe(true);
  });
});

describe("an entry that is not understood", () => {
  it("is reported once for each process, however often the file is read", async () => {
    const { dir, paths } = await folder();
    const file = JSON.parse(readFileSync(paths.accounts, "utf8"));
    writeFileSync(paths.accounts, JSON.stringify({ ...file, accounts: { ...file.accounts, later: { kind: "webauthn" } } }));
    const { store, notices } = storeIn(dir);
    for (let turn = 0; turn < 3; turn += 1) await store.load();
    const message = `the account "later" in ${paths.accounts} is kept but not used: its kind is neither oauth nor api_key`;
    expect(notices).toEqual([{ level: "warning", code: "entry-unused", message, hint: "Correct it, or sign in again." }]);
  });
});

describe("a live file that cannot be read at all", () => {
  it.each(["EACCES", "EIO"])("(%s) is an error with the path, and nothing is put in its place", async (code) => {
    const { dir, paths } = await folder();
    const before = readFileSync(paths.accounts, "utf8");
    const files = filesWith(({ name, args }) => { if (name === "openSync" && args[0] === paths.accounts) throw systemError(code); });
    const refusal = { code: "store-unreadable", message: expect.stringContaining(`cannot read ${paths.accounts}`) };
    await expect(storeIn(dir, { files }).store.load()).rejects.toMatchObject(refusal);
    await expect(storeIn(dir, { files }).store.update(() => new Map())).rejects.toMatchObject(refusal);
    expect(readFileSync(paths.accounts, "utf8")).toBe(before);
  });
});
