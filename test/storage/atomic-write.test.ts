// Every single call of the file system fails in turn: the file is the old or the new one, whole.
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { sweepTempFiles, writeAtomic } from "../../src/storage/atomic-write.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files } from "../../src/storage/files.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { filesWith, realProcesses, runFixture, systemError } from "./kit.ts";

const depsOf = (files: Files = systemFiles) => ({ files, random: systemRandom, pid: process.pid });

const oldFile = (): string => {
  const path = join(temporaryFolder(), "accounts.json");
  writeFileSync(path, "old");
  return path;
};

const namesBeside = (path: string): readonly string[] => readdirSync(join(path, ".."));

/** Names of the calls of one undisturbed write, in order. */
const stepsOf = (): readonly string[] => {
  const steps: string[] = [];
  writeAtomic(oldFile(), "new", depsOf(filesWith(({ name }) => void steps.push(name))));
  return steps;
};

describe("writing a file as a whole", () => {
  it("syncs the content before the rename and the folder after it", () => {
    expect(stepsOf()).toEqual([
      "openSync", "fchmodSync", "writeSync", "ftruncateSync", "fsyncSync", "closeSync", "renameSync", "openSync", "fsyncSync", "closeSync",
    ]);
  });

  it("whichever call fails, the file is the old or the new one and nothing is left beside it (D1)", () => {
    const outcomes = stepsOf().map((step, index) => {
      const path = oldFile();
      let thrown = "";
      try {
        writeAtomic(path, "new", depsOf(filesWith(({ count }) => { if (count === index + 1) throw systemError("EIO"); })));
      } catch (error) {
        thrown = String(Reflect.get(error as object, "code"));
      }
      expect(namesBeside(path), step).toEqual(["accounts.json"]);
      return `${step} ${thrown || "written"} ${readFileSync(path, "utf8")}`;
    });
    expect(outcomes.slice(0, 7)).toEqual(["openSync", "fchmodSync", "writeSync", "ftruncateSync", "fsyncSync", "closeSync", "renameSync"].map((step) => `${step} store-unwritable old`));
    expect(outcomes.slice(7)).toEqual(["openSync written new", "fsyncSync written new", "closeSync written new"]);
  });

  it("a folder that cannot be synced does not make a live file unsaved", () => {
    const path = oldFile();
    let synced = 0;
    const files = filesWith(({ name }) => { if (name === "fsyncSync" && (synced += 1) === 2) throw systemError("EIO"); });
    expect(writeAtomic(path, "new", depsOf(files))).toEqual({ synced: false });
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("goes on after a short write", () => {
    const path = oldFile();
    const files: Files = { ...systemFiles, writeSync: ((fd: number, data: Uint8Array, offset: number) => systemFiles.writeSync(fd, data, offset, 1)) as Files["writeSync"] };
    writeAtomic(path, "content in pieces", depsOf(files));
    expect(readFileSync(path, "utf8")).toBe("content in pieces");
  });

  it.each([["ENOSPC", "the disk is full"], ["EROFS", "the file system is read-only"], ["EACCES", "permission denied"], ["EDQUOT", "quota"]])(
    "%s names the path, the reason and what to do",
    (code, reason) => {
      const path = oldFile();
      const files = filesWith(({ name }) => { if (name === "openSync") throw systemError(code); });
      expect(() => writeAtomic(path, "new", depsOf(files))).toThrow(
        expect.objectContaining({ code: "store-unwritable", message: expect.stringMatching(new RegExp(`${path}.*${reason}`)), hint: expect.stringMatching(/\w/) }),
      );
    },
  );

  it("what stops it before the rename comes through unchanged and leaves the old file", () => {
    const path = oldFile();
    const stop = new Error("the lock is another's");
    expect(() => writeAtomic(path, "new", depsOf(), { beforeCommit: () => { throw stop; } })).toThrow(stop);
    expect([readFileSync(path, "utf8"), namesBeside(path)]).toEqual(["old", ["accounts.json"]]);
  });

  it("starts again when another process sweeps its temporary file away", () => {
    const path = oldFile();
    let swept = false;
    const files = filesWith(({ name, args }) => {
      if (name === "renameSync" && !swept) {
        swept = true;
        systemFiles.unlinkSync(String(args[0]));
      }
    });
    writeAtomic(path, "new", depsOf(files));
    expect([readFileSync(path, "utf8"), namesBeside(path)]).toEqual(["new", ["accounts.json"]]);
  });
});

describe("a temporary file that always vanishes", () => {
  it("is an error after three tries, with a sentence of its own", () => {
    const path = oldFile();
    let tries = 0;
    const files = filesWith(({ name, args }) => {
      if (name !== "renameSync") return;
      tries += 1;
      systemFiles.unlinkSync(String(args[0]));
    });
    const refusal = { code: "store-unwritable", message: `cannot write ${path}: its temporary file vanishes`, hint: "Let no other program clean this folder." };
    expect(() => writeAtomic(path, "new", depsOf(files))).toThrow(expect.objectContaining(refusal));
    expect([tries, readFileSync(path, "utf8"), namesBeside(path)]).toEqual([3, "old", ["accounts.json"]]);
  });
});

/** A disk that is full, or a quota used up, for the first new file. */
const fullAt = (step: "openSync" | "writeSync", code = "ENOSPC"): Files => {
  let full = true;
  return filesWith(({ name, args }) => {
    if (name !== step || !full || (step === "openSync" && args[1] !== "wx")) return;
    full = false;
    throw systemError(code);
  });
};

describe("the reserve", () => {
  it.each(["openSync", "writeSync"] as const)("is used up when the disk is full at %s", (step) => {
    const path = oldFile();
    const reserve = `${path}.reserve`;
    writeFileSync(reserve, "x".repeat(8192), { mode: 0o644 });
    writeAtomic(path, "new", depsOf(fullAt(step)), { reserve });
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777, namesBeside(path)]).toEqual(["new", 0o600, ["accounts.json"]]);
  });

  it("is used up when the quota is", () => {
    const path = oldFile();
    const reserve = `${path}.reserve`;
    writeFileSync(reserve, "x".repeat(8192));
    writeAtomic(path, "new", depsOf(fullAt("writeSync", "EDQUOT")), { reserve });
    expect([readFileSync(path, "utf8"), namesBeside(path)]).toEqual(["new", ["accounts.json"]]);
  });

  it("that is a link to another file is not written through", () => {
    const path = oldFile();
    const other = join(temporaryFolder(), "other");
    writeFileSync(other, "of another program");
    symlinkSync(other, `${path}.reserve`);
    expect(() => writeAtomic(path, "new", depsOf(fullAt("openSync")), { reserve: `${path}.reserve` })).toThrow(/symbolic link/);
    expect([readFileSync(other, "utf8"), readFileSync(path, "utf8")]).toEqual(["of another program", "old"]);
  });

  it("that is not there leaves the old file and the reason", () => {
    const path = oldFile();
    expect(() => writeAtomic(path, "new", depsOf(fullAt("writeSync")), { reserve: `${path}.reserve` })).toThrow(/disk is full/);
    expect([readFileSync(path, "utf8"), namesBeside(path)]).toEqual(["old", ["accounts.json"]]);
  });
});

