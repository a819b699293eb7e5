// A disk that is full, modes that have drifted and links in place of files, under the real program.
import { chmodSync, lstatSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import { eventually } from "../helpers/eventually.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";

const fullDisk = join(import.meta.dirname, "../fixtures/full-disk.ts");

describe("a full disk", () => {
  it("a refreshed token serves from memory, a person is told, and it is stored as soon as there is room (D2)", async () => {
    const folder = await createDataFolder();
    storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens() } });
    const flag = join(temporaryFolder(), "full");
    const proxy = await folder.proxy({ nodeArgs: ["--import", fullDisk], env: { FULL_WHILE: flag }, set: ["oauth.sweepSeconds=3600"] });
    writeFileSync(flag, "");
    const before = readFileSync(join(folder.dir, "accounts.json"), "utf8");
    folder.upstream.expireAccessTokens();
    expect([(await proxy.ask()).status, (await proxy.ask()).status]).toEqual([200, 200]);
    expect(await proxy.waitForEvent("notice", ({ code }) => code === "token-not-stored")).toMatchObject({ level: "error", message: expect.stringContaining("kept in memory") });
    expect(readFileSync(join(folder.dir, "accounts.json"), "utf8")).toBe(before);
    rmSync(flag);
    await proxy.waitForEvent("notice", ({ code }) => code === "token-stored");
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
    const next = await folder.proxy();
    expect([(await next.ask()).status, folder.upstream.tokenCalls().refresh_token]).toEqual([200, 1]);
  });

  it("a disk that was full before the refresh spends no token: the old one serves, and the refresh follows when there is room", async () => {
    const folder = await createDataFolder();
    storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens(), expiresAt: Date.now() + 200_000 } });
    const flag = join(temporaryFolder(), "full");
    writeFileSync(flag, "");
    const proxy = await folder.proxy({ nodeArgs: ["--import", fullDisk], env: { FULL_WHILE: flag, FULL_FOR: "reserve" }, set: ["oauth.sweepSeconds=1"] });
    expect(await proxy.waitForEvent("token.refresh-failed")).toMatchObject({ errorCode: "store-unwritable", nextTryAt: expect.any(Number) });
    expect([(await proxy.ask()).status, folder.upstream.tokenCalls().refresh_token]).toEqual([200, 0]);
    rmSync(flag);
    const refresh = folder.program(["refresh"]);
    refresh.endInput();
    expect((await refresh.waitForExit()).code).toBe(0);
    await proxy.waitForEvent("token.adopted");
    expect([(await proxy.ask()).status, folder.upstream.tokenCalls().refresh_token]).toEqual([200, 1]);
  });
});

describe("modes and links", () => {
  it("wider modes of folder and file are narrowed and told (D4)", async () => {
    const folder = await createDataFolder();
    storeGrants(folder.dir, { ada: { grant: folder.upstream.issueTokens() } });
    const path = join(folder.dir, "accounts.json");
    chmodSync(path, 0o644);
    chmodSync(folder.dir, 0o755);
    const proxy = await folder.proxy();
    expect((await proxy.ask()).status).toBe(200);
    expect([statSync(path).mode & 0o777, statSync(folder.dir).mode & 0o777]).toEqual([0o600, 0o700]);
    const told = await eventually(() => proxy.stdout().split("\n").filter((line) => line.includes('"notice"')), ({ length }) => length >= 2);
    expect(told.join("\n")).toContain("accounts.json");
  });

  it("a dangling link in place of the file is refused in one sentence; nothing is written through it (D5)", async () => {
    const folder = await createDataFolder();
    const target = join(temporaryFolder(), "elsewhere.json");
    symlinkSync(target, join(folder.dir, "accounts.json"));
    const program = folder.program(["accounts", "list"]);
    program.endInput();
    expect((await program.waitForExit()).code).toBe(1);
    expect(program.stderr().split("\n")[0]).toMatch(/accounts\.json/);
    expect(program.stderr()).not.toMatch(/^\s+at /m);
    expect([lstatSync(join(folder.dir, "accounts.json")).isSymbolicLink(), statSync(target, { throwIfNoEntry: false })]).toEqual([true, undefined]);
  });

  it("a link to one's own file elsewhere is followed and stays a link", async () => {
    const folder = await createDataFolder();
    const elsewhere = temporaryFolder();
    storeGrants(elsewhere, { ada: { grant: folder.upstream.issueTokens() } });
    symlinkSync(join(elsewhere, "accounts.json"), join(folder.dir, "accounts.json"));
    const proxy = await folder.proxy();
    folder.upstream.expireAccessTokens();
    const before = folder.accounts()["ada"]?.refresh_token;
    expect((await proxy.ask()).status).toBe(200);
    expect(folder.accounts()["ada"]?.refresh_token).not.toBe(before);
    expect(lstatSync(join(folder.dir, "accounts.json")).isSymbolicLink()).toBe(true);
  });
});
