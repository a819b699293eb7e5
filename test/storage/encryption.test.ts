// Sealing at rest: what is on the disk, wrong keys, damage, and the change from every mode to every other.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { secret } from "../../src/lib/secret.ts";
import { openEnvelope, readEnvelope, sealText } from "../../src/storage/encryption.ts";
import type { EncryptionDeps, EncryptionMode, Envelope } from "../../src/storage/encryption.ts";
import type { Files } from "../../src/storage/files.ts";
import type { Keyring } from "../../src/storage/keyring.ts";
import type { Processes } from "../../src/storage/processes.ts";
import { accountOf, encryptionOf, filesWith, realProcesses, storeIn, systemError, temporaryFolder, withAccount } from "./kit.ts";

const keyringOf = (entries = new Map<string, string>()): (() => Promise<Keyring>) => async () => ({
  get: (name) => entries.get(name) ?? null,
  set: (name, value) => void entries.set(name, value),
});
const entries = new Map<string, string>();
const depsFor = (mode: EncryptionMode, passphrase: string | null = "correct horse"): Partial<EncryptionDeps> => ({
  mode, passphrase: async () => (passphrase === null ? null : secret(passphrase)), keyring: keyringOf(entries),
});
const storeAs = (dir: string, mode: EncryptionMode, passphrase?: string | null) => storeIn(dir, { encryption: encryptionOf(depsFor(mode, passphrase)) });
const filesIn = (dir: string): readonly string[] => ["accounts.json", "accounts.json.bak"].map((name) => readFileSync(join(dir, name), "utf8"));

const sealedFolder = async (mode: EncryptionMode): Promise<string> => {
  const dir = temporaryFolder();
  await storeAs(dir, mode).store.update(withAccount(accountOf("main")));
  return dir;
};

describe.each(["passphrase", "keyring"] as const)("sealed by %s", (mode) => {
  it("no file of the folder holds a token, a label or the key, and it opens again", async () => {
    const dir = await sealedFolder(mode);
    for (const text of filesIn(dir)) {
      expect(JSON.parse(text)).toMatchObject({ version: 1, sealed: { by: mode, cipher: "aes-256-gcm" } });
      for (const hidden of ["access-main", "refresh-main", "correct horse", ...entries.values()]) expect(text).not.toContain(hidden);
    }
    expect((await storeAs(dir, mode).store.load()).get("main")).toEqual(accountOf("main"));
  });

  it("uses another initialisation vector for each write", async () => {
    const dir = await sealedFolder(mode);
    const { store } = storeAs(dir, mode);
    const seen = new Set<string>();
    for (let priority = 1; priority <= 5; priority += 1) {
      await store.update(withAccount(accountOf("main", { priority })));
      seen.add(JSON.parse(filesIn(dir)[0] ?? "").sealed.iv);
    }
    expect(seen.size).toBe(5);
  });

  it("a damaged file is not taken for a wrong key: it is moved aside and the backup is used", async () => {
    const dir = await sealedFolder(mode);
    const file = JSON.parse(filesIn(dir)[0] ?? "");
    file.sealed.content = `${file.sealed.content.startsWith("A") ? "B" : "A"}${file.sealed.content.slice(1)}`;
    writeFileSync(join(dir, "accounts.json"), JSON.stringify(file));
    const { store, notices } = storeAs(dir, mode);
    expect((await store.load()).has("main")).toBe(true);
    expect(notices[0]?.message).toMatch(/its seal is broken.*moved to.*backup accounts.json.bak is used/);
  });
});

const forgetful = async (): Promise<Keyring> => ({ get: () => null, set: () => {} });

