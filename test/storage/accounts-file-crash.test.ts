// kill -9 at any point of a write: the store always parses and holds the newest token that was ever
// reported as saved, and its backup is never the one from before.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { accountOf, runFixture, storeIn, temporaryFolder, withAccount } from "./kit.ts";

const labelIn = (path: string): number => {
  const file = JSON.parse(readFileSync(path, "utf8")) as { accounts: { main: { label: string; refresh_token: string } } };
  expect(file.accounts.main.refresh_token).toBe(`refresh-${file.accounts.main.label}`);
  return Number(file.accounts.main.label);
};

const freshStore = async (): Promise<string> => {
  const dir = temporaryFolder();
  await storeIn(dir).store.update(withAccount(accountOf("main", { label: "0", refreshToken: secret("refresh-0") })));
  return dir;
};

/** One life of the program; the last number it reported as saved, and the one it was saving. */
const lifeIn = async (dir: string, killAt: number) => {
  const { lines, signal } = await runFixture("store-killed", dir, killAt).ended;
  expect(signal, lines.join("\n")).toBe("SIGKILL");
  expect(lines.filter((line) => !/^(found|saving|saved) \d+$/.test(line))).toEqual([]);
  const numbers = (word: string) => lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(" ")[1]));
  return { found: numbers("found")[0] ?? null, saved: numbers("saved").at(-1) ?? null, saving: numbers("saving").at(-1) ?? null };
};

const live = (dir: string): number => labelIn(join(dir, "accounts.json"));

const killMany = async (dir: string, times: number): Promise<void> => {
  let known = 0;
  for (let life = 0; life < times; life += 1) {
    const killAt = 1 + Math.floor(Math.random() * 300);
    const { found, saved, saving } = await lifeIn(dir, killAt);
    const now = live(dir);
    const what = `killed at call ${killAt}: found ${found}, saved ${saved}, was saving ${saving}, live ${now}, known ${known}`;
    expect(found === null || found === known, what).toBe(true);
    expect(now, what).toBeGreaterThanOrEqual(saved ?? known);
    expect(now, what).toBeLessThanOrEqual(saving ?? known);
    if (existsSync(join(dir, "accounts.json.bak"))) expect(labelIn(join(dir, "accounts.json.bak")), what).toBe(now);
    known = now;
  }
};

describe("a process that is killed while it writes", () => {
  it("leaves the newest saved token, at 204 random points (D1)", { timeout: 180_000 }, async () => {
    const dirs = await Promise.all([freshStore(), freshStore()]);
    await Promise.all(dirs.map((dir) => killMany(dir, 102)));
    for (const dir of dirs) {
      const { store, notices } = storeIn(dir);
      expect((await store.load()).get("main")?.label).toBe(String(live(dir)));
      await store.withRefreshLock("main", () => store.update((current) => current));
      expect(notices).toEqual([]);
      expect(readdirSync(dir, { recursive: true }).filter((name) => String(name).endsWith(".tmp"))).toEqual([]);
      expect(readFileSync(join(dir, "accounts.json.bak"), "utf8")).toBe(readFileSync(join(dir, "accounts.json"), "utf8"));
    }
  });
});
