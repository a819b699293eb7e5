// The locks of accounts.json in one process: names that are refused, locks that are lost, locks that are held.
import { existsSync, readFileSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { formatClaim } from "../../src/storage/lock-tickets.ts";
import { dataFiles } from "../../src/storage/paths.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { accountOf, filesWith, realProcesses, storeIn, temporaryFolder, withAccount } from "./kit.ts";

const textOf = (path: string): string => readFileSync(path, "utf8");
const tokenIn = (text: string): unknown => JSON.parse(text).accounts.main.access_token;
const withToken = (token: string) => withAccount(accountOf("main", { accessToken: secret(token) }));

/** A folder with one account in it, its files, and a store of a second process start. */
const setUp = async () => {
  const dir = temporaryFolder();
  await storeIn(dir).store.update(withToken("first"));
  return { dir, paths: dataFiles(dir), ...storeIn(dir) };
};

/** A store whose lock is taken over `times` times, each time right before the new file becomes live. */
const losing = async (times: number) => {
  const { dir, paths } = await setUp();
  let left = times;
  const files = filesWith(({ name, args }) => {
    if (name !== "openSync" || args[1] !== "wx" || !String(args[0]).startsWith(`${paths.accounts}.${process.pid}.`) || left === 0) return;
    left -= 1;
    const folder = join(dir, "locks", "accounts");
    const highest = Math.max(...readdirSync(folder).map(Number).filter(Number.isInteger));
    writeFileSync(join(folder, String(highest + 1)), formatClaim(realProcesses.self, "thief").replace("H", "F"));
  });
  return { paths, ...storeIn(dir, { files }) };
};

describe("the lock of a refresh", () => {
  it("of an account that can have no such name is refused before anything is made", async () => {
    const dir = temporaryFolder();
    await expect(storeIn(dir).store.withRefreshLock("../x", async () => 1)).rejects.toMatchObject({ code: "unknown-account" });
    expect(readdirSync(dir)).toEqual([]);
  });

  it("leaves no claim behind that was prepared for a token and not needed", async () => {
    const { dir, store } = await setUp();
    await store.withRefreshLock("main", async () => {});
    await expect(store.withRefreshLock("main", () => Promise.reject(new Error("the network")))).rejects.toThrow("the network");
    expect(readdirSync(join(dir, "locks", "accounts")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("a lock that other processes take away while a change is written", () => {
  it("makes it apply the change anew, on what is in the file then", async () => {
    const { paths, store } = await losing(3);
    let calls = 0;
    await store.update((current) => {
      calls += 1;
      return withToken("second")(current);
    });
    expect([calls, tokenIn(textOf(paths.accounts)), textOf(paths.backup)]).toEqual([4, "second", textOf(paths.accounts)]);
  });

  it("is an error the fourth time, and the old file stays", async () => {
    const { paths, store } = await losing(4);
    await expect(store.update(withToken("second"))).rejects.toMatchObject({
      code: "store-locked", message: "other processes take the lock of accounts.json away again and again",
    });
    expect([tokenIn(textOf(paths.accounts)), textOf(paths.backup)]).toEqual(["first", textOf(paths.accounts)]);
  });

  it("keeps a backup from being written over that of the other process", async () => {
    const { dir, paths } = await setUp();
    const files = filesWith(({ name, args }) => {
      if (name !== "renameSync" || args[1] !== paths.accounts) return;
      // From here on the file is live and only the backup is missing.
      writeFileSync(join(dir, "locks", "accounts", "900"), formatClaim(realProcesses.self, "thief"));
      writeFileSync(paths.backup, "of the other process");
    });
    const { store, notices } = storeIn(dir, { files });
    await store.update(withToken("second"));
    expect([tokenIn(textOf(paths.accounts)), textOf(paths.backup), notices]).toEqual(["second", "of the other process", []]);
  });
});

describe("a lock that another process holds", () => {
  it("is not waited for long when only the backup is missing", async () => {
    const { dir, paths } = await setUp();
    unlinkSync(paths.backup);
    writeFileSync(join(dir, "locks", "accounts", "900"), formatClaim(realProcesses.self, "holder"));
    const clock = createFakeClock(Date.now());
    const { store, notices } = storeIn(dir, { clock });
    const loading = store.load();
    await clock.advance(1_200);
    expect([(await loading).size, notices, existsSync(paths.backup)]).toEqual([1, [], false]);
  });
});
