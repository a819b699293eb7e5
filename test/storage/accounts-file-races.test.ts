// Several real processes on one store.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { accountOf, runFixture, storeIn, temporaryFolder, withAccount } from "./kit.ts";

const prioritiesIn = async (dir: string) => Object.fromEntries([...(await storeIn(dir).store.load())].map(([id, { priority }]) => [id, priority]));
const callsIn = (dir: string): number => readFileSync(join(dir, "calls.log"), "utf8").trim().split("\n").length;

describe("several processes with one store", { timeout: 60_000 }, () => {
  it("two processes that write 200 times each lose no update (D7)", async () => {
    const dir = temporaryFolder();
    const ends = await Promise.all([runFixture("store-update", dir, "a", 200).ended, runFixture("store-update", dir, "b", 200).ended]);
    expect(ends.map(({ lines }) => lines)).toEqual([["done 200"], ["done 200"]]);
    expect(await prioritiesIn(dir)).toEqual({ a: 200, b: 200, shared: 400 });
  });

  it("eight processes that write at once lose no update", async () => {
    const dir = temporaryFolder();
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const ends = await Promise.all(names.map((name) => runFixture("store-update", dir, name, 15).ended));
    expect(ends.map(({ lines }) => lines)).toEqual(names.map(() => ["done 15"]));
    expect(await prioritiesIn(dir)).toEqual({ ...Object.fromEntries(names.map((name) => [name, 15])), shared: 120 });
  });

  it("eight processes that find the token expired call the token endpoint once and use one token (A2)", async () => {
    const dir = temporaryFolder();
    await storeIn(dir).store.update(withAccount(accountOf("main", { expiresAt: 1 })));
    const ends = await Promise.all(Array.from({ length: 8 }, () => runFixture("store-refresh", dir).ended));
    expect(callsIn(dir)).toBe(1);
    const uses = ends.map(({ lines }) => lines.at(-1) ?? "");
    expect(new Set(uses).size).toBe(1);
    expect(uses[0]).toMatch(/^uses fresh-\d+$/);
  });

  it("a holder that was stopped during its refresh does not write over its successor's token (A14)", async () => {
    const dir = temporaryFolder();
    await storeIn(dir).store.update(withAccount(accountOf("main", { expiresAt: 1 })));
    const stopped = runFixture("store-refresh", dir, "stop");
    expect(await stopped.line()).toBe("calling");
    const second = runFixture("store-refresh", dir);
    expect((await second.ended).lines).toEqual(["calling", `uses fresh-${second.pid}`]);
    stopped.child.kill("SIGCONT");
    const { lines, code } = await stopped.ended;
    expect(lines).toEqual(["calling", "lost", `uses fresh-${second.pid}`]);
    expect(code).toBe(0);
    expect((await storeIn(dir).store.load()).get("main")?.accessToken.reveal()).toBe(`fresh-${second.pid}`);
  });

  it("a writer that was stopped in the middle of a change applies it again to what is there now", async () => {
    const dir = temporaryFolder();
    const stopped = runFixture("store-update", dir, "slow", 1, "stop");
    expect(await stopped.line()).toBe("stopping");
    expect(existsSync(join(dir, "accounts.json"))).toBe(false);
    expect((await runFixture("store-update", dir, "quick", 3).ended).lines).toEqual(["done 3"]);
    stopped.child.kill("SIGCONT");
    expect((await stopped.ended).lines).toEqual(["stopping", "done 2"]);
    expect(await prioritiesIn(dir)).toEqual({ quick: 3, slow: 1, shared: 4 });
  });
});