describe("a wrong or missing key", () => {
  it.each([
    ["the wrong passphrase", "passphrase", "wrong horse", "the passphrase does not open accounts.json"],
    ["no passphrase", "passphrase", null, "accounts.json needs a passphrase and there is none"],
    ["an empty passphrase", "passphrase", "", "accounts.json needs a passphrase and there is none"],
  ] as const)("%s is a clear sentence and changes nothing", async (_, mode, passphrase, message) => {
    const dir = await sealedFolder(mode);
    const before = filesIn(dir);
    const { store, notices } = storeAs(dir, mode, passphrase);
    await expect(store.load()).rejects.toMatchObject({ code: "store-sealed", message, hint: expect.stringMatching(/\w/) });
    await expect(store.update(withAccount(accountOf("new")))).rejects.toMatchObject({ code: "store-sealed" });
    expect([filesIn(dir), notices, readdirSync(dir).filter((name) => name.includes("broken"))]).toEqual([before, [], []]);
  });

  it("the same letters are the same passphrase, however a keyboard composes them", async () => {
    const dir = temporaryFolder();
    await storeAs(dir, "passphrase", "Gr\u00fc\u00dfe fi\u00c5").store.update(withAccount(accountOf("main")));
    expect((await storeAs(dir, "passphrase", "Gru\u0308\u00dfe fiA\u030a").store.load()).get("main")).toEqual(accountOf("main"));
    expect((await storeAs(dir, "passphrase", "Gr\u00fc\u00dfe \ufb01\u212b").store.load()).size).toBe(1);
    await expect(storeAs(dir, "passphrase", "Gru\u00dfe fiA").store.load()).rejects.toMatchObject({ code: "store-sealed" });
  });

  it("a passphrase that was mistyped may be typed again", async () => {
    const dir = await sealedFolder("passphrase");
    const typed = ["wrong horse", "correct horse"];
    const { store } = storeIn(dir, { encryption: encryptionOf({ mode: "passphrase", passphrase: async () => secret(typed.shift() ?? "asked too often") }) });
    await expect(store.load()).rejects.toMatchObject({ code: "store-sealed" });
    expect((await store.load()).size).toBe(1);
    await store.update(withAccount(accountOf("second")));
    expect((await store.load()).size).toBe(2);
  });

  it("a key that the key store lost is a clear sentence and changes nothing", async () => {
    const dir = await sealedFolder("keyring");
    const before = filesIn(dir);
    const { store } = storeIn(dir, { encryption: encryptionOf({ mode: "keyring", keyring: keyringOf() }) });
    await expect(store.load()).rejects.toMatchObject({ code: "store-sealed", message: expect.stringContaining("key store does not hold") });
    expect(filesIn(dir)).toEqual(before);
  });

  it("a key store that keeps nothing is found out before anything is sealed with its key", async () => {
    const dir = await sealedFolder("none");
    const before = filesIn(dir);
    await expect(storeIn(dir, { encryption: encryptionOf({ mode: "keyring", keyring: forgetful }) }).store.load()).rejects.toMatchObject({ code: "store-sealed" });
    expect(filesIn(dir)).toEqual(before);
  });
});

/** What a later process sees: the pid of this one is gone, and so are the locks it could not free. */
const nextStart: Processes = { ...realProcesses, self: { ...realProcesses.self, pid: 4_194_303 }, look: () => ({ alive: false, startTime: null }) };

