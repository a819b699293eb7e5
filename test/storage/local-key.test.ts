import { chmodSync, readFileSync, readdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files, StorageNotice } from "../../src/storage/files.ts";
import { loadLocalKey } from "../../src/storage/local-key.ts";
import { filesWith, realProcesses, runFixture, systemError, temporaryFolder } from "./kit.ts";

const load = (dir: string, files: Files = systemFiles) => {
  const notices: StorageNotice[] = [];
  const key = loadLocalKey(join(dir, "key"), { files, random: systemRandom, processes: realProcesses, onNotice: (notice) => void notices.push(notice) });
  return { key: key.reveal(), notices };
};

describe("the local key", () => {
  it("is made once, is recognisable, holds 256 bits, and no other user can read it", () => {
    const dir = temporaryFolder();
    const { key } = load(dir);
    expect(key).toMatch(/^cop_[A-Za-z0-9_-]{43}$/);
    expect([load(dir).key, readFileSync(join(dir, "key"), "utf8"), statSync(join(dir, "key")).mode & 0o777]).toEqual([key, `${key}\n`, 0o600]);
    expect(readdirSync(dir)).toEqual(["key"]);
    expect(load(temporaryFolder()).key).not.toBe(key);
  });

  it("is on the disk before it has its name", () => {
    const steps: string[] = [];
    load(temporaryFolder(), filesWith(({ name }) => void steps.push(name)));
    const made = steps.slice(steps.indexOf("fchmodSync"), steps.indexOf("linkSync") + 1);
    expect(made).toEqual(["fchmodSync", "writeSync", "fsyncSync", "closeSync", "linkSync"]);
  });

  it("is the same for eight processes that make it at once", async () => {
    const dir = temporaryFolder();
    const ends = await Promise.all(Array.from({ length: 8 }, () => runFixture("local-key", dir).ended));
    expect(new Set(ends.map(({ lines }) => lines.join()))).toEqual(new Set([readFileSync(join(dir, "key"), "utf8").trim()]));
  });

  it("that another process makes in the last moment is used", () => {
    const dir = temporaryFolder();
    const winner = `cop_${"w".repeat(43)}`;
    const files = filesWith(({ name }) => { if (name === "linkSync") writeFileSync(join(dir, "key"), winner, { mode: 0o600 }); });
    expect(load(dir, files).key).toBe(winner);
    expect(readdirSync(dir)).toEqual(["key"]);
  });

  it("may be a person's own, if it is long enough", () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "key"), "  my-own-key-of-22-chars+  \r\n", { mode: 0o600 });
    expect(load(dir)).toEqual({ key: "my-own-key-of-22-chars+", notices: [] });
  });

  it.each(["", "short", "has a blank in it and is long", "\u001b[2Jcop_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])("%j is no key: kept aside, replaced, and said", (content) => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "key"), content, { mode: 0o600 });
    const { key, notices } = load(dir);
    expect(key).toMatch(/^cop_/);
    expect(notices).toEqual([expect.objectContaining({ code: "key-replaced", hint: expect.stringContaining("env") })]);
    expect(readdirSync(dir).map((name) => readFileSync(join(dir, name), "utf8")).sort()).toEqual([content, `${key}\n`].sort());
  });

  it("that is no key and is moved aside by another process in the last moment is made anew", () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "key"), "short", { mode: 0o600 });
    const files = filesWith(({ name }) => { if (name === "renameSync") unlinkSync(join(dir, "key")); });
    const { key, notices } = load(dir, files);
    expect([readFileSync(join(dir, "key"), "utf8"), readdirSync(dir), notices]).toEqual([`${key}\n`, ["key"], []]);
  });

  it("open to others is repaired and said; a dangling link is refused", () => {
    const dir = temporaryFolder();
    load(dir);
    chmodSync(join(dir, "key"), 0o644);
    expect(load(dir).notices.map(({ code }) => code)).toEqual(["modes-repaired"]);
    const other = temporaryFolder();
    symlinkSync(join(other, "nowhere"), join(other, "key"));
    expect(() => load(other)).toThrow(expect.objectContaining({ code: "store-unreadable" }));
  });

  it("is made without hard links too, and a folder that takes none is a clear error", () => {
    const dir = temporaryFolder();
    const { key } = load(dir, filesWith(({ name }) => { if (name === "linkSync") throw systemError("EPERM"); }));
    expect(load(dir).key).toBe(key);
    const refusing = filesWith(({ name, args }) => { if (name === "openSync" && args[1] === "wx") throw systemError("EROFS"); });
    expect(() => load(temporaryFolder(), refusing)).toThrow(expect.objectContaining({ code: "store-unwritable", message: expect.stringContaining("read-only") }));
  });
});
