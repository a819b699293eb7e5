// Writes the accounts to the disk, synchronously, in an order in which a crash at any point leaves the old or
// the new file, whole, and never a backup that is older than the live file.
import { AppError } from "../messages/errors.ts";
import { writeAtomic } from "./atomic-write.ts";
import type { WriteDeps } from "./atomic-write.ts";
import { codeOf, discard, lacksHardLinks, unwritable } from "./files.ts";
import type { EncryptionMode } from "./encryption.ts";
import type { DataFiles } from "./paths.ts";
import { realFile } from "./private-file.ts";
import type { PrivateFileDeps } from "./private-file.ts";

export type WriteAccountsDeps = PrivateFileDeps & WriteDeps & { readonly paths: DataFiles };

/**
 * Writes `text` (sealed already) as the live file and then as its backup. A refresh token works once, so
 * a backup from before a refresh is worse than none: the server may end the whole session when it sees
 * a spent token. Hence the old backup is removed before the new file becomes live and written again after it.
 * `check` runs last before that and stops the write by throwing. Throws `store-unwritable`.
 */
export const writeAccounts = (text: string, deps: WriteAccountsDeps, check: () => void): void => {
  const { paths, files, onNotice } = deps;
  const target = realFile(paths.accounts, deps);
  const beforeCommit = (): void => {
    check();
    discard(paths.backup, files);
  };
  const { synced } = writeAtomic(target, text, deps, { reserve: reserveOf(target), beforeCommit });
  if (!synced) {
    const message = `${target} is written, but its folder could not be synced to the disk`;
    onNotice({ level: "warning", code: "not-synced", message, hint: "Check the disk: a power cut now could lose the last change." });
  }
  writeBackup(text, deps, check);
};

/** Never throws: the live file is what counts, and a missing backup is written at the next start. */
export const writeBackup = (text: string, deps: WriteAccountsDeps, check: () => void): void => {
  try {
    writeAtomic(deps.paths.backup, text, deps, { beforeCommit: check });
  } catch (error) {
    // Anything else is `check`: another process has the lock now, and writes the backup.
    if (!(error instanceof AppError)) return;
    const message = `accounts.json is saved, its backup is not: ${error.message}`;
    deps.onNotice({ level: "warning", code: "backup-unwritten", message, hint: "Free some space or check the folder; the next write tries again." });
  }
};

/**
 * Keeps the seal file in step with how the live file is sealed. Taken away before a live file becomes plain (throws
 * `store-unwritable`), written after one was sealed (never throws: the next use tries it again).
 */
export const unmarkSeal = ({ paths, files }: WriteAccountsDeps): void => {
  try {
    files.unlinkSync(paths.seal);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unwritable(paths.seal, error);
  }
};

export const markSeal = (by: EncryptionMode, deps: WriteAccountsDeps, check: () => void): void => {
  try {
    writeAtomic(deps.paths.seal, `${JSON.stringify({ by })}\n`, deps, { beforeCommit: check });
  } catch (error) {
    // Anything else is `check`: another process has the lock now, and sees to it.
    if (!(error instanceof AppError)) return;
    const message = `accounts.json is sealed, but a plain file in its place would not be seen yet: ${error.message}`;
    deps.onNotice({ level: "warning", code: "seal-unmarked", message, hint: "Free some space or check the folder; the next use tries again." });
  }
};

/**
 * Gives a live file that cannot be used a second name, under which it stays when the first one is replaced.
 * Returns that name. Throws `store-unwritable`.
 */
export const keepAside = (deps: WriteAccountsDeps, now: number): string => {
  const target = realFile(deps.paths.accounts, deps);
  const stem = `${target}.broken-${new Date(now).toISOString().replaceAll(":", "-")}`;
  for (let count = 1; ; count += 1) {
    const aside = count === 1 ? stem : `${stem}-${count}`;
    try {
      linkOrRename(target, aside, deps);
      return aside;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw unwritable(aside, error);
    }
  }
};

/** A hard link leaves no moment without a file; where there are none, renaming must do. */
const linkOrRename = (from: string, to: string, { files }: WriteAccountsDeps): void => {
  try {
    files.linkSync(from, to);
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    files.renameSync(from, to);
  }
};

const reserveOf = (target: string): string => `${target}.reserve`;
const block = 4096;

/**
 * Keeps a few blocks of the disk for the next write of the live file: a refresh token is spent the moment it
 * is sent, so the room for its successor must exist before that. The reserve holds at least one block more
 * than the file; its bytes are random, because a file system that compresses or keeps holes would reserve
 * nothing for zeros. Throws `store-unwritable`.
 */
export const reserveForNext = (deps: WriteAccountsDeps): void => {
  const { files, paths, random } = deps;
  const target = realFile(paths.accounts, deps);
  const size = files.statSync(target, { throwIfNoEntry: false })?.size ?? 0;
  const wanted = Math.ceil((size + block) / block) * block;
  const reserve = files.lstatSync(reserveOf(target), { throwIfNoEntry: false });
  if (reserve !== undefined && reserve.isFile() && reserve.size >= wanted) return;
  writeAtomic(reserveOf(target), random(wanted), deps);
};
