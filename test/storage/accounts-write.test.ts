// The room that is kept on the disk for the next write of accounts.json.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { reserveForNext } from "../../src/storage/accounts-write.ts";
import { systemFiles } from "../../src/storage/files.ts";
import { dataFiles } from "../../src/storage/paths.ts";
import { filesWith, realProcesses, systemError, temporaryFolder } from "./kit.ts";

/** A folder with an `accounts.json` of `size` bytes. */
const folderWith = (size: number) => {
  const paths = dataFiles(temporaryFolder());
  const deps = { paths, files: systemFiles, random: systemRandom, pid: process.pid, uid: realProcesses.uid, onNotice: () => {} };
  const grow = (bytes: number): void => writeFileSync(paths.accounts, "x".repeat(bytes));
  grow(size);
  return { deps, grow, reserve: `${paths.accounts}.reserve` };
};

describe("the reserve of the next write", () => {
  it("holds a block more than the file, cannot be compressed away, and is made once", () => {
    const { deps, grow, reserve } = folderWith(5_000);
    reserveForNext(deps);
    expect([statSync(reserve).size, statSync(reserve).mode & 0o777, gzipSync(readFileSync(reserve)).length > 12_000]).toEqual([12_288, 0o600, true]);
    const { ino } = statSync(reserve);
    grow(8_000);
    reserveForNext(deps);
    expect(statSync(reserve).ino).toBe(ino);
    grow(9_000);
    reserveForNext(deps);
    expect(statSync(reserve).size).toBe(16_384);
  });

  it("is refused when the disk is full, and the old one stays", () => {
    const { deps, reserve } = folderWith(1);
    writeFileSync(reserve, "small");
    const files = filesWith(({ name }) => { if (name === "fsyncSync") throw systemError("ENOSPC"); });
    expect(() => reserveForNext({ ...deps, files })).toThrow(expect.objectContaining({ code: "store-unwritable" }));
    expect(readFileSync(reserve, "utf8")).toBe("small");
  });
});
