// accounts.json as the `AccountStore`. A change is always applied to what is on the disk at that moment, under
// the lock; a file that is not understood is never overwritten; nothing is reported as saved before it is on
// the disk. In this process one transaction runs after the other.
import { join } from "node:path";
import type { Account, AccountStore } from "../accounts/account.ts";
import type { Clock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { isAccountId } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { formatStore } from "./accounts-format.ts";
import type { StoreDocument } from "./accounts-format.ts";
import { needsWriting, readAccounts, readText, recoveryNotice, unrepairedNotice, unusedNotices } from "./accounts-read.ts";
import type { ReadAccountsDeps, Reading } from "./accounts-read.ts";
import { keepAside, markSeal, reserveForNext, unmarkSeal, writeAccounts, writeBackup } from "./accounts-write.ts";
import type { WriteAccountsDeps } from "./accounts-write.ts";
import { sweepTempFiles } from "./atomic-write.ts";
import type { Encryption } from "./encryption.ts";
import { createFileLock, lockTiming } from "./file-lock.ts";
import type { FileLock, LockHandle, LockTiming } from "./file-lock.ts";
import { onceEach, systemFiles } from "./files.ts";
import type { Files, OnNotice } from "./files.ts";
import { dataFiles } from "./paths.ts";
import { stampOf } from "./private-file.ts";
import type { Processes } from "./processes.ts";

export type AccountsFileDeps = {
  /** The data folder, checked by `ensurePrivateFolder`. */
  readonly dir: string;
  readonly clock: Clock;
  readonly encryption: Encryption;
  /** `createSystemProcesses(process)`. */
  readonly processes: Processes;
  readonly onNotice: OnNotice;
  /** Ends every wait for a lock. */
  readonly signal?: AbortSignal;
  readonly files?: Files;
  readonly random?: Random;
  readonly timing?: AccountsFileTiming;
};

/** Milliseconds. A dead or hung holder is replaced long before these deadlines. */
export type AccountsFileTiming = { readonly lock: LockTiming; readonly storeWaitMs: number; readonly refreshWaitMs: number };

export const accountsFileTiming: AccountsFileTiming = { lock: lockTiming, storeWaitMs: 30_000, refreshWaitMs: 120_000 };

/**
 * `load` repairs what it finds broken, missing, sealed in another way or without a backup; `update` may call
 * its change again when the lock was lost on the way. Every method throws `AppError`: `store-unreadable`
 * (foreign owner, link, not a file), `store-sealed` (wrong or missing key), `store-unwritable`,
 * `store-locked`. After `update` threw, the old accounts are live.
 */
export type AccountsFile = AccountStore & {
  /** True when another process wrote or replaced the file since this one last read or wrote it. One `stat`. */
  changed(): boolean;
};

type Accounts = ReadonlyMap<string, Account>;
type Change = (current: Accounts) => Accounts;

type Scope = ReadAccountsDeps & WriteAccountsDeps & {
  readonly clock: Clock;
  readonly lock: FileLock;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  /** What this process last read or wrote, and the stamp of the live file then. */
  readonly known: { store: StoreDocument | null; stamp: string };
};

/** The accounts in `dir`. Touches nothing until it is used. */
export const createAccountsFile = (deps: AccountsFileDeps): AccountsFile => {
  const { files = systemFiles, random = systemRandom, timing = accountsFileTiming } = deps;
  const { dir, clock, encryption, processes, signal } = deps;
  const paths = dataFiles(dir);
  const lockIn = (name: string): FileLock => createFileLock(join(paths.locks, name), { clock, files, random, processes }, timing.lock);
  const scope: Scope = {
    paths, files, random, clock, encryption, signal,
    uid: processes.uid,
    pid: processes.self.pid,
    onNotice: onceEach(deps.onNotice),
    lock: lockIn("accounts"),
    waitMs: timing.storeWaitMs,
    known: { store: null, stamp: "" },
  };
  const inTurn = createQueue();
  let swept = false;

  return {
    load() {
      if (!swept) sweepTempFiles(dir, { files, processes, now: clock.now });
      swept = true;
      return inTurn(() => load(scope));
    },
    update: (change) => inTurn(() => transact(scope, change, scope.waitMs)),
    changed: () => stampOf(paths.accounts, files) !== scope.known.stamp,
    async withRefreshLock(accountId, work) {
      if (!isAccountId(accountId)) throw new AppError({ code: "unknown-account", message: "there is no account of that name" });
      const lock = await lockIn(`refresh-${accountId}`).acquire({ timeoutMs: timing.refreshWaitMs, signal });
      try {
        return await withRoomForOne(scope, () => work(lock));
      } finally {
        lock.release();
      }
    },
  };
};

const createQueue = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
};

/** The single-use token is spent during `work`: whatever its successor needs on the disk is taken before. */
const withRoomForOne = async <T>(scope: Scope, work: () => Promise<T>): Promise<T> => {
  reserveForNext(scope);
  const takeBack = scope.lock.prepare();
  try {
    return await work();
  } finally {
    takeBack();
  }
};