describe("a change of mode", () => {
  const modes = ["none", "passphrase", "keyring"] as const;
  const changes = modes.flatMap((from) => modes.filter((to) => to !== from).map((to) => [from, to] as const));

  it.each(changes)("from %s to %s takes effect at the next start, for the backup too, and loses nothing", async (from, to) => {
    const dir = await sealedFolder(from);
    expect((await storeAs(dir, to).store.load()).get("main")).toEqual(accountOf("main"));
    for (const text of filesIn(dir)) expect(encryptionOf().modeOf(text)).toBe(to);
    expect((await storeAs(dir, to).store.load()).get("main")).toEqual(accountOf("main"));
  });

  it.each([
    ["from none to passphrase", "none", "passphrase"],
    ["from passphrase to none", "passphrase", "none"],
  ] as const)("%s that cannot be written serves the accounts and says how the file is still sealed", async (_, from, to) => {
    const dir = await sealedFolder(from);
    const before = filesIn(dir);
    const files = filesWith(({ name, args }) => { if (name === "openSync" && args[1] === "wx") throw systemError("EROFS"); });
    const { store, notices } = storeIn(dir, { files, encryption: encryptionOf(depsFor(to)) });
    expect((await store.load()).get("main")).toEqual(accountOf("main"));
    const message = expect.stringMatching(new RegExp(`accounts.json is still sealed as "${from}": cannot write .* read-only`));
    expect(notices).toEqual([{ level: "error", code: "reseal-failed", message, hint: expect.stringContaining("--dir") }]);
    expect(filesIn(dir)).toEqual(before);
  });

  it("that fails at any step leaves a file that opens, and tries again at the next start", { timeout: 60_000 }, async () => {
    let calls = 1;
    for (let failing = 1; failing <= calls; failing += 1) {
      const dir = await sealedFolder("none");
      const files = filesWith(({ count }) => {
        calls = Math.max(calls, count);
        if (count === failing) throw systemError("EIO");
      });
      await storeIn(dir, { files, encryption: encryptionOf(depsFor("passphrase")) }).store.load().catch(() => {});
      const next = storeIn(dir, { processes: nextStart, encryption: encryptionOf(depsFor("passphrase")) }).store;
      expect((await next.load()).get("main"), `call ${failing}`).toEqual(accountOf("main"));
      for (const text of filesIn(dir)) expect(encryptionOf().modeOf(text), `call ${failing}`).toBe("passphrase");
    }
    expect(calls).toBeGreaterThan(40);
  });

  it("to another passphrase: the new one opens, the old one does not", async () => {
    const dir = await sealedFolder("passphrase");
    const { store } = storeIn(dir, { encryption: encryptionOf({ ...depsFor("passphrase"), newPassphrase: async () => secret("battery staple") }) });
    await store.update(withAccount(accountOf("second")));
    expect((await store.load()).size).toBe(2);
    expect((await storeAs(dir, "passphrase", "battery staple").store.load()).size).toBe(2);
    await expect(storeAs(dir, "passphrase").store.load()).rejects.toMatchObject({ code: "store-sealed" });
  });
});

describe("a plain store in the place of the sealed part", () => {
  const plain = { version: 1, accounts: { main: { access_token: "forged" } } };

  it.each([
    ["an object", plain],
    ["a text", JSON.stringify(plain)],
    ["null", null],
  ])("(%s) is not read as one: it is moved aside and the backup is used", async (_, sealed) => {
    const dir = await sealedFolder("passphrase");
    writeFileSync(join(dir, "accounts.json"), JSON.stringify({ ...plain, sealed }));
    const { store, notices } = storeAs(dir, "passphrase");
    expect((await store.load()).get("main")?.accessToken.reveal()).toBe("access-main");
    expect(notices).toEqual([expect.objectContaining({ code: "moved-aside", message: expect.stringContaining("sealed in a way that this version does not know") })]);
    expect(filesIn(dir).map((text) => encryptionOf().modeOf(text))).toEqual(["passphrase", "passphrase"]);
  });
});

/** What another user, or an older backup, has put there. */
const forged = JSON.stringify({ version: 1, accounts: { main: { kind: "oauth", access_token: "forged", refresh_token: null, expires_at: null, enabled: true } } });
const put = (dir: string, name: string) => writeFileSync(join(dir, name), forged, { mode: 0o600 });
const remove = (dir: string, name: string) => rmSync(join(dir, name), { force: true });
/** `storage.encryption` at its default. */
const storeByDefault = (dir: string, more: Partial<EncryptionDeps> = {}) => storeIn(dir, { encryption: encryptionOf({ ...depsFor("none"), isGiven: false, ...more }) });

/** Does `replace` right before `path` is opened for the `nth` time. */
const filesAt = (path: string, nth: number, replace: () => void): Files => {
  let seen = 0;
  return filesWith(({ name, args }) => {
    if (name !== "openSync" || args[0] !== path) return;
    seen += 1;
    if (seen === nth) replace();
  });
};

