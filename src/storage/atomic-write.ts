// Replaces a file so that every reader, crash and power cut sees the old or the new content, whole.
// Synchronous from end to end: nothing may run between having a new token and having it on the disk.
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Random } from "../lib/random.ts";
import { AppError } from "../messages/errors.ts";
import type { Files } from "./files.ts";
import { codeOf, unwritable } from "./store-error.ts";

export type WriteDeps = { readonly files: Files; readonly random: Random; readonly pid: number };

export type WriteOptions = {
  /** A file in the same folder whose blocks may be used when the disk is full (see `reserve.ts`). */
  readonly reserve?: string;
  /** Runs when the new content is durable under its temporary name; what it throws stops the write. */
  readonly beforeCommit?: () => void;
};

/**
 * `synced` is false when the folder could not be synced: the new file is live all the same, so this is
 * never "not saved" (an old single-use token must not be sent again because of it).
 */
export type Written = { readonly synced: boolean };

/**
 * Writes `content` to `path` (a real file, see `realFile`) with mode 0600 whatever the umask. Throws
 * `store-unwritable` and leaves the old file as it was; what `beforeCommit` throws comes through unchanged.
 */
export const writeAtomic = (path: string, content: string | Uint8Array, deps: WriteDeps, options: WriteOptions = {}): Written => {
  const bytes = Buffer.from(content);
  try {
    // A process in another container cannot see our pid and may sweep the temporary file away.
    for (let round = 1; !replace(path, bytes, deps, options); round += 1) {
      if (round === 3) throw swept(path);
    }
  } catch (error) {
    throw codeOf(error) === "" ? error : unwritable(path, error);
  }
  return { synced: syncFolder(dirname(path), deps.files) };
};

const swept = (path: string): AppError =>
  new AppError({
    code: "store-unwritable",
    message: `cannot write ${path}: its temporary file vanishes`,
    hint: "Let no other program clean this folder.",
  });

/** False when the temporary file had vanished before it could be renamed. */
const replace = (path: string, bytes: Uint8Array, deps: WriteDeps, { reserve, beforeCommit }: WriteOptions): boolean => {
  const temp = tempName(path, deps);
  try {
    fillTemp(temp, bytes, deps.files, reserve);
    beforeCommit?.();
    deps.files.renameSync(temp, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT" && deps.files.statSync(dirname(path), { throwIfNoEntry: false }) !== undefined) return false;
    discard(temp, deps.files);
    throw error;
  }
};

/** `<file>.<pid>.<random>.tmp`: the pid lets a later start tell leftovers from work in progress. */
export const tempName = (path: string, { random, pid }: Pick<WriteDeps, "random" | "pid">): string =>
  join(dirname(path), `${basename(path)}.${pid}.${Buffer.from(random(6)).toString("hex")}.tmp`);

const fillTemp = (temp: string, bytes: Uint8Array, files: Files, reserve: string | undefined): void => {
  try {
    fill(files.openSync(temp, "wx", 0o600), bytes, files);
  } catch (error) {
    const full = codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT";
    if (!full || reserve === undefined || !takeReserve(reserve, temp, files)) throw error;
    fill(files.openSync(temp, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0)), bytes, files);
  }
};

/** The reserve becomes the temporary file: overwriting its blocks needs no new ones. */
const takeReserve = (reserve: string, temp: string, files: Files): boolean => {
  try {
    files.renameSync(reserve, temp);
    return true;
  } catch {
    return false;
  }
};

/** Never throws. */
export const close = (fd: number, files: Files): void => {
  try {
    files.closeSync(fd);
  } catch {
    // Nothing more can be done with it.
  }
};

const fill = (fd: number, bytes: Uint8Array, files: Files): void => {
  try {
    files.fchmodSync(fd, 0o600);
    let done = 0;
    while (done < bytes.length) done += files.writeSync(fd, bytes, done, bytes.length - done, done);
    files.ftruncateSync(fd, bytes.length);
    files.fsyncSync(fd);
  } finally {
    files.closeSync(fd);
  }
};

/** Removes `path` if it can; never throws. */
export const discard = (path: string, files: Files): void => {
  try {
    files.unlinkSync(path);
  } catch {
    // Gone already, or the folder is read-only: a later start sweeps it.
  }
};

const syncFolder = (dir: string, files: Files): boolean => {
  let fd: number;
  try {
    fd = files.openSync(dir, "r");
  } catch (error) {
    // Windows opens no folders; NTFS journals the rename.
    return codeOf(error) === "EPERM" || codeOf(error) === "EISDIR";
  }
  try {
    files.fsyncSync(fd);
    return true;
  } catch {
    return false;
  } finally {
    close(fd, files);
  }
};
