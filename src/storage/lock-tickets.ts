// The files of one lock: a folder of numbered claims. The highest number is the one that counts, it is
// never removed, and a number is created whole and exclusively. So whoever creates n+1 has taken the lock
// over from n, alone, and a slow process that comes too late sees a number above its own.
import { join } from "node:path";
import { close, discard, tempName } from "./atomic-write.ts";
import type { WriteDeps } from "./atomic-write.ts";
import type { Files } from "./files.ts";
import { parseClaim } from "./lock-claim.ts";
import type { Claim } from "./lock-claim.ts";
import { codeOf } from "./store-error.ts";

export type Ticket = {
  readonly number: number;
  /** Null when it cannot be read as a claim. */
  readonly claim: Claim | null;
  /** Wall milliseconds of the last heartbeat. */
  readonly touchedAt: number;
};

export const ticketPath = (folder: string, number: number): string => join(folder, String(number));

/** The highest number in `folder`, 0 when there is none. Throws system errors. */
export const highestNumber = (folder: string, files: Files): number => Math.max(0, ...numbersIn(folder, files));

const numbersIn = (folder: string, files: Files): readonly number[] =>
  files.readdirSync(folder).flatMap((name) => (/^[1-9]\d{0,14}$/.test(name) ? [Number(name)] : []));

/** The claim that counts, null when the lock was never taken. */
export const readTicket = (folder: string, files: Files): Ticket | null => {
  const number = highestNumber(folder, files);
  if (number === 0) return null;
  try {
    const fd = files.openSync(ticketPath(folder, number), "r");
    try {
      return { number, touchedAt: files.fstatSync(fd).mtimeMs, claim: parseClaim(files.readFileSync(fd, "utf8")) };
    } finally {
      files.closeSync(fd);
    }
  } catch (error) {
    // Superseded and removed since the listing: look again.
    if (codeOf(error) === "ENOENT") return readTicket(folder, files);
    throw error;
  }
};

/** A whole claim under a temporary name: publishing it needs no further space on the disk. */
export type Draft = { readonly path: string; readonly text: string; readonly fd: number };

/** Writes `text` beside the tickets. Throws system errors. */
export const writeDraft = (folder: string, text: string, deps: WriteDeps): Draft => {
  const path = tempName(join(folder, "claim"), deps);
  return { path, text, fd: openNew(path, text, deps.files) };
};

// ENOENT: another container, which cannot see our pid, has swept the draft away.
const notLinkable = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "ENOENT"]);

/**
 * Makes the draft the ticket `path` and gives the file open for writing; null when that ticket exists.
 * Throws system errors. Without hard links (FAT, some network folders) a reader may see the ticket empty
 * for a moment, which counts as held.
 */
export const publishDraft = (draft: Draft, path: string, files: Files): number | null => {
  try {
    files.linkSync(draft.path, path);
    return draft.fd;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return null;
    if (!notLinkable.has(codeOf(error))) throw error;
    return createInPlace(path, draft.text, files);
  }
};

const createInPlace = (path: string, text: string, files: Files): number | null => {
  try {
    return openNew(path, text, files);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return null;
    throw error;
  }
};

const openNew = (path: string, text: string, files: Files): number => {
  const fd = files.openSync(path, "wx", 0o600);
  try {
    files.fchmodSync(fd, 0o600);
    files.writeSync(fd, text);
    return fd;
  } catch (error) {
    close(fd, files);
    discard(path, files);
    throw error;
  }
};

// Kept below the highest, so that a late process usually finds its number taken already.
const kept = 2;

/** Removes the numbers that nobody can still be about to create. Never throws. */
export const removeOld = (folder: string, highest: number, files: Files): void => {
  try {
    for (const number of numbersIn(folder, files)) {
      if (number < highest - kept) discard(ticketPath(folder, number), files);
    }
  } catch {
    // The folder cannot be listed: the next holder tries again.
  }
};
