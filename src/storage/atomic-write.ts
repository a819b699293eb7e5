// Replaces a file so that every reader, crash and power cut sees the old or the new content, whole, and removes
// the temporary files of processes that died on the way. Synchronous from end to end: nothing may run between
// having a new token and having it on the disk.
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Random } from "../lib/random.ts";
import { AppError } from "../messages/errors.ts";
import { close, codeOf, discard, namesIn, unwritable } from "./files.ts";
import type { Files } from "./files.ts";
import type { Processes } from "./processes.ts";

export type WriteDeps = { readonly files: Files; readonly random: Random; readonly pid: number };

export type WriteOptions = {
  /** A file in the same folder whose blocks may be used when the disk is full (see `reserveForNext`). */
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
      if (round === 3) throw sweptAway(path);
    }
  } catch (error) {
    throw codeOf(error) === "" ? error : unwritable(path, error);
  }
  return { synced: syncFolder(dirname(path), deps.files) };
};

const sweptAway = (path: string): AppError =>
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

/** `<file>.<pid>.<random>.tmp`: by the pid a later start knows leftovers from work in progress. */
export const tempName = (path: string, { random, pid }: Pick<WriteDeps, "random" | "pid">): string =>
  join(dirname(path), `${basename(path)}.${pid}.${Buffer.from(random(6)).toString("hex")}.tmp`);

/** The pid in a name that `tempName` made; null for every other name. */
export const pidOfTempFile = (name: string): number | null => {
  const [, pid] = /\.([1-9]\d{0,9})\.[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
  return pid === undefined ? null : Number(pid);
};

export type SweepDeps = { readonly files: Files; readonly processes: Processes; readonly now: () => number };

/**
 * Removes the temporary files of dead processes in `dir`, which may hold tokens; those of live ones are kept.
 * Returns the names. Never throws.
 */
export const sweepTempFiles = (dir: string, deps: SweepDeps): readonly string[] => {
  const leftovers = namesIn(dir, deps.files).filter((name) => isLeftover(join(dir, name), pidOfTempFile(name), deps));
  for (const name of leftovers) discard(join(dir, name), deps.files);
  return leftovers;
};

/** One with our own pid and this age was made by a predecessor: in a container every start has the same pid. */
export const tempFileLifeMs = 60_000;

const isLeftover = (path: string, pid: number | null, { files, processes, now }: SweepDeps): boolean => {
  if (pid === null) return false;
  if (pid !== processes.self.pid) return !processes.look(pid).alive;
  try {
    return now() - files.lstatSync(path).mtimeMs > tempFileLifeMs;
  } catch {
    return false;
  }
};
