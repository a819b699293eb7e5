// A lock between processes that share a folder. Survives killed, stopped and sleeping holders, reused
// pids, reboots and clocks that jump; never throws out of a timer; never removes what is not its own.
import { dirname } from "node:path";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { AppError } from "../messages/errors.ts";
import { close, discard } from "./atomic-write.ts";
import type { Files } from "./files.ts";
import { certainlyDead, formatClaim, freeMark } from "./lock-claim.ts";
import { highestNumber, publishDraft, readTicket, removeOld, ticketPath, writeDraft } from "./lock-tickets.ts";
import type { Draft, Ticket } from "./lock-tickets.ts";
import { createLockWatch, lockTiming } from "./lock-watch.ts";
import type { LockTiming, LockWatch } from "./lock-watch.ts";
import type { Processes } from "./processes.ts";
import { codeOf, unwritable } from "./store-error.ts";
import { sweepTemps } from "./sweep-temps.ts";

export type LockDeps = { readonly clock: Clock; readonly files: Files; readonly random: Random; readonly processes: Processes };

export type HeldLock = {
  /** Pid of the process that held the lock when we came, null when it was free. */
  readonly waitedFor: number | null;
  /** False once another process has taken the lock over, and after `release`. Never throws. */
  stillMine(): boolean;
  /** Frees the lock if it is still ours; idempotent, never throws. */
  release(): void;
};

export type LockWish = { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined };

export type FileLock = {
  /** Throws `store-locked` at the deadline or on abort, `store-unwritable` when the folder takes no files. */
  acquire(wish: LockWish): Promise<HeldLock>;
  /**
   * Puts a claim on the disk for a later `acquire`, which then succeeds on a full disk too; gives the way
   * to take it back when it was not needed. Throws `store-unwritable`.
   */
  prepare(): () => void;
};

type Claim = { readonly token: string; readonly draft: Draft };
type Place = { readonly folder: string; readonly deps: LockDeps; readonly timing: LockTiming; readonly prepared: Set<Claim> };
type Won = { readonly number: number; readonly token: string; readonly fd: number };

/** The lock that lives in `folder` (made when needed, 0700). */
export const createFileLock = (folder: string, deps: LockDeps, timing: LockTiming = lockTiming): FileLock => {
  const place: Place = { folder, deps, timing, prepared: new Set() };
  return {
    acquire: (wish) => acquire(place, wish),
    prepare() {
      const claim = newClaim(place);
      place.prepared.add(claim);
      return () => {
        if (place.prepared.delete(claim)) dropClaim(claim, deps.files);
      };
    },
  };
};

// With `recursive`, Node 24 reports a read-only disk as "no such folder", which sends people the wrong way.
const makeFolder = (path: string, files: Files): void => {
  try {
    files.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "ENOENT") files.mkdirSync(path, { recursive: true, mode: 0o700 });
    else if (codeOf(error) !== "EEXIST") throw error;
  }
};

const newClaim = ({ folder, deps }: Place): Claim => {
  const { files, random, processes } = deps;
  const token = Buffer.from(random(16)).toString("hex");
  try {
    makeFolder(dirname(folder), files);
    makeFolder(folder, files);
    return { token, draft: writeDraft(folder, formatClaim(processes.self, token), { files, random, pid: processes.self.pid }) };
  } catch (error) {
    throw unwritable(folder, error);
  }
};

const dropClaim = ({ draft }: Claim, files: Files): void => {
  close(draft.fd, files);
  discard(draft.path, files);
};

const takePrepared = ({ prepared }: Place): Claim | undefined => {
  const [claim] = prepared;
  if (claim !== undefined) prepared.delete(claim);
  return claim;
};

const acquire = async (place: Place, wish: LockWish): Promise<HeldLock> => {
  const { files } = place.deps;
  const claim = takePrepared(place) ?? newClaim(place);
  let won: (Won & { readonly waitedFor: number | null }) | undefined;
  try {
    won = await waitFor(place, claim, wish);
    return hold(place, won);
  } finally {
    discard(claim.draft.path, files);
    if (won?.fd !== claim.draft.fd) close(claim.draft.fd, files);
  }
};