const tokenWhile = async (dir: string, files: Files): Promise<string | undefined> => {
  const { store } = storeIn(dir, { files, encryption: encryptionOf({ ...depsFor("none"), isGiven: false }) });
  return (await store.load()).get("main")?.accessToken.reveal();
};

describe("a plain store where a sealed one was", () => {
  const ways: readonly (readonly [string, string, (dir: string) => void])[] = [
    ["in the place of the live file", "accounts.json", (dir) => put(dir, "accounts.json")],
    ["in the place of both files", "accounts.json", (dir) => (put(dir, "accounts.json"), put(dir, "accounts.json.bak"))],
    ["as the backup of a live file that is gone", "accounts.json.bak", (dir) => (remove(dir, "accounts.json"), put(dir, "accounts.json.bak"))],
    ["as the backup of a live file that was torn", "accounts.json.bak", (dir) => (writeFileSync(join(dir, "accounts.json"), "{"), put(dir, "accounts.json.bak"))],
    ["beside a sealed backup, the mark removed", "accounts.json", (dir) => (put(dir, "accounts.json"), remove(dir, "accounts.json.seal"))],
  ];

  it.each(ways)("is refused %s, whatever is set but none, and stays as it is", async (_, name, replace) => {
    const dir = await sealedFolder("passphrase");
    replace(dir);
    const before = readdirSync(dir).map((file) => [file, file === "locks" ? "" : readFileSync(join(dir, file), "utf8")]);
    for (const { store } of [storeAs(dir, "passphrase"), storeAs(dir, "keyring"), storeByDefault(dir)]) {
      const refusal = { code: "store-sealed", message: expect.stringMatching(new RegExp(`${name} is not sealed, and it was`)), hint: expect.stringContaining("--set storage.encryption=none") };
      await expect(store.load()).rejects.toMatchObject(refusal);
      await expect(store.update(withAccount(accountOf("second")))).rejects.toMatchObject(refusal);
    }
    expect(readdirSync(dir).map((file) => [file, file === "locks" ? "" : readFileSync(join(dir, file), "utf8")])).toEqual(before);
  });

  it.each(ways)("(%s) is used once none is given, and is sealed again by the next use that asks for it", async (_, _name, replace) => {
    const dir = await sealedFolder("passphrase");
    replace(dir);
    expect((await storeAs(dir, "none").store.load()).get("main")?.accessToken.reveal()).toBe("forged");
    expect(existsSync(join(dir, "accounts.json.seal"))).toBe(false);
    expect((await storeAs(dir, "passphrase").store.load()).get("main")?.accessToken.reveal()).toBe("forged");
    expect(filesIn(dir).map((text) => encryptionOf().modeOf(text))).toEqual(["passphrase", "passphrase"]);
  });

  it("is seen by a process that runs, and what it knew stays in the memory", async () => {
    const dir = await sealedFolder("passphrase");
    const { store } = storeAs(dir, "passphrase");
    await store.load();
    put(dir, "accounts.json");
    expect(store.changed()).toBe(true);
    await expect(store.load()).rejects.toMatchObject({ code: "store-sealed" });
  });

  it.each(["accounts.json", "accounts.json.bak", "accounts.json.seal"].flatMap((name) => [1, 2].map((nth) => [name, nth] as const)))(
    "is none when another process seals or unseals it while it is read (before %s is opened for time %i)",
    async (name, nth) => {
      const sealed = await sealedFolder("passphrase");
      const [text] = filesIn(sealed);
      const plain = temporaryFolder();
      for (const file of ["accounts.json", "accounts.json.bak"]) put(plain, file);
      const seal = (): void => {
        for (const file of ["accounts.json", "accounts.json.bak"]) writeFileSync(join(plain, file), text ?? "");
        writeFileSync(join(plain, "accounts.json.seal"), '{"by":"passphrase"}', { mode: 0o600 });
      };
      const unseal = (): void => (remove(sealed, "accounts.json.seal"), put(sealed, "accounts.json"), put(sealed, "accounts.json.bak"));
      expect(["access-main", "forged"]).toContain(await tokenWhile(plain, filesAt(join(plain, name), nth, seal)));
      expect(["access-main", "forged"]).toContain(await tokenWhile(sealed, filesAt(join(sealed, name), nth, unseal)));
    },
  );
});

