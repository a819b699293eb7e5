// proxy.json: every proxy that runs is in it, none that has ended, and none that a stranger put there.
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Processes } from "../../src/storage/processes.ts";
import { createProxyFile, readProxies } from "../../src/storage/proxy-file.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { filesWith, realProcesses } from "./kit.ts";

const clock = createFakeClock(Date.UTC(2026, 0, 2, 12));

const depsIn = (dir: string, processes: Processes = realProcesses) => ({ dir, clock, processes, files: systemFiles, random: systemRandom, uid: processes.uid, onNotice: () => {} });

/** Another process of this machine. */
const processOf = (pid: number, startTime: string | null = "1"): Processes => ({ ...realProcesses, self: { ...realProcesses.self, pid, startTime } });

/** A reader that finds exactly these processes alive, by pid with their start time. */
const seeing = (alive: Readonly<Record<number, string>>): Processes => ({
  ...realProcesses,
  look: (pid) => ({ alive: alive[pid] !== undefined, startTime: alive[pid] ?? null }),
});

const setUp = () => {
  const dir = temporaryFolder();
  const path = join(dir, "proxy.json");
  const written = (): unknown => JSON.parse(readFileSync(path, "utf8"));
  const urls = (processes: Processes = realProcesses): readonly string[] => readProxies(dir, depsIn(dir, processes)).map(({ url }) => url);
  return { dir, path, written, urls };
};

const at = (port: number) => ({ url: `http://127.0.0.1:${port}`, version: "1.2.3", forOneCommand: false });

