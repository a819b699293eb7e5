import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { systemFiles } from "../../src/storage/files.ts";
import { ensureReserve } from "../../src/storage/reserve.ts";
import { filesWith, systemError, temporaryFolder } from "./kit.ts";

const deps = { files: systemFiles, random: systemRandom, pid: process.pid };

it("holds a block more than the file, cannot be compressed away, and is made once", () => {
  const path = join(temporaryFolder(), "reserve");
  ensureReserve(path, 5_000, deps);
  expect([statSync(path).size, statSync(path).mode & 0o777, gzipSync(readFileSync(path)).length > 12_000]).toEqual([12_288, 0o600, true]);
  const { ino } = statSync(path);
  ensureReserve(path, 8_000, deps);
  expect(statSync(path).ino).toBe(ino);
  ensureReserve(path, 9_000, deps);
  expect(statSync(path).size).toBe(16_384);
});

it("is refused when the disk is full, and the old one stays", () => {
  const path = join(temporaryFolder(), "reserve");
  writeFileSync(path, "small");
  const files = filesWith(({ name }) => { if (name === "fsyncSync") throw systemError("ENOSPC"); });
  expect(() => ensureReserve(path, 1, { ...deps, files })).toThrow(expect.objectContaining({ code: "store-unwritable" }));
  expect(readFileSync(path, "utf8")).toBe("small");
});
