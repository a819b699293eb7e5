// The data folder as a whole: whose it is, whether others could write to it, and which entries in it must not be used
// because another user may have put them there. Looked at before the first file in it is read.
import { join } from "node:path";
import type { Stats } from "node:fs";
import { posixWord } from "../lib/shell-quote.ts";
import { visibleText } from "../lib/visible-text.ts";
import { AppError } from "../messages/errors.ts";
import { codeOf, namesIn, refused, unwritable } from "./files.ts";
import type { Files } from "./files.ts";
import { dataFiles } from "./paths.ts";
import { attemptRead, checkOwner, isWritableByOthers, lookAt, narrow, octal, realFile } from "./private-file.ts";
import type { PrivateFileDeps } from "./private-file.ts";

/**
 * Makes `dir` (0700 whatever the umask), or closes the one that is there to others, says so, and then looks at what is
 * in it. Throws `store-unreadable` for a foreign owner or a foreign entry, `store-unwritable` when it cannot be made.
 */
export const ensurePrivateFolder = (dir: string, deps: PrivateFileDeps): void => {
  const stat = lookAtFolder(dir, deps);
  if (stat === null) return makeFolder(dir, deps);
  // Closed first: nothing can be put into it any more while it is looked at.
  narrow({ path: dir, stat, chmod: (mode) => deps.files.chmodSync(dir, mode) }, deps);
  refuseForeignEntries(dir, stat, deps);
  closeEntries(dir, deps);
  if (isMarked(stat)) unmark(dir, deps);
};

/** The same for a folder that is only read: it is not made, and nothing is said or changed unless an entry is refused. */
export const checkPrivateFolder = (dir: string, deps: PrivateFileDeps): void => {
  const stat = lookAtFolder(dir, deps);
  if (stat !== null) refuseForeignEntries(dir, stat, deps);
};

const lookAtFolder = (dir: string, { files, uid }: PrivateFileDeps): Stats | null => {
  const before = lookAt(dir, files);
  if (before === null) return null;
  if (before.isSymbolicLink() && before.uid !== 0) checkOwner(dir, before, uid);
  const stat = attemptRead(dir, () => files.statSync(dir));
  if (!stat.isDirectory()) throw refused(dir, "it is not a folder", "Move it away, or choose another folder with --dir.");
  checkOwner(dir, stat, uid);
  return stat;
};

const makeFolder = (dir: string, { files }: PrivateFileDeps): void => {
  try {
    files.mkdirSync(dir, { recursive: true, mode: 0o700 });
    files.chmodSync(dir, 0o700);
  } catch (error) {
    throw unwritable(dir, error);
  }
};

/** An entry that is not used, and why. `isOwn`: it is this user's, and only suspect because of what it is or where it was found. */
export type ForeignEntry = { readonly path: string; readonly reason: string; readonly isFolder: boolean; readonly isOwn: boolean };

type Look = Pick<PrivateFileDeps, "files" | "uid"> & {
  /** Others could write to the folder, so even a link that is this user's may not be of his making. */
  readonly wasOpen: boolean;
};

/** The entries of `dir` that another user put there, or may have put there. Changes nothing, never throws. */
export const foreignEntries = (dir: string, folder: Pick<Stats, "mode">, deps: Pick<PrivateFileDeps, "files" | "uid">): readonly ForeignEntry[] => {
  const { locks, ...files } = dataFiles(dir);
  const ours = new Set(Object.values(files));
  const look: Look = { ...deps, wasOpen: deps.uid !== null && (isWritableByOthers(folder) || isMarked(folder)) };
  return pathsIn(dir, deps.files).flatMap((path) => {
    if (path === locks) return lockEntries(path, look);
    return entryAt(path, look, (stat) => reasonAgainst(path, stat, ours.has(path), look));
  });
};

const pathsIn = (dir: string, files: Files): readonly string[] => namesIn(dir, files).map((name) => join(dir, name));

const entryAt = (path: string, { files, uid }: Look, reasonOf: (stat: Stats) => string | null): readonly ForeignEntry[] => {
  try {
    const stat = files.lstatSync(path);
    const reason = reasonOf(stat);
    return reason === null ? [] : [{ path, reason, isFolder: stat.isDirectory(), isOwn: stat.uid === uid }];
  } catch (error) {
    // Gone since it was listed.
    return codeOf(error) === "ENOENT" ? [] : [{ path, reason: `it cannot be looked at (${codeOf(error)})`, isFolder: false, isOwn: false }];
  }
};

const reasonAgainst = (path: string, stat: Stats, isOurs: boolean, look: Look): string | null => {
  // What root puts beside our files (lost+found of a volume) cannot come from another user.
  const owner = stat.uid === 0 && !isOurs ? null : foreignOwner(stat, look);
  // A folder in the place of a file is no trick of others, who cannot make one that is this user's: its reader says it.
  if (owner !== null || stat.isFile() || stat.isDirectory()) return owner;
  if (look.wasOpen) return `it is ${kindOf(stat)}, and others could write to the folder`;
  if (!isOurs) return null;
  return stat.isSymbolicLink() ? whyNotFollowed(path, look) : `it is ${kindOf(stat)} and no file`;
};

const foreignOwner = (stat: Stats, { uid }: Look): string | null => (uid === null || stat.uid === uid ? null : `it belongs to another user (uid ${stat.uid})`);

