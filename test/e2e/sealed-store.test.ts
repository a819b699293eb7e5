// Encryption at rest as a person turns it on, off and over, by commands and the environment: nothing is
// lost, no token stands on the disk in the clear, and a wrong passphrase is one sentence.
import { cpSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { commandLine, createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import type { DataFolder } from "../helpers/data-folder.ts";
import { eventually } from "../helpers/eventually.ts";
import { openTerminal } from "../helpers/terminal.ts";

const passphrase = (text: string) => ({ env: { CLAUDE_OAUTH_PROXY_PASSPHRASE: text } });

const end = async (folder: DataFolder, args: readonly string[], more: Parameters<DataFolder["program"]>[1] = {}) => {
  const program = folder.program(args, more);
  program.endInput();
  const { code } = await program.waitForExit({ within: 20_000 });
  return { code, out: program.stdout(), err: program.stderr() };
};

const secretsOf = ({ accounts }: DataFolder): readonly string[] => Object.values(accounts()).flatMap(({ access_token, refresh_token }) => [access_token, refresh_token ?? ""]);

/** Everything in the data folder, temporary and backup files too. */
const everything = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: "utf8" }).map((name) => join(dir, name)).filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, "utf8")).join("\n");

/** With what was in it in the clear. */
type Filled = DataFolder & { readonly secrets: readonly string[]; readonly before: ReturnType<DataFolder["accounts"]> };

const twoAccounts = async (): Promise<Filled> => {
  const folder = await createDataFolder();
  const { upstream, dir } = folder;
  storeGrants(dir, { ada: { grant: upstream.issueTokens({ account: "ada" }), more: { future_field: { keep: "me" } } }, grace: { grant: upstream.issueTokens({ account: "grace" }) } });
  return { ...folder, secrets: secretsOf(folder), before: folder.accounts() };
};

const sealNew = async (): Promise<Filled> => {
  const folder = await twoAccounts();
  expect((await end(folder, ["config", "set", "storage.encryption", "passphrase"])).code).toBe(0);
  expect(await end(folder, ["accounts", "list"], passphrase("correct horse"))).toMatchObject({ code: 0, err: "" });
  return folder;
};

let sealedOnce: Filled;
beforeAll(async () => {
  sealedOnce = await sealNew();
});
/** A copy of the one that was sealed; this folder's own upstream knows nothing of its tokens. */
const sealed = async (): Promise<Filled> => {
  const folder = await createDataFolder();
  cpSync(sealedOnce.dir, folder.dir, { recursive: true, preserveTimestamps: true });
  return { ...folder, secrets: sealedOnce.secrets, before: sealedOnce.before };
};

