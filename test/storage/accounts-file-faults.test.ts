// Every single call of the file system fails in turn during an update, and a disk that is really full.
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { dataFiles } from "../../src/storage/paths.ts";
import { releaseLater } from "../helpers/leftovers.ts";
import { accountOf, filesWith, storeIn, systemError, temporaryFolder, withAccount } from "./kit.ts";

const withToken = (token: string) => withAccount(accountOf("main", { accessToken: secret(token), refreshToken: secret(`${token}-refresh`) }));
const tokenAt = (path: string): unknown => JSON.parse(readFileSync(path, "utf8")).accounts.main.access_token;

const freshFolder = async (): Promise<string> => {
  const dir = temporaryFolder();
  await storeIn(dir).store.update(withToken("old"));
  return dir;
};

/** One update in which the call with this number fails; gives its outcome. */
const updateWithFault = async (dir: string, failing: number, code: string): Promise<{ outcome: string; calls: number }> => {
  let calls = 0;
  const files = filesWith(({ count }) => {
    calls = count;
    if (count === failing) throw systemError(code);
  });
  const outcome = await storeIn(dir, { files }).store.update(withToken("new")).then(() => "saved", (error: { code?: string }) => String(error.code));
  return { outcome, calls };
};

describe("a fault at any step of an update (D1)", () => {
  it.each(["EIO", "ENOSPC"])("%s: what was reported is true, and the backup is never behind", { timeout: 60_000 }, async (code) => {
    const { calls } = await updateWithFault(await freshFolder(), 0, code);
    expect(calls).toBeGreaterThan(40);
    const seen = new Set<string>();
    for (let failing = 1; failing <= calls; failing += 1) {
      const dir = await freshFolder();
      const { outcome } = await updateWithFault(dir, failing, code);
      const { accounts, backup } = dataFiles(dir);
      const what = `call ${failing}: outcome ${outcome}`;
      expect(["saved", "store-unwritable", "store-unreadable"], what).toContain(outcome);
      expect(tokenAt(accounts), what).toBe(outcome === "saved" ? "new" : "old");
      if (existsSync(backup)) expect(tokenAt(backup), what).toBe(tokenAt(accounts));
      const { store } = storeIn(dir);
      await store.load();
      expect(readFileSync(backup, "utf8"), what).toBe(readFileSync(accounts, "utf8"));
      seen.add(outcome);
    }
    expect(seen.has("saved") && seen.has("store-unwritable")).toBe(true);
  });
});

/** A file system of 64 KiB, unmounted with the test; null where it cannot be had. */
const smallDisk = (): string | null => {
  const dir = temporaryFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", dir], { stdio: "ignore" });
  } catch {
    return null;
  }
  releaseLater(() => void execFileSync("umount", ["-l", dir]));
  return dir;
};

/** Takes every free block. */
const fillUp = (dir: string): void => {
  const fd = openSync(join(dir, "filler"), "a");
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    closeSync(fd);
  }
};

describe("a disk that is really full (D2)", () => {
  it("takes the token of a refresh that began before it was full, again and again", async ({ skip }) => {
    const dir = smallDisk();
    if (dir === null) return skip("only root can mount a small file system");
    const { store, notices } = storeIn(dir);
    await store.update(withToken("old"));
    await store.withRefreshLock("main", async () => {
      fillUp(dir);
      await store.update(withToken("new"));
    });
    expect(tokenAt(dataFiles(dir).accounts)).toBe("new");
    expect((await storeIn(dir).store.load()).get("main")?.refreshToken?.reveal()).toBe("new-refresh");
    expect(notices.map(({ code }) => code).filter((code) => code !== "backup-unwritten")).toEqual([]);
  });

  it("refuses a refresh before the token is spent, keeps what is stored, and goes on when there is room", async ({ skip }) => {
    const dir = smallDisk();
    if (dir === null) return skip("only root can mount a small file system");
    const { store } = storeIn(dir);
    await store.update(withToken("old"));
    rmSync(`${dataFiles(dir).accounts}.reserve`);
    fillUp(dir);
    let spent = 0;
    const refresh = () => store.withRefreshLock("main", async () => {
      spent += 1;
      await store.update(withToken("new"));
    });
    const refusal = { code: "store-unwritable", message: expect.stringContaining("the disk is full"), hint: expect.stringContaining("Free some space") };
    await expect(refresh()).rejects.toMatchObject(refusal);
    await expect(store.update(withToken("new"))).rejects.toMatchObject(refusal);
    expect([spent, tokenAt(dataFiles(dir).accounts)]).toEqual([0, "old"]);
    rmSync(join(dir, "filler"));
    await refresh();
    expect([spent, tokenAt(dataFiles(dir).accounts), tokenAt(dataFiles(dir).backup)]).toEqual([1, "new", "new"]);
  });
});
