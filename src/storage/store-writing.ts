// Puts a new state of the credentials on the disk, synchronously, in an order in which a crash at any
// point leaves the old or the new state, whole, and never a backup that is older than the live file.
import { AppError } from "../messages/errors.ts";
import { discard, writeAtomic } from "./atomic-write.ts";
import type { WriteDeps } from "./atomic-write.ts";
import type { OnNotice } from "./notice.ts";
import type { DataFiles } from "./paths.ts";
import { realFile } from "./private-file.ts";
import type { Guard } from "./private-file.ts";
import { ensureReserve } from "./reserve.ts";
import { codeOf, unwritable } from "./store-error.ts";

export type WritingDeps = { readonly paths: DataFiles; readonly guard: Guard; readonly write: WriteDeps; readonly onNotice: OnNotice };

/**
 * Writes `text` (sealed already) as the live file and then as its backup. A refresh token works once, so
 * a backup from before a refresh is worse than none: the server may end the whole session when it sees
 * a spent token. Hence the old backup goes before the new file becomes live, and comes back after it.
 * `check` runs last before that and stops the write by throwing. Throws `store-unwritable`.
 */
export const writeStore = (text: string, deps: WritingDeps, check: () => void): void => {
  const { paths, guard, write, onNotice } = deps;
  const target = realFile(paths.accounts, guard);
  const beforeCommit = (): void => {
    check();
    discard(paths.backup, write.files);
  };
  const { synced } = writeAtomic(target, text, write, { reserve: `${target}.reserve`, beforeCommit });
  if (!synced) {
    const message = `${target} is written, but its folder could not be synced to the disk`;
    onNotice({ level: "warning", code: "not-synced", message, hint: "Check the disk: a power cut now could lose the last change." });
  }
  writeBackup(text, deps, check);
};

/** Never throws: the live file is what counts, and a missing backup is made good at the next start. */
export const writeBackup = (text: string, { paths, write, onNotice }: WritingDeps, check: () => void): void => {
  try {
    writeAtomic(paths.backup, text, write, { beforeCommit: check });
  } catch (error) {
    // Anything else is `check`: the lock is another's now, and so is the backup.
    if (!(error instanceof AppError)) return;
    const message = `accounts.json is saved, its backup is not: ${error.message}`;
    onNotice({ level: "warning", code: "backup-unwritten", message, hint: "Free some space or check the folder; the next write tries again." });
  }
};

/**
 * Gives a file that cannot be used a second name, under which it stays when the first one is replaced.
 * Returns that name. Throws `store-unwritable`.
 */
export const keepAside = (paths: DataFiles, guard: Guard, now: number): string => {
  const target = realFile(paths.accounts, guard);
  const stem = `${target}.broken-${new Date(now).toISOString().replaceAll(":", "-")}`;
  for (let count = 1; ; count += 1) {
    const aside = count === 1 ? stem : `${stem}-${count}`;
    try {
      linkOrRename(target, aside, guard);
      return aside;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw unwritable(aside, error);
    }
  }
};

/** A hard link leaves no moment without a file; where there are none, renaming must do. */
const linkOrRename = (from: string, to: string, { files }: Guard): void => {
  try {
    files.linkSync(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error))) throw error;
    files.renameSync(from, to);
  }
};

/** Makes room for the next write of the live file. Throws `store-unwritable`. */
export const reserveForNext = ({ paths, guard, write }: WritingDeps): void => {
  const target = realFile(paths.accounts, guard);
  const size = write.files.statSync(target, { throwIfNoEntry: false })?.size ?? 0;
  ensureReserve(`${target}.reserve`, size, write);
};