describe("storage.encryption passphrase", () => {
  it("seals the file at the next use, the backup too, and no token stays behind in the clear", async () => {
    const folder = await sealed();
    expect(JSON.parse(readFileSync(join(folder.dir, "accounts.json"), "utf8"))).toMatchObject({ version: 1, sealed: { by: "passphrase", kdf: "scrypt", cipher: "aes-256-gcm" } });
    const found = everything(folder.dir);
    expect(folder.secrets.filter((secret) => found.includes(secret))).toEqual([]);
    const listed = await end(folder, ["accounts", "list", "--json"], passphrase("correct horse"));
    expect((JSON.parse(listed.out) as { id: string }[]).map(({ id }) => id)).toEqual(["ada", "grace"]);
  });

  it("a proxy serves from the sealed store, and what it refreshes is sealed too", async () => {
    const folder = await sealNew();
    const proxy = await folder.proxy(passphrase("correct horse"));
    folder.upstream.expireAccessTokens();
    expect((await proxy.ask()).status).toBe(200);
    expect((await proxy.ask()).status).toBe(200);
    expect(folder.upstream.tokenCalls().refresh_token).toBe(2);
    expect(everything(folder.dir)).not.toMatch(/sk-ant-o[ar]t01/);
    // The running proxy tells its state without anybody opening the store.
    const { code, out } = await end(folder, ["status", "--json", "--set", `server.port=${new URL(proxy.url).port}`]);
    expect([code, (JSON.parse(out) as { running: boolean }).running]).toEqual([0, true]);
  });

  it.each([
    ["a wrong one", passphrase("wrong"), "the passphrase does not open accounts.json"],
    ["a missing one", {}, "accounts.json needs a passphrase and there is none"],
  ] as const)("%s is one sentence and exit code 1, and changes nothing", async (_name, more, sentence) => {
    const folder = await sealed();
    const before = readFileSync(join(folder.dir, "accounts.json"), "utf8");
    const commands = [["accounts", "list"], ["status"], ["refresh"], ["--headless", "--port", "0"]];
    const ends = await Promise.all(commands.map(async (args) => ({ args, ...(await end(folder, args, more)) })));
    for (const { args, code, out, err } of ends) expect([args, code, out.includes("listening"), err.split("\n")[0]]).toEqual([args, 1, false, `claude-oauth-proxy: ${sentence}`]);
    expect(readFileSync(join(folder.dir, "accounts.json"), "utf8")).toBe(before);
  }, 90_000);

  it("is asked for on a terminal, and not shown there", async () => {
    const folder = await sealed();
    const terminal = openTerminal({ args: [commandLine, "accounts", "list", "--dir", folder.dir] });
    await terminal.waitFor("Passphrase of the account store:");
    await eventually(() => terminal.rawMode(), Boolean, { what: "raw mode" });
    terminal.write("correct horse\r");
    expect(await terminal.waitForExit()).toBe(0);
    expect(terminal.everything()).toContain("grace");
    expect(terminal.bytes()).not.toContain("correct horse");
  });

  it("goes back to none without losing a field", async () => {
    const folder = await sealed();
    expect((await end(folder, ["config", "set", "storage.encryption", "none"])).code).toBe(0);
    expect((await end(folder, ["accounts", "list"], passphrase("correct horse"))).code).toBe(0);
    expect(folder.accounts()).toEqual(folder.before);
    expect((await end(folder, ["accounts", "list"])).code).toBe(0);
  });

  it("is changed by opening the store once with the old one and sealing it with the new one", async () => {
    const folder = await sealed();
    expect((await end(folder, ["accounts", "list", "--set", "storage.encryption=none"], passphrase("correct horse"))).code).toBe(0);
    expect((await end(folder, ["accounts", "list"], passphrase("battery staple"))).code).toBe(0);
    expect((await end(folder, ["accounts", "list"], passphrase("correct horse"))).code).toBe(1);
    const listed = await end(folder, ["accounts", "list"], passphrase("battery staple"));
    expect([listed.code, listed.out.includes("grace")]).toEqual([0, true]);
    const found = everything(folder.dir);
    expect(folder.secrets.filter((secret) => found.includes(secret))).toEqual([]);
  });
});

describe("a store that was sealed once", () => {
  it("stays sealed when the setting goes, and is unsealed by none alone", async () => {
    const folder = await sealed();
    expect((await end(folder, ["config", "unset", "storage.encryption"])).code).toBe(0);
    expect((await end(folder, ["accounts", "rename", "ada", "Ada"], passphrase("correct horse"))).code).toBe(0);
    const found = everything(folder.dir);
    expect(folder.secrets.filter((secret) => found.includes(secret))).toEqual([]);
    expect((await end(folder, ["accounts", "list", "--set", "storage.encryption=none"], passphrase("correct horse"))).code).toBe(0);
    expect(folder.accounts()["ada"]).toMatchObject({ label: "Ada" });
  });

  it("is not replaced by a plain one without a word: every command says how to accept it", async () => {
    const folder = await sealed();
    const { dir, upstream } = folder;
    storeGrants(dir, { mallory: { grant: upstream.issueTokens({ account: "mallory" }) } });
    const sentence = `claude-oauth-proxy: ${dir}/accounts.json is not sealed, and it was: something has put it there`;
    for (const args of [["accounts", "list"], ["refresh"], ["--headless", "--port", "0"]]) {
      const { code, err } = await end(folder, args, passphrase("correct horse"));
      expect([args, code, err.split("\n")[0]]).toEqual([args, 1, sentence]);
      expect(err).toContain("--set storage.encryption=none");
    }
    expect((await end(folder, ["doctor"])).out).toMatch(/accounts\.json +not sealed, and it was/);
    expect(folder.accounts()).toHaveProperty("mallory");
    const accepted = await end(folder, ["accounts", "list", "--set", "storage.encryption=none"]);
    expect([accepted.code, accepted.out.includes("mallory")]).toEqual([0, true]);
    expect((await end(folder, ["accounts", "list"], passphrase("battery staple"))).code).toBe(0);
    expect(readFileSync(join(dir, "accounts.json"), "utf8")).toContain('"sealed"');
  }, 60_000);
});

describe("storage.encryption keyring", () => {
  it("without its package is one sentence, and the file stays as it is", async () => {
    const folder = await twoAccounts();
    const { code, err } = await end(folder, ["accounts", "list", "--set", "storage.encryption=keyring"]);
    expect(code).toBe(1);
    expect(err.split("\n")[0]).toBe('claude-oauth-proxy: storage.encryption is "keyring", but the optional package @napi-rs/keyring is not installed');
    expect(folder.accounts()).toEqual(folder.before);
  });
});
