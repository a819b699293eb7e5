// Owners, modes and links of what is about to be trusted.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stats } from "node:fs";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files } from "../../src/storage/files.ts";
import type { StorageNotice } from "../../src/storage/notice.ts";
import { ensurePrivateFolder, readPrivate, realFile, stampOf } from "../../src/storage/private-file.ts";
import { filesWith, realProcesses, systemError, temporaryFolder } from "./kit.ts";

const { uid } = realProcesses;
const foreignUid = (uid ?? 0) + 1;

const depsOf = (files: Files = systemFiles, user: number | null = uid) => {
  const notices: StorageNotice[] = [];
  return { notices, files, uid: user, onNotice: (notice: StorageNotice) => void notices.push(notice) };
};

/** A file system in which `path`, and only that, belongs to another user. */
const foreignAt = (path: string): Files => ({
  ...systemFiles,
  lstatSync: ((asked: string) => {
    const stat: Stats = systemFiles.lstatSync(asked);
    return asked === path ? Object.assign(stat, { uid: foreignUid }) : stat;
  }) as Files["lstatSync"],
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const refusal = (message: RegExp) => expect.objectContaining({ code: "store-unreadable", message: expect.stringMatching(message), hint: expect.stringMatching(/\w/) });

describe("the data folder", () => {
  it("is made 0700 with its parents", () => {
    const dir = join(temporaryFolder(), "a", "b");
    const deps = depsOf();
    ensurePrivateFolder(dir, deps);
    expect([modeOf(dir), deps.notices]).toEqual(["700", []]);
  });

  it.each([0o777, 0o750, 0o701])("that is open to others (%o) is repaired, and that is said once (D4)", (mode) => {
    const dir = temporaryFolder();
    chmodSync(dir, mode);
    const deps = depsOf();
    ensurePrivateFolder(dir, deps);
    ensurePrivateFolder(dir, deps);
    expect(modeOf(dir)).toBe("700");
    expect(deps.notices).toEqual([expect.objectContaining({ code: "modes-repaired", message: `${dir} was open to other users (mode 0${mode.toString(8)}); it is 0700 now` })]);
  });

  it("that is open to others and cannot be changed is said with the command to run (D4)", () => {
    const dir = temporaryFolder();
    chmodSync(dir, 0o755);
    const deps = depsOf(filesWith(({ name }) => { if (name === "chmodSync") throw systemError("EROFS"); }));
    ensurePrivateFolder(dir, deps);
    expect(deps.notices).toEqual([expect.objectContaining({ level: "error", code: "modes-too-wide", hint: `Run: chmod 0700 ${dir}` })]);
  });

  it("of another user is refused with its path, the reason and the next step (D4)", () => {
    const dir = temporaryFolder();
    expect(() => ensurePrivateFolder(dir, depsOf(systemFiles, foreignUid))).toThrow(refusal(new RegExp(`${dir} is not used: it belongs to another user`)));
  });

  it("may be a link of this user, but not one of another user", () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "real"), { mode: 0o700 });
    symlinkSync(join(dir, "real"), join(dir, "link"));
    ensurePrivateFolder(join(dir, "link"), depsOf());
    expect(() => ensurePrivateFolder(join(dir, "link"), depsOf(foreignAt(join(dir, "link"))))).toThrow(refusal(/another user/));
  });

  it("that is a file, or cannot be made, is a clear error", () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "file"), "");
    expect(() => ensurePrivateFolder(join(dir, "file"), depsOf())).toThrow(refusal(/not a folder/));
    expect(() => ensurePrivateFolder(join(dir, "new"), depsOf(filesWith(({ name }) => { if (name === "mkdirSync") throw systemError("EROFS"); })))).toThrow(
      expect.objectContaining({ code: "store-unwritable", message: `cannot write ${join(dir, "new")}: the file system is read-only` }),
    );
  });

  it("is not checked where there are no owners (Windows)", () => {
    const dir = temporaryFolder();
    chmodSync(dir, 0o777);
    const deps = depsOf(systemFiles, null);
    ensurePrivateFolder(dir, deps);
    expect([modeOf(dir), deps.notices]).toEqual(["777", []]);
  });
});

const fileIn = (dir: string, mode = 0o600): string => {
  writeFileSync(join(dir, "accounts.json"), "content", { mode });
  return join(dir, "accounts.json");
};