const waitFor = async (place: Place, claim: Claim, { timeoutMs, signal }: LockWish) => {
  const { clock, random } = place.deps;
  const watch = createLockWatch(clock, place.timing);
  const deadline = clock.monotonic() + timeoutMs;
  let waitedFor: number | null = null;
  for (let round = 0; ; round += 1) {
    const found = attempt(place, claim, watch);
    if ("fd" in found) return { ...found, waitedFor };
    waitedFor ??= found.holder;
    const aborted = signal?.aborted === true;
    if (aborted || clock.monotonic() >= deadline) throw locked(place, found.holder, aborted);
    // 3 to 6 ms at first, 60 to 120 ms later; the jitter keeps waiters from marching in step.
    const jitter = 0.5 + (random(1)[0] ?? 0) / 510;
    // A command that waits for the lock must not end in silence because only this timer is left.
    await sleep(clock, Math.min(6 * 1.3 ** round, 120) * jitter, { signal, keepAlive: true });
  }
};

/** The lock, or the pid that keeps us from it (null when not known). */
const attempt = (place: Place, claim: Claim, watch: LockWatch): Won | { readonly holder: number | null } => {
  const { folder, deps } = place;
  try {
    const ticket = readTicket(folder, deps.files);
    if (ticket !== null && !claimable(ticket, deps.processes, watch)) return { holder: ticket.claim?.pid ?? null };
    return take(place, claim, (ticket?.number ?? 0) + 1) ?? { holder: null };
  } catch (error) {
    throw unwritable(folder, error);
  }
};

const claimable = ({ number, claim, touchedAt }: Ticket, processes: Processes, watch: LockWatch): boolean => {
  if (claim !== null && (claim.released || certainlyDead(claim, processes))) return true;
  return watch({ token: `${number} ${claim?.token ?? ""}`, touchedAt });
};

const take = ({ folder, deps }: Place, { token, draft }: Claim, number: number): Won | null => {
  const { files } = deps;
  const path = ticketPath(folder, number);
  const fd = publishDraft(draft, path, files);
  if (fd === null) return null;
  // We may have been stopped since we looked, and the number been used and removed meanwhile.
  if (highestNumber(folder, files) === number) return { number, token, fd };
  if (fd !== draft.fd) close(fd, files);
  discard(path, files);
  return null;
};

const hold = (place: Place, won: Won & { readonly waitedFor: number | null }): HeldLock => {
  const { folder, deps, timing } = place;
  let open = true;
  touch(won.fd, deps);
  const heartbeat = deps.clock.setInterval(() => touch(won.fd, deps), timing.heartbeatMs);
  removeOld(folder, won.number, deps.files);
  sweepTemps(folder, { files: deps.files, processes: deps.processes, now: deps.clock.now });
  return {
    waitedFor: won.waitedFor,
    stillMine: () => open && counts(place, won),
    release() {
      if (!open) return;
      open = false;
      heartbeat.cancel();
      free(won.fd, deps.files);
    },
  };
};

/** By the open file, so that it can only ever reach our own claim. */
const touch = (fd: number, { files, clock }: LockDeps): void => {
  try {
    const seconds = clock.now() / 1000;
    files.futimesSync(fd, seconds, seconds);
  } catch {
    // Others will see a hung holder, and `stillMine` will say so.
  }
};

const counts = ({ folder, deps }: Place, { number, token }: Won): boolean => {
  try {
    const ticket = readTicket(folder, deps.files);
    return ticket?.number === number && ticket.claim?.token === token;
  } catch {
    return false;
  }
};

const free = (fd: number, files: Files): void => {
  try {
    files.writeSync(fd, freeMark, 0);
  } catch {
    // The heartbeat has stopped: others take it over as hung.
  }
  close(fd, files);
};

const locked = ({ folder }: Place, holder: number | null, aborted: boolean): AppError => {
  const by = holder === null ? "another process" : `process ${holder}`;
  const message = aborted ? `stopped waiting for the lock ${folder}` : `${folder} is held by ${by}`;
  return new AppError({ code: "store-locked", message, hint: "Try again; the lock of a dead or hung process frees itself within a minute." });
};
