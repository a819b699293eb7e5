// The log file: private, complete, in order, rotated; a sick disk is reported once and never waited for.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileLines } from "../../src/log/file-lines.ts";
import { eventually } from "../helpers/eventually.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "log-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const options = (more: object = {}) => ({ path: join(dir, "log"), uid: process.geteuid?.() ?? null, maxBytes: null, keep: 2, onFault: () => {}, ...more });
const read = (name: string): string => readFileSync(join(dir, name), "utf8");
const onDisk = (): string => ["log.2", "log.1", "log"].filter((name) => existsSync(join(dir, name))).map(read).join("");
const mode = (path: string): number => statSync(path).mode & 0o777;

describe("lines to a file", () => {
  it("are appended, in order, to a file for the owner alone", async () => {
    writeFileSync(join(dir, "log"), "old\n", { mode: 0o644 });
    const lines = await createFileLines(options());
    for (let number = 0; number < 1000; number += 1) lines.write(String(number));
    await lines.close();
    expect(read("log")).toBe(`old\n${Array.from({ length: 1000 }, (_, number) => `${number}\n`).join("")}`);
    expect(mode(join(dir, "log"))).toBe(0o600);
  });

  it.skipIf(process.platform === "win32")("leave a pipe or a device where it is, however much goes through it (named pipes are for POSIX)", async () => {
    const path = join(dir, "log");
    execFileSync("mkfifo", [path]);
    const reader = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    let seen = "";
    reader.stdout.on("data", (bytes: Buffer) => void (seen += bytes.toString()));
    const lines = await createFileLines(options({ path, maxBytes: 100 }));
    for (let number = 0; number < 5; number += 1) {
      lines.write(String(number).padStart(60, "."));
      await eventually(() => seen, (text) => text.endsWith(`${number}\n`));
    }
    await lines.close();
    expect([statSync(path).isFIFO(), readdirSync(dir)]).toEqual([true, ["log"]]);
  });

  it("that are longer than the limit go into an empty file, which is not rotated for them", async () => {
    const lines = await createFileLines(options({ maxBytes: 100 }));
    lines.write("x".repeat(200));
    await lines.close();
    expect(readdirSync(dir)).toEqual(["log"]);
  });

  it("rotate by size, keep as many as asked, cut no line and stay private", async () => {
    const lines = await createFileLines(options({ maxBytes: 1000 }));
    for (let number = 0; number < 60; number += 1) {
      const line = String(number).padStart(99, ".");
      lines.write(line);
      // One batch each: what is written together is not cut by a rotation.
      await eventually(onDisk, (text) => text.includes(`${line}\n`));
    }
    await lines.close();
    const kept = ["log.2", "log.1", "log"].map(read).join("");
    expect(kept.split("\n").filter((line) => line !== "").every((line) => line.length === 99)).toBe(true);
    expect(kept.trimEnd().endsWith("59")).toBe(true);
    expect(existsSync(join(dir, "log.3"))).toBe(false);
    expect(["log", "log.1", "log.2"].map((name) => mode(join(dir, name)))).toEqual([0o600, 0o600, 0o600]);
  });

  it("a path that cannot be opened is named before anything starts", async () => {
    await expect(createFileLines(options({ path: join(dir, "missing", "log") }))).rejects.toMatchObject({ code: "bad-config", message: expect.stringContaining("missing/log cannot be opened") });
  });

  it("a disk that refuses is reported once, and writing goes on when it takes again", async () => {
    const faults: string[] = [];
    const lines = await createFileLines(options({ maxBytes: 10, onFault: (message: string) => void faults.push(message) }));
    lines.write("0123456789");
    await eventually(() => read("log"), (text) => text !== "");
    rmSync(dir, { recursive: true });
    lines.write("lost one");
    await eventually(() => faults, ({ length }) => length > 0);
    lines.write("lost two");
    mkdirSync(dir);
    lines.write("back again");
    await lines.close();
    expect(faults).toEqual([expect.stringContaining("cannot be written (ENOENT)")]);
    expect(read("log")).toContain("back again");
  });
});