describe("a private file", () => {
  it("is read; a missing one is null", () => {
    const dir = temporaryFolder();
    expect(readPrivate(join(dir, "accounts.json"), depsOf())).toBeNull();
    expect(readPrivate(fileIn(dir), depsOf())?.bytes.toString()).toBe("content");
  });

  it.each([0o644, 0o640, 0o606, 0o620, 0o601])("with a mode that is open to others (%o) is repaired, and that is said (D4)", (mode) => {
    const path = fileIn(temporaryFolder());
    chmodSync(path, mode);
    const deps = depsOf();
    readPrivate(path, deps);
    expect([modeOf(path), deps.notices.map(({ code }) => code)]).toEqual(["600", ["modes-repaired"]]);
  });

  it("is only looked at when its mode is not to be repaired", () => {
    const path = fileIn(temporaryFolder(), 0o644);
    const deps = depsOf();
    expect(readPrivate(path, { ...deps, repairModes: false })?.bytes.toString()).toBe("content");
    expect([modeOf(path), deps.notices]).toEqual(["644", []]);
  });

  it("of another user is refused (D4)", () => {
    expect(() => readPrivate(fileIn(temporaryFolder()), depsOf(systemFiles, foreignUid))).toThrow(refusal(/another user/));
  });

  it("that is a dangling link is refused, and nothing is made through it (D5)", () => {
    const dir = temporaryFolder();
    symlinkSync(join(dir, "nowhere"), join(dir, "accounts.json"));
    expect(() => realFile(join(dir, "accounts.json"), depsOf())).toThrow(refusal(/symbolic link to a file that does not exist/));
    expect(readdirSync(dir)).toEqual(["accounts.json"]);
  });

  it("that is a link to another user's file, or into another user's folder, is refused (D5)", () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "other"));
    const target = fileIn(join(dir, "other"));
    symlinkSync(target, join(dir, "accounts.json"));
    expect(() => realFile(join(dir, "accounts.json"), depsOf(foreignAt(target)))).toThrow(refusal(/another user/));
    expect(() => realFile(join(dir, "accounts.json"), depsOf(foreignAt(join(dir, "other"))))).toThrow(refusal(/another user/));
    expect(() => realFile(join(dir, "accounts.json"), depsOf(foreignAt(join(dir, "accounts.json"))))).toThrow(refusal(/another user/));
  });

  it("that is this user's link to this user's file means that file", () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "dotfiles"));
    const target = fileIn(join(dir, "dotfiles"));
    symlinkSync(target, join(dir, "accounts.json"));
    expect(realFile(join(dir, "accounts.json"), depsOf())).toBe(target);
    expect(readPrivate(join(dir, "accounts.json"), depsOf())?.bytes.toString()).toBe("content");
  });

  it("that is a folder or a pipe is refused at once, not waited for", () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, "folder"));
    execFileSync("mkfifo", [join(dir, "pipe")]);
    for (const name of ["folder", "pipe"]) expect(() => readPrivate(join(dir, name), depsOf())).toThrow(refusal(/not a regular file/));
  });

  it.each<[string, (path: string) => void, RegExp]>([
    ["a link to another file", (path) => symlinkSync(`${path}.other`, path), /symbolic link/],
    ["a folder", (path) => mkdirSync(path), /not a regular file/],
    ["a pipe, which is not waited for", (path) => execFileSync("mkfifo", [path]), /not a regular file/],
  ])("that is swapped for %s after it was looked at is refused", (_, swap, reason) => {
    const path = fileIn(temporaryFolder());
    writeFileSync(`${path}.other`, "another user's secret");
    const files = filesWith(({ name }) => {
      if (name !== "openSync") return;
      unlinkSync(path);
      swap(path);
    });
    expect(() => readPrivate(path, depsOf(files))).toThrow(refusal(reason));
  });

  it("that is swapped for another user's file after it was looked at is refused", () => {
    const path = fileIn(temporaryFolder());
    const files: Files = { ...systemFiles, fstatSync: ((fd: number) => Object.assign(systemFiles.fstatSync(fd), { uid: foreignUid })) as Files["fstatSync"] };
    expect(() => readPrivate(path, depsOf(files))).toThrow(refusal(/another user/));
  });

  it("has a stamp that changes with every write and replacement, and is empty without a file", () => {
    const path = fileIn(temporaryFolder());
    const stamps = [stampOf(path, systemFiles), readPrivate(path, depsOf())?.stamp];
    expect(stamps[0]).toBe(stamps[1]);
    writeFileSync(`${path}.new`, "content");
    renameSync(`${path}.new`, path);
    expect(stampOf(path, systemFiles)).not.toBe(stamps[0]);
    expect(stampOf(`${path}.nothing`, systemFiles)).toBe("");
  });

  it("that is replaced while it is read has the stamp of what was read", () => {
    const path = fileIn(temporaryFolder());
    const files = filesWith(({ name }) => {
      if (name !== "readFileSync") return;
      writeFileSync(`${path}.new`, "newer");
      renameSync(`${path}.new`, path);
    });
    const found = readPrivate(path, depsOf(files));
    expect(found?.bytes.toString()).toBe("content");
    expect(found?.stamp).not.toBe(stampOf(path, systemFiles));
  });
});