describe("modes", () => {
  it.each(["000", "022", "077"])("are 0600 and 0700 under umask %s (D6)", async (umask) => {
    const { lines } = await runFixture("store-umask", temporaryFolder(), umask).ended;
    expect(lines).toEqual(["data 700", "data/accounts.json 600", "data/accounts.json.bak 600", "data/accounts.json.reserve 600", "data/key 600", "data/locks 700"]);
  });
});

const sweepDeps = { files: systemFiles, processes: realProcesses, now: () => Date.now() };
const deadPid = 4_194_304;

describe("temporary files that are left behind", () => {
  it("leftovers of dead processes are removed, those of live ones and everything else are kept (D9)", () => {
    const dir = temporaryFolder();
    const keep = [`accounts.json.${process.ppid}.0123456789ab.tmp`, "accounts.json", "accounts.json.bak", "notes.tmp", `x.${deadPid}.short.tmp`];
    for (const name of [...keep, `accounts.json.${deadPid}.0123456789ab.tmp`]) writeFileSync(join(dir, name), "secret");
    expect(sweepTempFiles(dir, sweepDeps)).toEqual([`accounts.json.${deadPid}.0123456789ab.tmp`]);
    expect(readdirSync(dir).sort()).toEqual([...keep].sort());
  });

  it("one with our own pid is a predecessor's when it is old (in a container every start has the same pid)", () => {
    const dir = temporaryFolder();
    const path = join(dir, `key.${process.pid}.0123456789ab.tmp`);
    writeFileSync(path, "secret");
    sweepTempFiles(dir, sweepDeps);
    expect(existsSync(path)).toBe(true);
    const old = Date.now() / 1000 - 61;
    utimesSync(path, old, old);
    sweepTempFiles(dir, sweepDeps);
    expect(existsSync(path)).toBe(false);
  });

  it("a folder that is not there is nothing to sweep", () => {
    expect(sweepTempFiles(join(temporaryFolder(), "nowhere"), sweepDeps)).toEqual([]);
  });
});