describe("a store that is sealed while nothing is set", () => {
  it.each(["passphrase", "keyring"] as const)("stays sealed by %s with everything that is written", async (mode) => {
    const dir = await sealedFolder(mode);
    await storeByDefault(dir).store.update(withAccount(accountOf("second")));
    expect(filesIn(dir).map((text) => encryptionOf().modeOf(text))).toEqual([mode, mode]);
    expect((await storeAs(dir, mode).store.load()).size).toBe(2);
  });

  it("is sealed again when its files are gone, and not replaced by a plain one where there is no passphrase", async () => {
    const dir = await sealedFolder("passphrase");
    for (const name of ["accounts.json", "accounts.json.bak"]) remove(dir, name);
    await expect(storeByDefault(dir, { passphrase: async () => null }).store.update(withAccount(accountOf("a")))).rejects.toMatchObject({ code: "store-sealed" });
    await storeByDefault(dir).store.update(withAccount(accountOf("a")));
    expect(filesIn(dir).map((text) => encryptionOf().modeOf(text))).toEqual(["passphrase", "passphrase"]);
  });

  it("is marked at its next use when an earlier version has sealed it", async () => {
    const dir = await sealedFolder("keyring");
    remove(dir, "accounts.json.seal");
    await storeByDefault(dir).store.load();
    expect(JSON.parse(readFileSync(join(dir, "accounts.json.seal"), "utf8"))).toEqual({ by: "keyring" });
  });

  it("that cannot be marked serves all the same, and says so", async () => {
    const dir = await sealedFolder("passphrase");
    remove(dir, "accounts.json.seal");
    const files = filesWith(({ name, args }) => { if (name === "renameSync" && String(args[1]).endsWith(".seal")) throw systemError("EIO"); });
    const { store, notices } = storeIn(dir, { files, encryption: encryptionOf(depsFor("passphrase")) });
    expect((await store.load()).has("main")).toBe(true);
    expect(notices).toEqual([expect.objectContaining({ code: "seal-unmarked", level: "warning" })]);
  });
});

describe("the sealed text", () => {
  const source = { by: "passphrase", kdf: "scrypt", n: 1024, r: 8, p: 1, salt: "c2FsdA" } as const;
  const master = systemRandom(32);
  const envelope = readEnvelope(sealText("plain ☃", { source, master }, systemRandom)) as Envelope;

  it("opens with its key", () => {
    expect(openEnvelope(envelope, master)).toEqual({ outcome: "opened", text: "plain ☃" });
    expect(openEnvelope(envelope, systemRandom(32))).toEqual({ outcome: "wrong-key" });
  });

  it("binds every part of the header: none can be changed unnoticed", () => {
    const changed: Envelope[] = [
      { ...envelope, source: { ...source, n: 2048 } }, { ...envelope, source: { ...source, salt: "c2FsdB" } }, { ...envelope, iv: `A${envelope.iv.slice(1, -1)}B` },
      { ...envelope, tag: "AAAAAAAAAAAAAAAAAAAAAA" }, { ...envelope, tag: envelope.tag.slice(0, 6) }, { ...envelope, content: "" }, { ...envelope, iv: "" },
    ];
    for (const each of changed) expect(openEnvelope(each, master)).toEqual({ outcome: "damaged" });
  });

  it.each([
    ["a cost that would take all memory", { ...source, n: 2 ** 20, r: 32 }],
    ["a cost that is no power of two", { ...source, n: 3000 }],
    ["a cost of nothing", { ...source, n: 1 }],
    ["an unknown method", { by: "magic" }],
  ])("with %s is not opened", (_, bad) => {
    const text = JSON.stringify({ version: 1, sealed: { ...envelope, cipher: "aes-256-gcm", ...bad } });
    expect(readEnvelope(text)).toBe("unknown");
    expect(encryptionOf().open(text)).toMatchObject({ outcome: "damaged" });
  });
});
