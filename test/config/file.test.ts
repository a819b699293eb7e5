// The preferences on the disk: private, written in one step, never lost to a torn file.
import { chmodSync, existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPreferencesFile } from "../../src/config/file.ts";

let base = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "preferences-"));
});
afterEach(() => {
  chmodSync(base, 0o700);
  rmSync(base, { recursive: true, force: true });
});

const open = (dir = join(base, "data")) => createPreferencesFile({ dir, now: () => Date.UTC(2026, 0, 2, 12), uid: process.geteuid?.() ?? null, onNotice: () => {} });
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("preferences file", () => {
  it("reading a folder that is not there makes nothing", () => {
    expect(open().read()).toBe(null);
    expect(existsSync(join(base, "data"))).toBe(false);
  });

  it("a value is kept in a file 0600 in a folder 0700, whatever the umask (D6)", async () => {
    const before = process.umask(0);
    try {
      await open().set("server.port", 4002);
    } finally {
      process.umask(before);
    }
    expect(open().read()).toEqual({ server: { port: 4002 } });
    expect([mode(join(base, "data")), mode(join(base, "data/config.json"))]).toEqual(["700", "600"]);
  });

  it("a key that was written with a dot has one spelling after a write", async () => {
    mkdirSync(join(base, "data"));
    writeFileSync(join(base, "data/config.json"), '{"server.port":1,"mode":"oauth","server":{"host":"::1"}}');
    await open().set("server.port", 2);
    expect(open().read()).toEqual({ mode: "oauth", server: { host: "::1", port: 2 } });
  });

  it("unset removes the value and an empty section, and says whether it was there", async () => {
    await open().set("ui.maxFps", 2);
    await open().set("mode", "pass-through");
    expect([await open().unset("ui.maxFps"), await open().unset("ui.maxFps"), await open().unset("mode")]).toEqual([true, false, true]);
    expect(open().read()).toEqual({});
  });

  it("unset also removes a key that no version knows", async () => {
    mkdirSync(join(base, "data"));
    writeFileSync(join(base, "data/config.json"), '{"sever":{"port":1},"mode":"oauth"}');
    expect(await open().unset("sever.port")).toBe(true);
    expect(open().read()).toEqual({ mode: "oauth" });
  });

  it.each(["", '{"mode":', "[]", '"text"', "null"])("a torn file (%j) is refused, kept as it is by a reader, and moved aside by a write (D3)", async (torn) => {
    mkdirSync(join(base, "data"));
    const path = join(base, "data/config.json");
    writeFileSync(path, torn);
    expect(() => open().read()).toThrowError(/is not a JSON object.*left as it is/);
    await expect(open().unset("mode")).rejects.toThrowError(/is not a JSON object/);
    expect(readFileSync(path, "utf8")).toBe(torn);
    const aside = await open().set("mode", "oauth");
    expect(aside).toBe(`${path}.torn-2026-01-02T12-00-00-000Z`);
    expect(readFileSync(aside ?? "", "utf8")).toBe(torn);
    expect(open().read()).toEqual({ mode: "oauth" });
  });

  it("a folder that cannot be made is named, with what to do", async () => {
    writeFileSync(join(base, "blocked"), "");
    await expect(open(join(base, "blocked/data")).set("mode", "oauth")).rejects.toMatchObject({
      message: `cannot read ${join(base, "blocked/data")}: a part of the path is not a folder`,
      hint: expect.stringMatching(/\w/),
    });
  });

  it("no leftover of a write stays in the folder", async () => {
    for (let port = 1; port <= 20; port += 1) await open().set("server.port", port);
    expect(readdirSync(join(base, "data"))).toEqual(["config.json"]);
  });
});
