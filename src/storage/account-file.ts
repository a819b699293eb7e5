// accounts.json: the real `AccountStore`. Never overwrites what it did not read under the lock, never
// overwrites a file it does not understand, never reports as saved what is not on the disk.
import { join } from "node:path";
import type { AccountStore } from "../accounts/account.ts";
import type { Clock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { AppError } from "../messages/errors.ts";
import { accountId as accountIdPattern } from "./account-record.ts";
import { createFileLock } from "./file-lock.ts";
import type { FileLock } from "./file-lock.ts";
import { systemFiles } from "./files.ts";
import type { Files } from "./files.ts";
import { lockTiming } from "./lock-watch.ts";
import type { LockTiming } from "./lock-watch.ts";
import { onceEach } from "./notice.ts";
import type { OnNotice } from "./notice.ts";
import { dataFiles } from "./paths.ts";
import { stampOf } from "./private-file.ts";
import type { Processes } from "./processes.ts";
import type { Seal } from "./seal.ts";
import { createStoreTransactions } from "./store-transactions.ts";
import { reserveForNext } from "./store-writing.ts";
import type { WritingDeps } from "./store-writing.ts";
import { sweepTemps } from "./sweep-temps.ts";

export type AccountFileDeps = {
  /** The data folder, checked by `ensurePrivateFolder`. */
  readonly dir: string;
  readonly clock: Clock;
  readonly seal: Seal;
  /** `createSystemProcesses(process)`. */
  readonly processes: Processes;
  readonly onNotice: OnNotice;
  /** Ends every wait for a lock. */
  readonly signal?: AbortSignal;
  readonly files?: Files;
  readonly random?: Random;
  readonly timing?: AccountFileTiming;
};

/** Milliseconds. A dead or hung holder is replaced long before these deadlines. */
export type AccountFileTiming = { readonly lock: LockTiming; readonly storeWaitMs: number; readonly refreshWaitMs: number };

export const accountFileTiming: AccountFileTiming = { lock: lockTiming, storeWaitMs: 30_000, refreshWaitMs: 120_000 };

/**
 * Every method throws `AppError`: `store-unreadable` (foreign owner, link, not a file), `store-sealed`
 * (wrong or missing key), `store-unwritable`, `store-locked`. After `update` threw, the old state is live.
 */
export type AccountFile = AccountStore & {
  /** True when the file was written or replaced by somebody else since this process last read or wrote it. One `stat`. */
  changed(): boolean;
};

/** The store in `dir`. Touches nothing until it is used. */
export const createAccountFile = (deps: AccountFileDeps): AccountFile => {
  const { files = systemFiles, random = systemRandom, timing = accountFileTiming } = deps;
  const { dir, clock, processes, signal } = deps;
  const paths = dataFiles(dir);
  const onNotice = onceEach(deps.onNotice);
  const guard = { files, uid: processes.uid, onNotice };
  const writing: WritingDeps = { paths, guard, onNotice, write: { files, random, pid: processes.self.pid } };
  const lockIn = (name: string): FileLock => createFileLock(join(paths.locks, name), { clock, files, random, processes }, timing.lock);
  const storeLock = lockIn("accounts");
  const transactions = createStoreTransactions({ writing, clock, seal: deps.seal, lock: storeLock, waitMs: timing.storeWaitMs, signal });
  let swept = false;

  const sweepOnce = (): void => {
    if (swept) return;
    swept = true;
    sweepTemps(dir, { files, processes, now: clock.now });
  };

  return {
    load() {
      sweepOnce();
      return transactions.load();
    },
    update: (change) => transactions.update(change),
    changed: () => stampOf(paths.accounts, files) !== transactions.stamp(),
    async withRefreshLock(accountId, work) {
      if (!accountIdPattern.test(accountId)) throw new AppError({ code: "unknown-account", message: "there is no account of that name" });
      const held = await lockIn(`refresh-${accountId}`).acquire({ timeoutMs: timing.refreshWaitMs, signal });
      try {
        return await prepared({ storeLock, writing }, () => work(held));
      } finally {
        held.release();
      }
    },
  };
};

/** The single-use token is spent during `work`: whatever its successor needs on the disk is taken before. */
const prepared = async <T>({ storeLock, writing }: { storeLock: FileLock; writing: WritingDeps }, work: () => Promise<T>): Promise<T> => {
  reserveForNext(writing);
  const takeBack = storeLock.prepare();
  try {
    return await work();
  } finally {
    takeBack();
  }
};