describe("proxy.json", () => {
  it("is there while a proxy listens, in the documented form and for its owner only, and gone afterwards", async () => {
    const { dir, path, written, urls } = setUp();
    const file = createProxyFile(depsIn(dir));
    await file.add(at(4001));
    expect(written()).toMatchObject({ pid: process.pid, started_at: "2026-01-02T12:00:00.000Z", url: "http://127.0.0.1:4001", version: "1.2.3" });
    expect(Object.keys(written() as object)).toEqual(["pid", "started_at", "url", "version", "process"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(urls()).toEqual(["http://127.0.0.1:4001"]);
    await file.remove();
    expect([existsSync(path), urls()]).toEqual([false, []]);
  });

  it("knows two proxies, also of one process: the newest is the object, and the other one stays when it ends", async () => {
    const { dir, written, urls } = setUp();
    const [first, second] = [createProxyFile(depsIn(dir)), createProxyFile(depsIn(dir))];
    await first.add(at(4001));
    await clock.advance(10);
    await second.add(at(4002));
    expect(written()).toMatchObject({ url: "http://127.0.0.1:4002", others: [{ url: "http://127.0.0.1:4001" }] });
    expect(urls()).toEqual(["http://127.0.0.1:4002", "http://127.0.0.1:4001"]);
    await second.remove();
    expect(Object.keys(written() as object)).not.toContain("others");
    expect(urls()).toEqual(["http://127.0.0.1:4001"]);
  });

  it("names one that ends with its command behind those that stay", async () => {
    const { dir, written } = setUp();
    await createProxyFile(depsIn(dir)).add(at(4001));
    await clock.advance(10);
    await createProxyFile(depsIn(dir)).add({ ...at(4002), forOneCommand: true });
    expect(written()).toMatchObject({ url: "http://127.0.0.1:4001", others: [{ url: "http://127.0.0.1:4002", for_one_command: true }] });
  });

  it("loses none of two that start at once: the second one waits until the first has written", async () => {
    const { dir, urls } = setUp();
    const second = createProxyFile({ ...depsIn(dir), clock: createSystemClock() });
    let adding: Promise<void> | null = null;
    // The first one has read the file, and is about to replace it.
    const files = filesWith(({ name, args }) => {
      if (name === "renameSync" && String(args[1]).endsWith("proxy.json")) adding ??= second.add(at(4002));
    });
    await createProxyFile({ ...depsIn(dir), files }).add(at(4001));
    await adding;
    expect(urls().toSorted()).toEqual(["http://127.0.0.1:4001", "http://127.0.0.1:4002"]);
  });

  it("is not removed by a proxy that never listened", async () => {
    const { dir, path } = setUp();
    await createProxyFile(depsIn(dir)).add(at(4001));
    await createProxyFile(depsIn(dir)).remove();
    expect(existsSync(path)).toBe(true);
  });
});

describe("what a killed proxy has left in proxy.json", () => {
  it.each([
    ["its pid is gone", {}, []],
    ["its pid is another process, started at another time", { 77: "2" }, []],
    ["it lives", { 77: "1" }, ["http://127.0.0.1:4001"]],
  ])("counts for what it is when %s", async (_, alive, expected) => {
    const { dir, urls } = setUp();
    await createProxyFile(depsIn(dir, processOf(77))).add(at(4001));
    expect(urls(seeing(alive))).toEqual(expected);
  });

  it("is from before the last boot", async () => {
    const { dir, urls } = setUp();
    const before: Processes = { ...processOf(77), self: { ...realProcesses.self, pid: 77, startTime: "1", bootId: "another boot" } };
    await createProxyFile(depsIn(dir, before)).add(at(4001));
    expect(urls({ ...seeing({ 77: "1" }), self: { ...realProcesses.self, bootId: "this boot" } })).toEqual([]);
  });

  it("goes with the next write", async () => {
    const { dir, written } = setUp();
    await createProxyFile(depsIn(dir, processOf(4_194_000))).add(at(4001));
    await createProxyFile(depsIn(dir)).add(at(4002));
    expect(written()).toMatchObject({ url: "http://127.0.0.1:4002" });
    expect(written()).not.toHaveProperty("others");
  });
});

const good = { pid: process.pid, started_at: "2026-01-02T12:00:00.000Z", url: "http://127.0.0.1:4001", version: "1", process: { host: "elsewhere" } };

describe("proxy.json that others may have written", () => {
  it.each([
    ["no JSON", "{ torn"],
    ["a list", []],
    ["no pid", { ...good, pid: undefined }],
    ["a pid that is none", { ...good, pid: -1 }],
    ["a pid that means a group", { ...good, pid: 0 }],
    ["no start", { ...good, process: undefined }],
    ["another scheme", { ...good, url: "https://127.0.0.1:4001" }],
    ["a script", { ...good, url: "javascript:alert(1)" }],
    ["a path", { ...good, url: "http://127.0.0.1:4001/x" }],
    ["a user", { ...good, url: "http://me@127.0.0.1:4001" }],
  ])("names no proxy with %s", (_, content) => {
    const { path, urls } = setUp();
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
    expect(urls()).toEqual([]);
  });

  it("names the good ones among its others, and no more than it can hold", () => {
    const { path, urls } = setUp();
    writeFileSync(path, JSON.stringify({ ...good, others: [1, null, { ...good, url: "http://127.0.0.1:4002" }, ...Array.from({ length: 1000 }, () => good)] }), { mode: 0o600 });
    expect(urls().slice(0, 2)).toEqual(["http://127.0.0.1:4001", "http://127.0.0.1:4002"]);
    expect(urls().length).toBeLessThanOrEqual(32);
  });

  it("is refused as a link to nowhere and as a folder, by its name (S4)", () => {
    const { path, urls } = setUp();
    symlinkSync("/no/such/file", path);
    expect(() => urls()).toThrow(`${path} is not used`);
    unlinkSync(path);
    mkdirSync(path);
    expect(() => urls()).toThrow(`${path} is not used`);
  });

  it.skipIf(process.getuid?.() !== 0)("is refused when it belongs to another user (only root can give a file away) (S4)", () => {
    const { path, urls } = setUp();
    writeFileSync(path, JSON.stringify(good), { mode: 0o600 });
    chownSync(path, 65_534, 65_534);
    expect(() => urls()).toThrow("it belongs to another user");
  });
});
