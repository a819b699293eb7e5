// The one way in which a file of the data folder is read: owner, mode, size and symbolic links are looked at before it
// is trusted. Never opens anything but a regular file (a FIFO would block for ever), never follows a link to
// another user's file.
import { constants } from "node:fs";
import { dirname } from "node:path";
import type { BigIntStats, Stats } from "node:fs";
import { close, codeOf, refused, unreadable } from "./files.ts";
import type { Files, OnNotice } from "./files.ts";

export type PrivateFileDeps = {
  readonly files: Files;
  /** As in `Processes`. */
  readonly uid: number | null;
  readonly onNotice: OnNotice;
  /** False to leave wider modes as they are, unsaid. */
  readonly repairModes?: boolean;
};

/** `path` itself, links not followed; null when there is nothing. Throws `store-unreadable`. */
export const lookAt = (path: string, files: Files): Stats | null => {
  try {
    return files.lstatSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw unreadable(path, error);
  }
};

export const attemptRead = <T>(path: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
};

/**
 * Throws `store-unreadable` when `path` is another user's. Root is no exception: a user who owns the file could make root
 * send tokens to another server, or write a log over any file.
 */
export const checkOwner = (path: string, stat: Stats, uid: number | null): void => {
  if (uid === null || stat.uid === uid) return;
  const asOwner = uid === 0 ? `run it as that user (in a container: --user ${stat.uid})` : "choose another folder with --dir";
  throw refused(path, `it belongs to another user (uid ${stat.uid})`, `If it is yours, change its owner (chown ${uid}); else ${asOwner}.`);
};

type Found = { readonly path: string; readonly stat: Stats; readonly chmod: (mode: number) => void };

/** Closes a file or folder of this user to others, and says so. */
export const narrow = ({ path, stat, chmod }: Found, { uid, onNotice, repairModes = true }: PrivateFileDeps): void => {
  if (uid === null || !repairModes || (stat.mode & 0o077) === 0) return;
  const wanted = stat.isDirectory() ? 0o700 : 0o600;
  const was = `${path} was open to other users (mode ${octal(stat.mode)})`;
  try {
    chmod(wanted);
    onNotice({ level: "warning", code: "modes-repaired", message: `${was}; it is ${octal(wanted)} now`, hint: adviceAfter(stat) });
  } catch {
    const hint = `Run: chmod ${octal(wanted)} ${path}`;
    onNotice({ level: "error", code: "modes-too-wide", message: `${was} and this cannot be changed`, hint });
  }
};

const adviceAfter = (stat: Stats): string => {
  const ifRead = "If others may have read it, sign in again.";
  return isWritableByOthers(stat) ? `Others could change it too: look at \`claude-oauth-proxy config list\` and \`accounts list\`. ${ifRead}` : ifRead;
};

export const isWritableByOthers = ({ mode }: Pick<Stats, "mode">): boolean => (mode & 0o022) !== 0;

export const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, "0");

/**
 * The file that a read or write of `path` really means: `path` itself, or, when it is a symbolic link of
 * this user to a regular file of this user in a folder of this user, that file (people keep such links
 * in a dotfiles repository). Every other link is refused with `store-unreadable`; so is anything that is not a file.
 */
export const realFile = (path: string, { files, uid }: Pick<PrivateFileDeps, "files" | "uid">): string => {
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

/** What was read, its date (wall milliseconds), and a stamp that changes whenever the file is written or replaced. */
export type PrivateText = { readonly bytes: Buffer; readonly stamp: string; readonly modifiedAt: number };

// What was looked at may have been swapped since: a link is not followed, and a FIFO is not waited for. Windows
// knows neither flag; there the checks are all there is.
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const asItIs = withoutWaiting | (constants.O_NOFOLLOW ?? 0);

/** Thousands of accounts take less. */
const largestFile = 16 * 1024 * 1024;

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
  if (stat.size > largestFile) throw refused(path, `it is ${largerThan(largestFile)}`, "Move it away.");
  narrow({ path, stat, chmod: (mode) => files.fchmodSync(fd, mode) }, deps);
  // The stamp is taken before the bytes: a write in between then shows as a change, never as known.
  const stamp = format(files.fstatSync(fd, { bigint: true }));
  return { bytes: files.readFileSync(fd), stamp, modifiedAt: stat.mtimeMs };
};

const largerThan = (limit: number): string => `larger than ${limit / 1024 ** 2} MiB`;

export type NamedFile = { readonly bytes: Buffer; readonly stat: Stats };

/**
 * A file outside the data folder that a person named: links are followed and it may be another user's, but it is never
 * waited for. A text is the reason why it is not read: no regular file, or more than `limit` bytes. Throws `store-unreadable`.
 */
export const readNamed = (path: string, { files, limit }: { readonly files: Files; readonly limit: number }): NamedFile | string => {
  const fd = attemptRead(path, () => files.openSync(path, withoutWaiting));
  try {
    const stat = attemptRead(path, () => files.fstatSync(fd));
    if (!stat.isFile()) return "it is not a regular file";
    if (stat.size > limit) return `it is ${largerThan(limit)}`;
    return { stat, bytes: attemptRead(path, () => files.readFileSync(fd)) };
  } finally {
    close(fd, files);
  }
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
