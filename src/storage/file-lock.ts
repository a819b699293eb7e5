// A lock between processes that share a folder. Survives killed, stopped and sleeping holders, reused pids,
// reboots and clocks that jump; never throws out of a timer; never removes what is not its own.
import { dirname } from "node:path";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { AppError } from "../messages/errors.ts";
import { sweepTempFiles } from "./atomic-write.ts";
import { close, codeOf, discard, refused, unwritable } from "./files.ts";
import type { Files } from "./files.ts";
import { certainlyDead, formatClaim, highestNumber, publishDraft, readTicket, releasedMark, removeOld, ticketPath, writeDraft } from "./lock-tickets.ts";
import type { Draft, Ticket, TicketDeps } from "./lock-tickets.ts";
import { checkOwner } from "./private-file.ts";
import type { Processes } from "./processes.ts";

export type LockDeps = { readonly clock: Clock; readonly files: Files; readonly random: Random; readonly processes: Processes };

/** Milliseconds. */
export type LockTiming = {
  /** How often a holder touches its claim. */
  readonly heartbeatMs: number;
  /** A claim untouched for this long while we watched, or by its date, belongs to a hung holder. */
  readonly hungMs: number;
  /** A date that looks wrong (too old, or in the future) must stay unchanged for this long before it is believed. */
  readonly confirmMs: number;
  /** How far in the future a date may lie. */
  readonly futureMs: number;
};

export const lockTiming: LockTiming = { heartbeatMs: 1_000, hungMs: 20_000, confirmMs: 3_000, futureMs: 5_000 };

/** A lock that this process took. */
export type LockHandle = {
  /** Pid of the process that held the lock when we came, null when it was free. */
  readonly waitedFor: number | null;
  /** False once another process has taken the lock over, and after `release`. Never throws. */
  stillMine(): boolean;
  /** Frees the lock if it is still ours; idempotent, never throws. */
  release(): void;
};

export type LockOptions = { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined };

export type FileLock = {
  /** Throws `store-locked` at the deadline or on abort, `store-unwritable` when the folder takes no files. */
  acquire(options: LockOptions): Promise<LockHandle>;
  /**
   * Puts a claim on the disk for a later `acquire`, which then succeeds on a full disk too; gives the way
   * to take it back when it was not needed. Throws `store-unwritable`.
   */
  prepare(): () => void;
};

type OwnClaim = { readonly token: string; readonly draft: Draft };
type Context = { readonly folder: string; readonly deps: LockDeps; readonly timing: LockTiming };
type Won = { readonly number: number; readonly token: string; readonly fd: number };

/** The lock that lives in `folder` (made when needed, 0700). */
export const createFileLock = (folder: string, deps: LockDeps, timing: LockTiming = lockTiming): FileLock => {
  const context: Context = { folder, deps, timing };
  const prepared = new Set<OwnClaim>();
  const takePrepared = (): OwnClaim | undefined => {
    const [claim] = prepared;
    if (claim !== undefined) prepared.delete(claim);
    return claim;
  };
  return {
    acquire: async (options) => acquire(context, takePrepared() ?? newClaim(context), options),
    prepare() {
      const claim = newClaim(context);
      prepared.add(claim);
      return () => {
        if (!prepared.delete(claim)) return;
        close(claim.draft.fd, deps.files);
        discard(claim.draft.path, deps.files);
      };
    },
  };
};

const newClaim = ({ folder, deps }: Context): OwnClaim => {
  const { files, random, processes } = deps;
  const token = Buffer.from(random(16)).toString("hex");
  try {
    for (const path of [dirname(folder), folder]) makeFolder(path, { files, uid: processes.uid });
    return { token, draft: writeDraft(folder, formatClaim(processes.self, token), { files, random, pid: processes.self.pid }) };
  } catch (error) {
    throw unwritable(folder, error);
  }
};

// With `recursive`, Node 24 reports a read-only disk as "no such folder", which sends people the wrong way.
const makeFolder = (path: string, { files, uid }: TicketDeps): void => {
  try {
    files.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "ENOENT") files.mkdirSync(path, { recursive: true, mode: 0o700 });
    else if (codeOf(error) !== "EEXIST") throw error;
    else checkFolder(path, { files, uid });
  }
};

// A link would lead the tickets elsewhere; in a folder of another user he could hold every lock.
const checkFolder = (path: string, { files, uid }: TicketDeps): void => {
  const stat = files.lstatSync(path);
  if (!stat.isDirectory()) throw refused(path, "it is not a folder", "Look at what is there, and remove it.");
  checkOwner(path, stat, uid);
};

const acquire = async (context: Context, claim: OwnClaim, options: LockOptions): Promise<LockHandle> => {
  const { files } = context.deps;
  let won: (Won & { readonly waitedFor: number | null }) | undefined;
  try {
    won = await waitFor(context, claim, options);
    return hold(context, won);
  } finally {
    discard(claim.draft.path, files);
    if (won?.fd !== claim.draft.fd) close(claim.draft.fd, files);
  }
};