const whyNotFollowed = (path: string, look: Look): string | null => {
  try {
    realFile(path, look);
    return null;
  } catch (error) {
    return error instanceof AppError ? `it is a symbolic link that is not followed: ${error.message}` : "it is a symbolic link that cannot be followed";
  }
};

const kindOf = (stat: Stats): string => {
  if (stat.isSymbolicLink()) return "a symbolic link";
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO()) return "a named pipe";
  return stat.isSocket() ? "a socket" : "a device";
};

// locks/NAME/NUMBER: folders and files of our own making, never links.
const lockEntries = (locks: string, look: Look): readonly ForeignEntry[] => {
  const folder = entryAt(locks, look, (stat) => notA("folder", stat, look));
  if (folder.length > 0) return folder;
  return pathsIn(locks, look.files).flatMap((path) => {
    const inner = entryAt(path, look, (stat) => notA("folder", stat, look));
    if (inner.length > 0) return inner;
    return pathsIn(path, look.files).flatMap((ticket) => entryAt(ticket, look, (stat) => notA("file", stat, look)));
  });
};

const notA = (kind: "folder" | "file", stat: Stats, look: Look): string | null => {
  const owner = foreignOwner(stat, look);
  if (owner !== null || (kind === "file" ? stat.isFile() : stat.isDirectory())) return owner;
  return `it is ${kindOf(stat)} and no ${kind}`;
};

const refuseForeignEntries = (dir: string, stat: Stats, deps: PrivateFileDeps): void => {
  const entries = foreignEntries(dir, stat, deps);
  if (entries.length === 0) return;
  const { message, hint } = describeEntries(dir, entries);
  throw new AppError({ code: "store-unreadable", message, hint: `${hint}${closeRefused(dir, stat, entries, deps)}` });
};

// The sticky bit, which means nothing in a folder that is closed to others, keeps what the mode said before it was closed:
// otherwise a link of this user, refused because the folder was open, would be followed by the next start, unseen.
const mark = 0o1000;

const isMarked = ({ mode }: Pick<Stats, "mode">): boolean => (mode & mark) !== 0;

/** Closes the folder of refused entries; what to add to the advice. */
const closeRefused = (dir: string, stat: Stats, entries: readonly ForeignEntry[], { files, uid, repairModes = true }: PrivateFileDeps): string => {
  const keepMark = entries.some(({ isOwn }) => isOwn) && (isWritableByOthers(stat) || isMarked(stat));
  if (uid === null || !repairModes || ((stat.mode & 0o077) === 0 && !keepMark)) return "";
  const ifYours = keepMark ? ` If all of it is yours, say so: chmod 0700 ${posixWord(dir)}.` : "";
  try {
    files.chmodSync(dir, keepMark ? 0o700 | mark : 0o700);
    return (stat.mode & 0o077) === 0 ? ifYours : ` The folder was open to other users (mode ${octal(stat.mode)}); it is 0700 now.${ifYours}`;
  } catch {
    return ` The folder is open to other users (mode ${octal(stat.mode)}): chmod 0700 ${posixWord(dir)}.`;
  }
};

/** No entry is refused any more. */
const unmark = (dir: string, { files, repairModes = true }: PrivateFileDeps): void => {
  try {
    if (repairModes) files.chmodSync(dir, 0o700);
  } catch {
    // A read-only file system: the next start tries it again.
  }
};

/** Closes what others could change: the preferences and the folders of locks. There is no secret in them, so reading them does no harm. */
const closeEntries = (dir: string, deps: PrivateFileDeps): void => {
  const { config, locks } = dataFiles(dir);
  for (const path of [config, locks, ...pathsIn(locks, deps.files)]) {
    const stat = lookAt(path, deps.files);
    if (stat !== null && !stat.isSymbolicLink() && isWritableByOthers(stat)) narrow({ path, stat, chmod: (mode) => deps.files.chmodSync(path, mode) }, deps);
  }
};

const mostShown = 20;

/** What is said of `entries`, with the commands that look at each and remove it. */
export const describeEntries = (dir: string, entries: readonly ForeignEntry[]): { readonly message: string; readonly hint: string } => {
  const [first] = entries;
  if (first !== undefined && entries.length === 1) {
    const message = `${visibleText(first.path)} is not used: ${first.reason}`;
    return { message, hint: `Nothing starts with this folder before you have looked at it (${lookCommand(first)}) and removed it (${removeCommand(first)}).` };
  }
  const lines = entries.slice(0, mostShown).map((entry) => `  - ${visibleText(entry.path)}: ${entry.reason}. ${lookCommand(entry)}; ${removeCommand(entry)}`);
  const more = entries.length > mostShown ? [`  - and ${entries.length - mostShown} more`] : [];
  const message = [`${dir} is not used: other users may have put ${entries.length} entries into it`, ...lines, ...more].join("\n");
  return { message, hint: "Nothing starts with this folder before you have looked at each of them and removed it with the commands shown." };
};

const lookCommand = ({ path }: ForeignEntry): string => `ls -ld ${posixWord(path)}`;
const removeCommand = ({ path, isFolder }: ForeignEntry): string => `rm ${isFolder ? "-r " : ""}${posixWord(path)}`;
