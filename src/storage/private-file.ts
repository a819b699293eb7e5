// The one way in which a file of the data folder is read: owner, mode and symbolic links are looked at before it
// is trusted. Never opens anything but a regular file (a FIFO would block for ever), never follows a link to
// another user's file.
import { constants } from "node:fs";
import { dirname } from "node:path";
import type { BigIntStats, Stats } from "node:fs";
import { close, codeOf, refused, unreadable, unwritable } from "./files.ts";
import type { Files } from "./files.ts";
import type { OnNotice } from "./notice.ts";

export type PrivateFileDeps = {
  readonly files: Files;
  /** As in `Processes`. */
  readonly uid: number | null;
  readonly onNotice: OnNotice;
  /** False to leave wider modes as they are, unsaid. */
  readonly repairModes?: boolean;
};

/**
 * Makes `dir` (0700 whatever the umask) or checks the one that is there: wider modes are repaired and
 * reported. Throws `store-unreadable` for a foreign owner, `store-unwritable` when it cannot be made.
 */
export const ensurePrivateFolder = (dir: string, deps: PrivateFileDeps): void => {
  const { files, uid } = deps;
  const before = lookAt(dir, files);
  if (before === null) return makeFolder(dir, deps);
  if (before.isSymbolicLink() && uid !== null && before.uid !== uid && before.uid !== 0) throw foreign(dir, before.uid);
  const stat = attemptRead(dir, () => files.statSync(dir));
  if (!stat.isDirectory()) throw refused(dir, "it is not a folder", "Move it away, or choose another folder with --dir.");
  checkOwner(dir, stat, uid);
  narrow({ path: dir, stat, chmod: (mode) => files.chmodSync(dir, mode) }, deps);
};

const makeFolder = (dir: string, { files }: PrivateFileDeps): void => {
  try {
    files.mkdirSync(dir, { recursive: true, mode: 0o700 });
    files.chmodSync(dir, 0o700);
  } catch (error) {
    throw unwritable(dir, error);
  }
};

const lookAt = (path: string, files: Files): Stats | null => {
  try {
    return files.lstatSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw unreadable(path, error);
  }
};

const attemptRead = <T>(path: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
};

const foreign = (path: string, owner: number) =>
  refused(path, `it belongs to another user (uid ${owner})`, "Change its owner to yourself (chown), or choose another folder with --dir.");

const checkOwner = (path: string, stat: Stats, uid: number | null): void => {
  if (uid !== null && stat.uid !== uid) throw foreign(path, stat.uid);
};

type Found = { readonly path: string; readonly stat: Stats; readonly chmod: (mode: number) => void };

const narrow = ({ path, stat, chmod }: Found, { uid, onNotice, repairModes = true }: PrivateFileDeps): void => {
  if (uid === null || !repairModes || (stat.mode & 0o077) === 0) return;
  const wanted = stat.isDirectory() ? 0o700 : 0o600;
  const was = `${path} was open to other users (mode ${octal(stat.mode)})`;
  try {
    chmod(wanted);
    const message = `${was}; it is ${octal(wanted)} now`;
    onNotice({ level: "warning", code: "modes-repaired", message, hint: "If others may have read it, sign in again." });
  } catch {
    const hint = `Run: chmod ${octal(wanted)} ${path}`;
    onNotice({ level: "error", code: "modes-too-wide", message: `${was} and this cannot be changed`, hint });
  }
};

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, "0");

/**
 * The file that a read or write of `path` really means: `path` itself, or, when it is a symbolic link of
 * this user to a regular file of this user in a folder of this user, that file (people keep such links
 * in a dotfiles repository). Every other link is refused with `store-unreadable`; so is anything that is not a file.
 */
export const realFile = (path: string, { files, uid }: PrivateFileDeps): string => {
  const stat = lookAt(path, files);
  if (stat === null) return path;
  if (!stat.isSymbolicLink()) return regular(path, stat, uid);
  checkOwner(path, stat, uid);
  let target: string;
  try {
    target = files.realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unreadable(path, error);
    throw refused(path, "it is a symbolic link to a file that does not exist", "Remove the link, or create its target.");
  }
  checkOwner(dirname(target), attemptRead(target, () => files.lstatSync(dirname(target))), uid);
  return regular(target, attemptRead(target, () => files.lstatSync(target)), uid);
};

const regular = (path: string, stat: Stats, uid: number | null): string => {
  if (!stat.isFile()) throw refused(path, "it is not a regular file", "Move it away.");
  checkOwner(path, stat, uid);
  return path;
};

/** What was read, and a stamp that changes whenever the file is written or replaced. */
export type PrivateText = { readonly bytes: Buffer; readonly stamp: string };

// What was looked at may have been swapped since: a link is not followed, and a FIFO is not waited for. Windows
// knows neither flag; there the checks are all there is.
const asItIs = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The whole file after the checks above, null when there is none. Wider modes are repaired and reported. */
export const readPrivate = (path: string, deps: PrivateFileDeps): PrivateText | null => {
  const { files } = deps;
  const target = realFile(path, deps);
  let fd: number;
  try {
    fd = files.openSync(target, asItIs);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw unreadable(path, error);
  }
  try {
    return attemptRead(path, () => readOpen(target, fd, deps));
  } finally {
    close(fd, files);
  }
};

/** Checks the open file again: the path may lead to another one since it was looked at. */
const readOpen = (path: string, fd: number, deps: PrivateFileDeps): PrivateText => {
  const { files, uid } = deps;
  const stat = files.fstatSync(fd);
  regular(path, stat, uid);
  narrow({ path, stat, chmod: (mode) => files.fchmodSync(fd, mode) }, deps);
  // The stamp is taken before the bytes: a write in between then shows as a change, never as known.
  const stamp = format(files.fstatSync(fd, { bigint: true }));
  return { bytes: files.readFileSync(fd), stamp };
};

/** Inode, size and times of what `path` leads to; empty when there is nothing. Costs one `stat`, never throws. */
export const stampOf = (path: string, files: Files): string => {
  try {
    const stat = files.statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? "" : format(stat);
  } catch {
    // Equal to no other stamp, so the caller reads the file and learns what is wrong.
    return "?";
  }
};

const format = (stat: BigIntStats): string => `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