const waitFor = async (context: Context, claim: OwnClaim, { timeoutMs, signal }: LockOptions) => {
  const { clock, random } = context.deps;
  const isHung = createHungWatch(clock, context.timing);
  const deadline = clock.monotonic() + timeoutMs;
  let waitedFor: number | null = null;
  for (let round = 0; ; round += 1) {
    const found = attempt(context, claim, isHung);
    if ("fd" in found) return { ...found, waitedFor };
    waitedFor ??= found.holder;
    const aborted = signal?.aborted === true;
    if (aborted || clock.monotonic() >= deadline) throw locked(context, found.holder, aborted);
    // 3 to 6 ms at first, 60 to 120 ms later; the jitter keeps waiters from marching in step.
    const jitter = 0.5 + (random(1)[0] ?? 0) / 510;
    // A command that waits for the lock must not end in silence because only this timer is left.
    await sleep(clock, Math.min(6 * 1.3 ** round, 120) * jitter, { signal, keepAlive: true });
  }
};

const locked = ({ folder }: Context, holder: number | null, aborted: boolean): AppError => {
  const by = holder === null ? "another process" : `process ${holder}`;
  const message = aborted ? `stopped waiting for the lock ${folder}` : `${folder} is held by ${by}`;
  return new AppError({ code: "store-locked", message, hint: "Try again; the lock of a dead or hung process frees itself within a minute." });
};

const ticketDepsOf = ({ files, processes }: LockDeps): TicketDeps => ({ files, uid: processes.uid });

/** The lock, or the pid that keeps us from it (null when not known). */
const attempt = ({ folder, deps }: Context, claim: OwnClaim, isHung: HungWatch): Won | { readonly holder: number | null } => {
  try {
    const ticket = readTicket(folder, ticketDepsOf(deps));
    if (ticket !== null && !isFree(ticket, deps.processes, isHung)) return { holder: ticket.claim?.pid ?? null };
    return take(folder, claim, (ticket?.number ?? 0) + 1, deps.files) ?? { holder: null };
  } catch (error) {
    throw unwritable(folder, error);
  }
};

const isFree = ({ number, claim, touchedAt }: Ticket, processes: Processes, isHung: HungWatch): boolean => {
  if (claim !== null && (claim.released || certainlyDead(claim, processes))) return true;
  return isHung({ token: `${number} ${claim?.token ?? ""}`, touchedAt });
};

const take = (folder: string, { token, draft }: OwnClaim, number: number, files: Files): Won | null => {
  const path = ticketPath(folder, number);
  const fd = publishDraft(draft, path, files);
  if (fd === null) return null;
  // We may have been stopped since we looked, and the number been used and removed meanwhile.
  if (highestNumber(folder, files) === number) return { number, token, fd };
  if (fd !== draft.fd) close(fd, files);
  discard(path, files);
  return null;
};

const longestStepMs = 500;

/** Looks at the same claim again and again; true when its holder counts as hung. */
export type HungWatch = (claim: { readonly token: string; readonly touchedAt: number }) => boolean;

/**
 * Watches a heartbeat during one wait, by our own steady clock: a wall clock that jumped, or a laptop that slept,
 * must not take the lock from a live holder. Time in which we ourselves did not run (stopped, asleep) counts for
 * at most half a second per look: the holder may have slept with us.
 */
export const createHungWatch = (clock: Clock, timing: LockTiming): HungWatch => {
  let seen = "";
  let watchedMs = 0;
  let lookedAt = 0;
  return ({ token, touchedAt }) => {
    const now = clock.monotonic();
    const mark = `${token} ${touchedAt}`;
    watchedMs = mark === seen ? watchedMs + Math.min(now - lookedAt, longestStepMs) : 0;
    seen = mark;
    lookedAt = now;
    const age = clock.now() - touchedAt;
    const odd = age > timing.hungMs || age < -timing.futureMs;
    return watchedMs >= timing.hungMs || (odd && watchedMs >= timing.confirmMs);
  };
};

const hold = ({ folder, deps, timing }: Context, { number, token, fd, waitedFor }: Won & Pick<LockHandle, "waitedFor">): LockHandle => {
  const { clock, files, processes } = deps;
  let open = true;
  touch(fd, deps);
  const heartbeat = clock.setInterval(() => touch(fd, deps), timing.heartbeatMs);
  removeOld(folder, number, files);
  sweepTempFiles(folder, { files, processes, now: clock.now });
  return {
    waitedFor,
    stillMine: () => open && isHighest(folder, { number, token }, deps),
    release() {
      if (!open) return;
      open = false;
      heartbeat.cancel();
      markReleased(fd, files);
      close(fd, files);
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

const isHighest = (folder: string, { number, token }: Pick<Won, "number" | "token">, deps: LockDeps): boolean => {
  try {
    const ticket = readTicket(folder, ticketDepsOf(deps));
    return ticket?.number === number && ticket.claim?.token === token;
  } catch {
    return false;
  }
};

const markReleased = (fd: number, files: Files): void => {
  try {
    files.writeSync(fd, releasedMark, 0);
  } catch {
    // The heartbeat has stopped: others take it over as hung.
  }
};
