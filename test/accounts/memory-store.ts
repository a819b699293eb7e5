// An `AccountStore` in memory. Several processes are several engines over one of these; a lock is waited
// for as the real one is, and writing can be made to fail.
import type { Account, AccountStore } from "../../src/accounts/account.ts";
import { AppError } from "../../src/messages/errors.ts";

export type MemoryStore = AccountStore & {
  /** What stands on the disk. */
  current: ReadonlyMap<string, Account>;
  /** While set, every write throws it. */
  fault: AppError | null;
  /** While set, every reading throws it. */
  readFault: AppError | null;
  /** What `stillMine` says. */
  stillMine: boolean;
  writes: number;
  /** Called after the lock was taken, before the work. */
  onLocked: (accountId: string) => void | Promise<void>;
};

export const diskFull = new AppError({ code: "store-unwritable", message: "No space left.", hint: "Free some space." });

export const createMemoryStore = (accounts: ReadonlyMap<string, Account>): MemoryStore => {
  const holders = new Map<string, Promise<unknown>>();
  const store: MemoryStore = {
    current: accounts,
    fault: null,
    readFault: null,
    stillMine: true,
    writes: 0,
    onLocked: () => {},
    async load() {
      await Promise.resolve();
      if (store.readFault !== null) throw store.readFault;
      return store.current;
    },
    async update(change) {
      await Promise.resolve();
      if (store.fault !== null) throw store.fault;
      store.writes += 1;
      store.current = change(store.current);
      return store.current;
    },
    async withRefreshLock(accountId, work) {
      const before = holders.get(accountId);
      const turn = (before ?? Promise.resolve()).then(async () => {
        await store.onLocked(accountId);
        return work({ waitedFor: before === undefined ? null : 4711, stillMine: () => store.stillMine });
      });
      const settled = turn.catch(() => {});
      holders.set(accountId, settled);
      void settled.then(() => holders.get(accountId) === settled && holders.delete(accountId));
      return turn;
    },
  };
  return store;
};
