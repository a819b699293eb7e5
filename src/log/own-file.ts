// Opens the file of a log for appending, and nothing that another user could have put in its place: no symbolic link,
// no file of another user or with a second name. Devices, and pipes of one's own, are what a person may well name.
import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { lstat, open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { AppError } from "../messages/errors.ts";

export type OwnFileDeps = {
  /** The user whose files may be written; null on a system without owners (Windows). */
  readonly uid: number | null;
  /** How long a pipe may be without a reader, milliseconds. */
  readonly readerWaitMs?: number;
};

/** Opens or makes (0600) the file. Throws `AppError` `bad-config` with the reason before anything is written. */
export const openOwnFile = async (path: string, deps: OwnFileDeps): Promise<FileHandle> => {
  try {
    const found = await (isStandardStream(path) ? stat(path) : lookAt(path));
    if (found === null) return await create(path, deps);
    if (found.isFIFO()) return await openPipe(path, found, deps);
    return isStandardStream(path) ? await open(path, "a") : await openThere(path, found, deps);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const message = `The file ${path} cannot be opened for writing (${codeOf(cause) ?? "unknown error"}).`;
    throw new AppError({ code: "bad-config", message, hint: "Choose another path, or create its folder first.", cause });
  }
};

/** Throws as `openOwnFile` when `path` is there and is not a file that may be replaced: a rotation would destroy it. */
export const checkReplaceable = async (path: string, { uid }: OwnFileDeps): Promise<void> => {
  // What cannot be looked at cannot be replaced either, and then says so itself.
  const found = await lookAt(path).catch(() => null);
  const reason = found === null ? null : found.isFile() ? whyNotOwn(found, uid) : `it is ${kindOf(found)}`;
  if (reason !== null) throw refused(path, `${reason}, and the rotation of the log would replace it`);
};

// The links to what the process was started with; the person who started it chose where they lead.
const isStandardStream = (path: string): boolean => /^\/(?:dev\/(?:stdout|stderr|fd\/\d+)|proc\/self\/fd\/\d+)$/.test(path);

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const lookAt = async (path: string): Promise<Stats | null> => {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
};

const refused = (path: string, reason: string): AppError =>
  new AppError({ code: "bad-config", message: `The file ${path} is not written to: ${reason}.`, hint: "Choose another path, or look at what is there and remove it." });

const kindOf = (found: Stats): string => {
  if (found.isSymbolicLink()) return "a symbolic link";
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a named pipe";
  return found.isSocket() ? "a socket" : "a device";
};

/** A second name (a hard link) may be the file of another program, which would then be written to. */
const whyNotOwn = (found: Stats, uid: number | null): string | null => {
  if (uid === null) return null;
  if (found.uid !== uid) return `it belongs to another user (uid ${found.uid})`;
  return found.isFile() && found.nlink > 1 ? "it has a second name (a hard link)" : null;
};

const append = constants.O_WRONLY | constants.O_APPEND;
// Windows knows neither; there the checks are all there is.
const asItIs = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const create = async (path: string, deps: OwnFileDeps): Promise<FileHandle> => {
  try {
    const file = await open(path, append | constants.O_CREAT | constants.O_EXCL, 0o600);
    await file.chmod(0o600).catch(() => {});
    return file;
  } catch (error) {
    // Made by another process since it was looked for.
    if (codeOf(error) === "EEXIST") return openThere(path, await lstat(path), deps);
    throw error;
  }
};

const openThere = async (path: string, found: Stats, { uid }: OwnFileDeps): Promise<FileHandle> => {
  checkKind(path, found, uid);
  const file = await open(path, append | asItIs);
  try {
    // It may have been replaced since it was looked at.
    const opened = await file.stat();
    checkKind(path, opened, uid);
    if (opened.isFile()) await file.chmod(0o600).catch(() => {});
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
};

// No user but root can make a device, so its owner says nothing.
const checkKind = (path: string, found: Stats, uid: number | null): void => {
  if (found.isCharacterDevice()) return;
  const reason = found.isFile() ? whyNotOwn(found, uid) : `it is ${kindOf(found)}`;
  if (reason !== null) throw refused(path, reason);
};

/** Opening a pipe for writing waits for its reader, for ever: so a reader is looked for first. */
const openPipe = async (path: string, found: Stats, deps: OwnFileDeps): Promise<FileHandle> => {
  const reason = isStandardStream(path) ? null : whyNotOwn(found, deps.uid);
  if (reason !== null) throw refused(path, reason);
  const probe = await openWithReader(path, deps.readerWaitMs ?? 2000);
  try {
    const file = await open(path, append);
    const [opened, probed] = [await file.stat(), await probe.stat()];
    if (opened.ino === probed.ino && opened.dev === probed.dev && opened.isFIFO()) return file;
    await file.close();
    throw refused(path, "it was replaced while it was opened");
  } finally {
    await probe.close();
  }
};

const lookAgainMs = 50;

const openWithReader = async (path: string, waitMs: number): Promise<FileHandle> => {
  for (let waited = 0; ; waited += lookAgainMs) {
    try {
      return await open(path, append | constants.O_NONBLOCK);
    } catch (error) {
      // fifo(7): a writer that does not wait gets ENXIO while there is no reader.
      if (codeOf(error) !== "ENXIO") throw error;
    }
    if (waited >= waitMs) throw refused(path, "it is a pipe that no program reads from; start its reader first");
    await new Promise((resolve) => void setTimeout(resolve, lookAgainMs));
  }
};
