// Reading and changing the credentials file: what is changed is always what stands on the disk at that
// moment, under the lock. In this process one transaction runs after the other.
import type { Account } from "../accounts/account.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../messages/errors.ts";
import type { FileLock, HeldLock } from "./file-lock.ts";
import type { Seal } from "./seal.ts";
import { stampOf } from "./private-file.ts";
import { recoveryNotice, unrepairedNotice, unusedNotices } from "./store-notices.ts";
import { interpret, readRaw } from "./store-reading.ts";
import type { Raw, Reading } from "./store-reading.ts";
import { formatStore } from "./store-text.ts";
import type { StoreDocument } from "./store-text.ts";
import { keepAside, reserveForNext, writeBackup, writeStore } from "./store-writing.ts";
import type { WritingDeps } from "./store-writing.ts";

type Accounts = ReadonlyMap<string, Account>;
type Change = (current: Accounts) => Accounts;

export type TransactionDeps = {
  readonly writing: WritingDeps;
  readonly clock: Clock;
  readonly seal: Seal;
  readonly lock: FileLock;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
};

export type StoreTransactions = {
  /** Reads; repairs what it finds broken, missing, sealed in another way or without a backup. */
  load(): Promise<Accounts>;
  /** `change` may be called again when the lock was lost on the way. */
  update(change: Change): Promise<Accounts>;
  /** Of the live file as this process last read or wrote it. */
  stamp(): string;
};

type Known = { store: StoreDocument | null; stamp: string };
type Scope = TransactionDeps & { readonly known: Known };

/** Signals that another process took the lock over while we held it: nothing was written. */
class LockLost extends Error {}

export const createStoreTransactions = (deps: TransactionDeps): StoreTransactions => {
  const scope: Scope = { ...deps, known: { store: null, stamp: "" } };
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    load: () => inTurn(() => load(scope)),
    update: (change) => inTurn(() => locked(scope, change, deps.waitMs)),
    stamp: () => scope.known.stamp,
  };
};

const unchanged: Change = (current) => current;
// The file is good and only its backup or its seal is not: not worth a long wait.
const tidyWaitMs = 1_000;

const load = async (scope: Scope): Promise<Accounts> => {
  const reading = await read(scope);
  if (!needsWriting(reading, scope.seal)) return learn(scope, reading);
  try {
    return await locked(scope, unchanged, reading.from === "live" ? tidyWaitMs : scope.waitMs);
  } catch (error) {
    if (!(error instanceof AppError) || (error.code !== "store-unwritable" && error.code !== "store-locked")) throw error;
    return loadWithoutWriting(scope, reading, error);
  }
};

/** A read-only folder, or a lock that does not come free: go on with what there is, and say so. */
const loadWithoutWriting = (scope: Scope, reading: Reading, error: AppError): Accounts => {
  const { paths, onNotice } = scope.writing;
  if (reading.from !== "live") onNotice(unrepairedNotice(reading, paths, error.message));
  else if (reading.sealedAs !== scope.seal.mode) {
    const message = `${paths.accounts} is still sealed as "${reading.sealedAs ?? "none"}": ${error.message}`;
    onNotice({ level: "error", code: "reseal-failed", message, hint: error.hint ?? null });
  }
  return learn(scope, reading);
};

const needsWriting = (reading: Reading, seal: Seal): boolean => {
  if (reading.from !== "live") return reading.liveExists || reading.from !== "nothing";
  return reading.sealedAs !== seal.mode || !reading.backupEqual;
};

const learn = ({ known, writing }: Scope, reading: Reading): Accounts => {
  if (reading.from !== "nothing") known.store = reading.store;
  known.stamp = reading.stamp;
  for (const notice of unusedNotices(reading, writing.paths)) writing.onNotice(notice);
  return reading.store.accounts;
};

/** Keys may have to be derived first, which takes a turn of the event loop; the texts are then read again. */
const read = async ({ writing, seal, known }: Scope): Promise<Reading> => {
  for (let round = 0; ; round += 1) {
    const first = readRaw(writing.paths, writing.guard);
    await seal.prepare(first.live?.text ?? null);
    if (first.backup !== null && first.backup.text !== first.live?.text) await prepareBackup(seal, first.backup.text);
    const now = readRaw(writing.paths, writing.guard);
    if (sameTexts(first, now) || round >= 20) return interpret(now, seal, known.store);
  }
};

/** A backup under a key that we lack is no reason to refuse a good live file. */
const prepareBackup = async (seal: Seal, text: string): Promise<void> => {
  try {
    await seal.prepare(text);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "store-sealed") throw error;
  }
};

const sameTexts = (left: Raw, right: Raw): boolean => left.live?.text === right.live?.text && left.backup?.text === right.backup?.text;

const locked = async (scope: Scope, change: Change, timeoutMs: number): Promise<Accounts> => {
  for (let round = 0; ; round += 1) {
    const held = await scope.lock.acquire({ timeoutMs, signal: scope.signal });
    try {
      return apply(scope, await read(scope), change, held);
    } catch (error) {
      if (!(error instanceof LockLost)) throw error;
      if (round >= 3) throw takenOver();
    } finally {
      held.release();
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
const apply = (scope: Scope, reading: Reading, change: Change, held: HeldLock): Accounts => {
  const next = change(reading.store.accounts);
  const plain = formatStore(reading.store, next);
  const asItIs = reading.from === "live" && (next === reading.store.accounts || plain === reading.plain);
  if (asItIs && !needsWriting(reading, scope.seal)) return learn(scope, reading);
  if (asItIs && reading.sealedAs === scope.seal.mode) return renewBackup(scope, reading, stillOurs(held));
  return commit(scope, { reading, plain, next, held });
};

const renewBackup = (scope: Scope, reading: Reading, check: () => void): Accounts => {
  const { live } = readRaw(scope.writing.paths, scope.writing.guard);
  if (live !== null && live.stamp === reading.stamp) writeBackup(live.text, scope.writing, check);
  return learn(scope, reading);
};

const stillOurs = (held: HeldLock) => (): void => {
  if (!held.stillMine()) throw new LockLost("the lock was taken over");
};

type Commit = { readonly reading: Reading; readonly plain: string; readonly next: Accounts; readonly held: HeldLock };

const commit = (scope: Scope, { reading, plain, next, held }: Commit): Accounts => {
  const { writing, clock, known } = scope;
  const { paths, guard, onNotice } = writing;
  const aside = reading.broken === null ? null : keepAside(paths, guard, clock.now());
  writeStore(scope.seal.close(plain), writing, stillOurs(held));
  known.stamp = stampOf(paths.accounts, guard.files);
  known.store = { ...reading.store, accounts: next, document: JSON.parse(plain) };
  if (reading.broken !== null || (!reading.liveExists && reading.from !== "nothing")) onNotice(recoveryNotice(reading, paths, aside));
  refill(writing);
  return next;
};

/** A reserve that was used up by this write is made again, if there is room. */
const refill = (writing: WritingDeps): void => {
  try {
    reserveForNext(writing);
  } catch {
    // The next refresh asks for it again and says why it cannot be had.
  }
};