// The file is good and only its backup or its encryption is not as it should be: not worth a long wait.
const tidyWaitMs = 1_000;

const load = async (scope: Scope): Promise<Accounts> => {
  const reading = await readAccounts(scope, scope.known.store);
  if (!needsWriting(reading, scope.encryption.mode)) return accept(scope, reading);
  try {
    return await transact(scope, (current) => current, reading.from === "live" ? tidyWaitMs : scope.waitMs);
  } catch (error) {
    if (!(error instanceof AppError) || (error.code !== "store-unwritable" && error.code !== "store-locked")) throw error;
    return loadWithoutWriting(scope, reading, error);
  }
};

/** A read-only folder, or a lock that does not come free: go on with what there is, and say so. */
const loadWithoutWriting = (scope: Scope, reading: Reading, error: AppError): Accounts => {
  const { paths, onNotice } = scope;
  if (reading.from !== "live") onNotice(unrepairedNotice(reading, paths, error.message));
  else if (reading.sealedAs !== scope.encryption.mode) {
    const message = `${paths.accounts} is still sealed as "${reading.sealedAs ?? "none"}": ${error.message}`;
    onNotice({ level: "error", code: "reseal-failed", message, hint: error.hint ?? null });
  }
  return accept(scope, reading);
};

/** Remembers what was read, and says which entries are not used. */
const accept = ({ known, paths, onNotice }: Scope, reading: Reading): Accounts => {
  if (reading.from !== "nothing") known.store = reading.store;
  known.stamp = reading.stamp;
  for (const notice of unusedNotices(reading, paths)) onNotice(notice);
  return reading.store.accounts;
};

/** Another process took the lock over while we held it: nothing was written. */
class LockLost extends Error {}

const transact = async (scope: Scope, change: Change, timeoutMs: number): Promise<Accounts> => {
  for (let round = 0; ; round += 1) {
    const lock = await scope.lock.acquire({ timeoutMs, signal: scope.signal });
    try {
      return apply(scope, await readAccounts(scope, scope.known.store), change, lock);
    } catch (error) {
      if (!(error instanceof LockLost)) throw error;
      if (round >= 3) throw takenOver();
    } finally {
      lock.release();
    }
  }
};

const takenOver = (): AppError =>
  new AppError({
    code: "store-locked",
    message: "other processes take the lock of accounts.json away again and again",
    hint: "This machine is overloaded or was asleep; try again.",
  });

/** From here to the durable file nothing waits. */
const apply = (scope: Scope, reading: Reading, change: Change, lock: LockHandle): Accounts => {
  const { mode } = scope.encryption;
  const check = (): void => {
    if (!lock.stillMine()) throw new LockLost("the lock was taken over");
  };
  const next = change(reading.store.accounts);
  const plain = formatStore(reading.store, next);
  const same = reading.from === "live" && (next === reading.store.accounts || plain === reading.plain);
  if (!same || reading.sealedAs !== mode) return commit(scope, reading, { next, plain, check });
  if (!reading.backupEqual) renewBackup(scope, reading, check);
  if ((reading.marked ?? "none") !== mode) renewMark(scope, check);
  return accept(scope, reading);
};

/** Only from a live file that is still the one that was read: a backup must never hold anything else. */
const renewBackup = (scope: Scope, reading: Reading, check: () => void): void => {
  const live = readText(scope.paths.accounts, scope);
  if (live !== null && live.stamp === reading.stamp) writeBackup(live.text, scope, check);
};

const renewMark = (scope: Scope, check: () => void): void => {
  const { mode } = scope.encryption;
  if (mode === "none") unmarkSeal(scope);
  else markSeal(mode, scope, check);
};

type Commit = { readonly next: Accounts; readonly plain: string; readonly check: () => void };

const commit = (scope: Scope, reading: Reading, { next, plain, check }: Commit): Accounts => {
  const { paths, clock, known, onNotice } = scope;
  const aside = reading.broken === null ? null : keepAside(scope, clock.now());
  const { mode } = scope.encryption;
  if (mode === "none" && reading.marked !== null) unmarkSeal(scope);
  writeAccounts(scope.encryption.seal(plain), scope, check);
  if (reading.marked !== mode && mode !== "none") markSeal(mode, scope, check);
  known.stamp = stampOf(paths.accounts, scope.files);
  known.store = { ...reading.store, accounts: next, document: JSON.parse(plain) };
  if (reading.broken !== null || (!reading.liveExists && reading.from !== "nothing")) onNotice(recoveryNotice(reading, paths, aside));
  refillReserve(scope);
  return next;
};

/** A reserve that was used up by this write is made again, if there is room. */
const refillReserve = (scope: Scope): void => {
  try {
    reserveForNext(scope);
  } catch {
    // The next refresh asks for it again and says why it cannot be had.
  }
};
