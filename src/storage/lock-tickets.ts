// The files of one lock: a folder of numbered tickets, each with the claim of one process. The highest number is
// the one that counts, it is never removed, and a number is created whole and exclusively. So the process that
// creates n+1 has taken the lock over from n, alone, and a slow process that comes too late sees a number above
// its own.
import { join } from "node:path";
import { parseJsonObject } from "../lib/json.ts";
import { tempName } from "./atomic-write.ts";
import type { WriteDeps } from "./atomic-write.ts";
import { close, codeOf, discard, lacksHardLinks, namesIn } from "./files.ts";
import type { Files } from "./files.ts";
import { readPrivate } from "./private-file.ts";
import type { PrivateFileDeps } from "./private-file.ts";
import type { ProcessMark, Processes } from "./processes.ts";

export type Ticket = {
  readonly number: number;
  /** Null when it cannot be read as a claim. */
  readonly claim: Claim | null;
  /** Wall milliseconds of the last heartbeat. */
  readonly touchedAt: number;
};

export const ticketPath = (folder: string, number: number): string => join(folder, String(number));

export type TicketDeps = Pick<PrivateFileDeps, "files" | "uid">;

/** The claim that counts, null when the lock was never taken. Throws system errors, and `store-unreadable` for a ticket that is not this user's file. */
export const readTicket = (folder: string, deps: TicketDeps): Ticket | null => {
  const number = highestNumber(folder, deps.files);
  if (number === 0) return null;
  const found = readPrivate(ticketPath(folder, number), { ...deps, onNotice: () => {}, repairModes: false });
  // Superseded and removed since the listing: look again.
  if (found === null) return readTicket(folder, deps);
  return { number, touchedAt: found.modifiedAt, claim: parseClaim(found.bytes.toString("utf8")) };
};

/** The highest number in `folder`, 0 when there is none. Throws system errors. */
export const highestNumber = (folder: string, files: Files): number => Math.max(0, ...numbersAmong(files.readdirSync(folder)));

const numbersAmong = (names: readonly string[]): readonly number[] => names.filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number);

// Kept below the highest, so that a late process usually finds its number taken already.
const kept = 2;

/** Removes the numbers that no process can still be about to create. Never throws. */
export const removeOld = (folder: string, highest: number, files: Files): void => {
  for (const number of numbersAmong(namesIn(folder, files))) {
    if (number < highest - kept) discard(ticketPath(folder, number), files);
  }
};

/** A whole claim under a temporary name: publishing it needs no further space on the disk. */
export type Draft = { readonly path: string; readonly text: string; readonly fd: number };

/** Writes `text` beside the tickets. Throws system errors. */
export const writeDraft = (folder: string, text: string, deps: WriteDeps): Draft => {
  const path = tempName(join(folder, "claim"), deps);
  return { path, text, fd: openNew(path, text, deps.files) };
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

/**
 * Makes the draft the ticket `path` and gives the file open for writing; null when that ticket exists.
 * Throws system errors. Without hard links a reader may see the ticket empty for a moment, which counts as held.
 */
export const publishDraft = (draft: Draft, path: string, files: Files): number | null => {
  try {
    return linkDraft(draft, path, files) ? draft.fd : openNew(path, draft.text, files);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return null;
    throw error;
  }
};

const linkDraft = (draft: Draft, path: string, files: Files): boolean => {
  try {
    files.linkSync(draft.path, path);
    return true;
  } catch (error) {
    // ENOENT: another container, which cannot see our pid, has swept the draft away.
    if (lacksHardLinks(error) || codeOf(error) === "EMLINK" || codeOf(error) === "ENOENT") return false;
    throw error;
  }
};

/** The process that claimed. `token` is random, so that no two claims are ever alike. */
export type Claim = ProcessMark & { readonly token: string; readonly released: boolean };

// The first byte of a claim: releasing it is one write of one byte, which no reader can see by half.
const heldMark = "H";
export const releasedMark = "F";

export const formatClaim = (mark: ProcessMark, token: string): string => `${heldMark}${JSON.stringify({ ...mark, token })}\n`;

/** Null when the text is not a whole claim (a power cut, or the middle of a write where there are no hard links). */
export const parseClaim = (text: string): Claim | null => {
  const value = parseJsonObject(text.slice(1));
  if (value === null) return null;
  const { pid, token, host, bootId, startTime, space } = value;
  if (typeof pid !== "number" || typeof token !== "string" || typeof host !== "string") return null;
  const rest = { bootId: textOrNull(bootId), startTime: textOrNull(startTime), space: textOrNull(space) };
  return { pid, token, host, ...rest, released: text.startsWith(releasedMark) };
};

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);

/**
 * True when the process that left this mark cannot come back: rebooted, pid gone, or pid given to another process. Pids
 * of another machine (a home folder on NFS) or container prove nothing, so there only the heartbeat counts.
 */
export const certainlyDead = (mark: ProcessMark, processes: Processes): boolean => {
  const { self } = processes;
  if (mark.host !== self.host) return false;
  if (mark.bootId !== null && self.bootId !== null && mark.bootId !== self.bootId) return true;
  if (mark.space !== self.space) return false;
  const { alive, startTime } = processes.look(mark.pid);
  if (!alive) return true;
  return mark.startTime !== null && startTime !== null && mark.startTime !== startTime;
};
