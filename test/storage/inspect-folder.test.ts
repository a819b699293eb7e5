// Looking at a data folder changes nothing in it, whatever lies there.
import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inspectFolder } from "../../src/storage/inspect-folder.ts";
import { systemError, temporaryFolder } from "./kit.ts";

const uid = process.geteuid?.() ?? null;
const inspect = (dir: string) => inspectFolder(dir, { uid, now: Date.now() });

const folderWith = (files: Record<string, string>): string => {
  const dir = temporaryFolder();
  chmodSync(dir, 0o700);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
  return dir;
};

const good = JSON.stringify({ version: 1, accounts: { a: { kind: "oauth", access_token: "x", refresh_token: null, expires_at: null, enabled: true } } });
const sealed = JSON.stringify({ version: 1, sealed: { by: "keyring", id: "x", cipher: "aes-256-gcm", check: "c", iv: "i", tag: "t", content: "x" } });

const denying = (flag: number, code: string): typeof nodeFs.accessSync => (path, mode = 0) => {
  if ((mode & flag) !== 0) throw Object.assign(new Error(code), { code });
  nodeFs.accessSync(path, mode);
};

const refused = (reason: string) => ({ state: "refused", reason: expect.stringContaining(reason) });

const unreadable = () => {
  throw systemError("EACCES");
};

describe("a folder is looked at", () => {
  it("without changing modes, files or times", () => {
    const dir = folderWith({ "accounts.json": "{ torn", key: "short", "accounts.json.77.0123456789ab.tmp": "x" });
    chmodSync(join(dir, "key"), 0o644);
    const state = () => readdirSync(dir).map((name) => [name, statSync(join(dir, name)).mode, statSync(join(dir, name)).mtimeMs]);
    const before = state();
    const seen = inspect(dir);
    expect(state()).toEqual(before);
    expect(seen.files.find(({ name }) => name === "key")?.mode).toBe(0o644);
    expect(seen).toMatchObject({ writable: true, refused: null, key: null, store: { state: "broken", reason: "it is cut off or not JSON" } });
  });

  it("and says whether the credentials are good, sealed, of a later version, broken or missing", () => {
    expect(inspect(folderWith({ "accounts.json": good, "accounts.json.bak": good }))).toMatchObject({ store: { state: "good", accounts: [{ id: "a" }] }, backup: { state: "good" } });
    expect(inspect(folderWith({ "accounts.json": sealed })).store).toEqual({ state: "sealed", by: "keyring" });
    expect(inspect(folderWith({ "accounts.json": sealed.replace("aes-256-gcm", "later") })).store).toEqual({ state: "sealed", by: "unknown" });
    expect(inspect(folderWith({ "accounts.json": "\u0000" })).store.state).toBe("broken");
    expect(inspect(folderWith({})).store.state).toBe("none");
  });

  it("a FIFO or a dangling link in the place of a file is refused, not waited for", () => {
    const dir = folderWith({});
    execFileSync("mkfifo", [join(dir, "accounts.json")]);
    symlinkSync(join(dir, "nowhere"), join(dir, "accounts.json.bak"));
    expect(inspect(dir)).toMatchObject({ store: refused("it is not a regular file"), backup: refused("a symbolic link to a file that does not exist") });
  });

  it("what another user may have put there is named, and stays as it is", () => {
    const dir = folderWith({ "config.json": "{}" });
    symlinkSync(join(dir, "config.json"), join(dir, "key"));
    expect(inspect(dir).foreign).toEqual([]);
    chmodSync(dir, 0o777);
    expect(inspect(dir)).toMatchObject({ foreign: [{ path: join(dir, "key"), reason: "it is a symbolic link, and others could write to the folder" }], folder: { mode: 0o777 } });
    expect(statSync(dir).mode & 0o777).toBe(0o777);
  });

  it("a file that cannot be opened is refused with the system's reason", () => {
    const dir = folderWith({ "accounts.json": good });
    expect(inspectFolder(dir, { uid, now: 0, files: { ...nodeFs, openSync: unreadable } }).store).toEqual({ state: "refused", reason: "it cannot be read (EACCES)" });
  });

  it("leftovers are old temporary files and damaged files put aside, nothing else", () => {
    const old = "accounts.json.77.0123456789ab.tmp";
    const dir = folderWith({ [old]: "x", "key.78.0123456789ab.tmp": "x", "accounts.json.broken-2026-01-01": "x", "config.json.torn-2026": "x", "notes.txt": "x" });
    utimesSync(join(dir, old), 1_700_000_000, 1_700_000_000);
    expect([...inspect(dir).leftovers].sort()).toEqual(["accounts.json.77.0123456789ab.tmp", "accounts.json.broken-2026-01-01", "config.json.torn-2026"]);
    expect(inspect(dir).files.map(({ name }) => name)).not.toContain("notes.txt");
  });

  it("a missing one is writable when it can be made, a file in its place is refused", () => {
    const dir = folderWith({ place: "" });
    expect(inspect(join(dir, "a", "b"))).toMatchObject({ folder: null, writable: true, refused: null });
    expect(inspect(join(dir, "place"))).toMatchObject({ refused: "it is not a folder" });
  });

  it("a read-only file system, or rights that are missing, show", () => {
    const dir = folderWith({});
    mkdirSync(join(dir, "locks"));
    const seen = (accessSync: typeof nodeFs.accessSync) => inspectFolder(dir, { uid, now: 0, files: { ...nodeFs, accessSync } });
    expect(seen(denying(nodeFs.constants.W_OK, "EROFS"))).toMatchObject({ writable: false, refused: null });
    expect(seen(denying(nodeFs.constants.R_OK, "EACCES"))).toMatchObject({ refused: "it cannot be read (EACCES)" });
  });
});
