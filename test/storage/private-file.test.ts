// Owner, mode, size and links of a file that is about to be trusted.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stats } from "node:fs";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files, StorageNotice } from "../../src/storage/files.ts";
import { readNamed, readPrivate, realFile, stampOf } from "../../src/storage/private-file.ts";
import { filesWith, realProcesses, temporaryFolder } from "./kit.ts";

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

  it("that is larger than any of ours is refused before it is read", () => {
    const path = fileIn(temporaryFolder());
    truncateSync(path, 16 * 1024 ** 2 + 1);
    expect(() => readPrivate(path, depsOf())).toThrow(refusal(/it is larger than 16 MiB/));
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

const readAt = (path: string, limit = 100) => readNamed(path, { files: systemFiles, limit });

describe("a file that a person named", () => {
  it("is read through a link too, up to its limit", () => {
    const path = fileIn(temporaryFolder());
    symlinkSync(path, `${path}.link`);
    expect(readAt(`${path}.link`)).toMatchObject({ bytes: Buffer.from("content") });
    expect(readAt(path, 6)).toMatch(/it is larger than/);
  });

  it("that is a pipe or a folder is not waited for", () => {
    const dir = temporaryFolder();
    execFileSync("mkfifo", [join(dir, "pipe")]);
    expect([readAt(join(dir, "pipe")), readAt(dir)]).toEqual(["it is not a regular file", "it is not a regular file"]);
  });
});
