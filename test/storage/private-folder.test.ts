// The data folder before anything in it is read: made, closed to others, and refused when others have put something
// into it, by the name of every such entry.
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stats } from "node:fs";
import { AppError } from "../../src/messages/errors.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files, StorageNotice } from "../../src/storage/files.ts";
import { dataFiles } from "../../src/storage/paths.ts";
import { checkPrivateFolder, ensurePrivateFolder, foreignEntries } from "../../src/storage/private-folder.ts";
import { asSecondUser, secondUser } from "../helpers/second-user.ts";
import { filesWith, realProcesses, systemError, temporaryFolder } from "./kit.ts";

const { uid } = realProcesses;
const foreignUid = (uid ?? 0) + 1;

const depsOf = (files: Files = systemFiles, user: number | null = uid) => {
  const notices: StorageNotice[] = [];
  return { notices, files, uid: user, onNotice: (notice: StorageNotice) => void notices.push(notice) };
};

/** A file system in which `path`, and only that, belongs to `owner`. */
const ownedBy = (path: string, owner: number): Files => ({
  ...systemFiles,
  lstatSync: ((asked: string) => {
    const stat: Stats = systemFiles.lstatSync(asked);
    return asked === path ? Object.assign(stat, { uid: owner }) : stat;
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
    expect(() => ensurePrivateFolder(join(dir, "link"), depsOf(ownedBy(join(dir, "link"), foreignUid)))).toThrow(refusal(/another user/));
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


/** A folder closed to others, with `names` as own files. */
const folderWith = (...names: readonly string[]): string => {
  const dir = temporaryFolder();
  chmodSync(dir, 0o700);
  for (const name of names) writeFileSync(join(dir, name), "", { mode: 0o600 });
  return dir;
};

const { locks: _locks, ...singleFiles } = dataFiles("");
const ourNames = Object.values(singleFiles);

const refusedBy = (dir: string, deps = depsOf()): AppError => {
  for (const look of [checkPrivateFolder, ensurePrivateFolder]) expect(() => look(dir, deps)).toThrow(refusal(/./));
  try {
    ensurePrivateFolder(dir, deps);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("the folder is used");
};

describe("an entry of another user", () => {
  it.each([...ourNames, "notes.txt"])("is refused by its name, with the commands to look at it and to remove it (%s)", (name) => {
    const dir = folderWith(...ourNames, "notes.txt");
    const path = join(dir, name);
    const { message, hint } = refusedBy(dir, depsOf(ownedBy(path, foreignUid)));
    expect(message).toBe(`${path} is not used: it belongs to another user (uid ${foreignUid})`);
    expect(hint).toBe(`Nothing starts with this folder before you have looked at it (ls -ld ${path}) and removed it (rm ${path}).`);
  });

  it("is refused as a folder of locks, as one lock and as a ticket", () => {
    const dir = folderWith();
    mkdirSync(join(dir, "locks/accounts"), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, "locks/accounts/7"), "");
    for (const name of ["locks", "locks/accounts", "locks/accounts/7"]) {
      expect(refusedBy(dir, depsOf(ownedBy(join(dir, name), foreignUid))).message).toMatch(new RegExp(`^${join(dir, name)} is not used: it belongs to another user`));
    }
  });

  it("is left alone when it is root's and not one of our names, such as lost+found of a volume", () => {
    const dir = folderWith("config.json");
    mkdirSync(join(dir, "lost+found"));
    const owners = (special: string): Files => {
      const owned = (path: string, stat: Stats): Stats => Object.assign(stat, { uid: path === join(dir, special) ? 0 : 1000 });
      const stats = { lstatSync: (path: string) => owned(path, systemFiles.lstatSync(path)), statSync: (path: string) => owned(path, systemFiles.statSync(path)) };
      return { ...systemFiles, ...stats } as Files;
    };
    checkPrivateFolder(dir, depsOf(owners("lost+found"), 1000));
    expect(() => checkPrivateFolder(dir, depsOf(owners("config.json"), 1000))).toThrow(refusal(/config\.json is not used: it belongs to another user \(uid 0\)/));
  });

  it("does not count where there are no owners (Windows)", () => {
    const dir = folderWith("config.json");
    ensurePrivateFolder(dir, depsOf(ownedBy(join(dir, "config.json"), foreignUid), null));
  });
});

describe("what is no file in the place of one", () => {
  it.each(ourNames)("is refused by its name whoever made it, and is not opened (%s)", (name) => {
    const kinds: readonly (readonly [string, (path: string) => void])[] = [
      ["it is a named pipe and no file", (path) => execFileSync("mkfifo", [path])],
      ["a symbolic link to a file that does not exist", (path) => symlinkSync(`${path}.nowhere`, path)],
    ];
    for (const [reason, put] of kinds) {
      const dir = folderWith();
      put(join(dir, name));
      expect(refusedBy(dir).message).toMatch(new RegExp(`^${join(dir, name)} is not used: .*${reason}$`));
    }
  });

  it("is left to its reader when it is a folder, which nobody else can make in this user's name", () => {
    const dir = folderWith();
    for (const name of ourNames) mkdirSync(join(dir, name));
    for (const mode of [0o700, 0o777]) {
      chmodSync(dir, mode);
      ensurePrivateFolder(dir, depsOf());
    }
  });

  it("is refused when it is a socket", async () => {
    const dir = folderWith();
    const server = createServer().listen(join(dir, "key"));
    await new Promise((listening) => void server.once("listening", listening));
    expect(refusedBy(dir).message).toContain("it is a socket and no file");
    server.close();
  });

  it.each<[string, string, (path: string) => void]>([
    ["locks", "a symbolic link and no folder", (path) => symlinkSync("/tmp", path)],
    ["locks", "a named pipe and no folder", (path) => execFileSync("mkfifo", [path])],
    ["locks/accounts", "a symbolic link and no folder", (path) => symlinkSync("/tmp", path)],
    ["locks/accounts/7", "a named pipe and no file", (path) => execFileSync("mkfifo", [path])],
    ["locks/accounts/7", "a symbolic link and no file", (path) => symlinkSync("/dev/null", path)],
  ])("is refused among the locks (%s, %s)", (name, reason, put) => {
    const dir = folderWith();
    mkdirSync(join(dir, name, ".."), { recursive: true, mode: 0o700 });
    put(join(dir, name));
    expect(refusedBy(dir).message).toBe(`${join(dir, name)} is not used: it is ${reason}`);
  });

  it("is named with all the others, up to twenty", () => {
    const dir = folderWith();
    for (let number = 10; number < 35; number += 1) writeFileSync(join(dir, `planted ${number}`), "");
    const files = { ...systemFiles, lstatSync: ((path: string) => Object.assign(systemFiles.lstatSync(path), path === dir ? {} : { uid: foreignUid })) as Files["lstatSync"] };
    const lines = refusedBy(dir, depsOf(files)).message.split("\n");
    expect(lines[0]).toBe(`${dir} is not used: other users may have put 25 entries into it`);
    expect(lines[1]).toMatch(/^ {2}- \S+\/planted \d\d: it belongs to another user \(uid \d+\)\. ls -ld '[^']+\/planted \d\d'; rm '[^']+'$/);
    expect([lines.length, lines.at(-1)]).toEqual([22, "  - and 5 more"]);
  });
});

/** With `config.json` as a link to a file of this user. */
const linked = (mode: number): string => {
  const dir = folderWith();
  mkdirSync(join(dir, "dotfiles"), { mode: 0o700 });
  writeFileSync(join(dir, "dotfiles/mine.json"), "{}", { mode: 0o600 });
  symlinkSync(join(dir, "dotfiles/mine.json"), join(dir, "config.json"));
  chmodSync(dir, mode);
  return dir;
};

describe("a link of this user to a file of this user", () => {
  it("is used in a folder that others could not write to", () => {
    for (const mode of [0o700, 0o755]) ensurePrivateFolder(linked(mode), depsOf());
  });

  it("is refused in one that they could, at every start until a person has said that it is good", () => {
    const dir = linked(0o777);
    const first = refusedBy(dir);
    expect(first.message).toBe(`${join(dir, "config.json")} is not used: it is a symbolic link, and others could write to the folder`);
    expect(modeOf(dir)).toBe("700");
    expect(refusedBy(dir).hint).toContain(`If all of it is yours, say so: chmod 0700 ${dir}.`);
    execFileSync("chmod", ["0700", dir]);
    ensurePrivateFolder(dir, depsOf());
  });

  it("leaves no trace when it was removed", () => {
    const dir = linked(0o777);
    refusedBy(dir);
    rmSync(join(dir, "config.json"));
    ensurePrivateFolder(dir, depsOf());
    expect(lstatSync(dir).mode & 0o7777).toBe(0o700);
  });
});

describe("a folder that others could write to", () => {
  it("is closed before it is refused, which is said", () => {
    const dir = folderWith("config.json");
    chmodSync(dir, 0o777);
    const deps = depsOf(ownedBy(join(dir, "config.json"), foreignUid));
    expect(() => checkPrivateFolder(dir, deps)).toThrow(expect.objectContaining({ hint: expect.stringContaining("The folder was open to other users (mode 0777); it is 0700 now.") }));
    expect(lstatSync(dir).mode & 0o7777).toBe(0o700);
  });

  it("is used with this user's own files, and what others may have done is said", () => {
    const dir = folderWith(...ourNames);
    chmodSync(dir, 0o777);
    const deps = depsOf();
    ensurePrivateFolder(dir, deps);
    expect(deps.notices).toEqual([expect.objectContaining({ code: "modes-repaired", hint: expect.stringMatching(/Others could change it too.*sign in again/) })]);
  });

  it("is left as it is, and refused all the same, by a look that must change nothing", () => {
    const dir = folderWith("config.json");
    chmodSync(dir, 0o777);
    const deps = { ...depsOf(ownedBy(join(dir, "config.json"), foreignUid)), repairModes: false };
    expect(() => checkPrivateFolder(dir, deps)).toThrow(refusal(/config\.json is not used/));
    expect(modeOf(dir)).toBe("777");
  });

  it.skipIf(secondUser === null)("names everything that another user has planted, and touches none of it (needs root, to act as a second user)", () => {
    const dir = folderWith();
    chmodSync(dir, 0o777);
    const plant = "umask 0; echo '{}' > config.json; ln -s /etc/passwd key; mkfifo history.json; mkdir -p locks/accounts; touch locks/accounts/7 unknown";
    asSecondUser(`set -e; cd "$1"; ${plant}`, dir);
    const { message } = refusedBy(dir);
    const planted = ["config.json", "history.json", "key", "locks", "unknown"];
    for (const name of planted) expect(message).toContain(`  - ${join(dir, name)}: it belongs to another user (uid ${secondUser})`);
    expect(readdirSync(dir).sort()).toEqual(planted);
    for (const name of planted) rmSync(join(dir, name), { recursive: true });
    ensurePrivateFolder(dir, depsOf());
  });

  it.skipIf(secondUser === null)("is refused as long as it belongs to another user, by root too (needs root, to act as a second user)", () => {
    const dir = folderWith();
    chownSync(dir, secondUser ?? 0, -1);
    expect(() => checkPrivateFolder(dir, depsOf())).toThrow(
      expect.objectContaining({
        message: `${dir} is not used: it belongs to another user (uid ${secondUser})`,
        hint: expect.stringContaining(`run it as that user (in a container: --user ${secondUser})`),
      }),
    );
  });
});

describe("what others could change in a folder that they could enter", () => {
  it("is closed, and that is said: the preferences, and the folders of the locks", () => {
    const dir = folderWith("config.json");
    mkdirSync(join(dir, "locks/accounts"), { recursive: true });
    for (const [name, mode] of [["config.json", 0o666], ["locks", 0o777], ["locks/accounts", 0o777]] as const) chmodSync(join(dir, name), mode);
    const deps = depsOf();
    ensurePrivateFolder(dir, deps);
    expect(["config.json", "locks", "locks/accounts"].map((name) => modeOf(join(dir, name)))).toEqual(["600", "700", "700"]);
    expect(deps.notices).toHaveLength(3);
  });

  it("preferences that others can only read stay as they are: there is no secret in them", () => {
    const dir = folderWith("config.json");
    chmodSync(join(dir, "config.json"), 0o644);
    const deps = depsOf();
    ensurePrivateFolder(dir, deps);
    expect([modeOf(join(dir, "config.json")), deps.notices]).toEqual(["644", []]);
  });
});

describe("a look at a folder", () => {
  it("makes none, and says and changes nothing where nothing is refused", () => {
    const dir = folderWith(...ourNames);
    chmodSync(dir, 0o777);
    const deps = depsOf();
    checkPrivateFolder(dir, deps);
    checkPrivateFolder(join(dir, "missing"), deps);
    expect([modeOf(dir), deps.notices, readdirSync(dir).length]).toEqual(["777", [], ourNames.length]);
  });

  it("finds nothing in an ordinary one", () => {
    const dir = folderWith(...ourNames, "accounts.json.77.0123456789ab.tmp", "notes.txt");
    mkdirSync(join(dir, "locks/accounts"), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, "locks/accounts/7"), "");
    expect(foreignEntries(dir, lstatSync(dir), depsOf())).toEqual([]);
  });
});
