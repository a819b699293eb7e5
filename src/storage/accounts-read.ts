// What the accounts are when they are read: those of the live file, else of its backup, else what this
// process read last. Changes nothing on the disk (apart from modes that are too wide).
import { isUtf8 } from "node:buffer";
import { basename } from "node:path";
import { own, parseJsonObject } from "../lib/json.ts";
import { visibleText } from "../lib/visible-text.ts";
import { AppError } from "../messages/errors.ts";
import { emptyStore, parseStore } from "./accounts-format.ts";
import type { StoreDocument } from "./accounts-format.ts";
import type { Encryption, EncryptionMode } from "./encryption.ts";
import type { StorageNotice } from "./files.ts";
import type { DataFiles } from "./paths.ts";
import { readPrivate } from "./private-file.ts";
import type { PrivateFileDeps } from "./private-file.ts";

export type Reading = {
  readonly store: StoreDocument;
  readonly from: "live" | "backup" | "memory" | "nothing";
  /** Plain text of the live file, when it is the source. */
  readonly plain: string | null;
  /** Why the live file cannot be used; null when it is good, or missing. */
  readonly broken: string | null;
  readonly liveExists: boolean;
  readonly sealedAs: EncryptionMode | "unknown" | null;
  /** How the seal file says that the live file is sealed; null without one. */
  readonly marked: SealedBy | null;
  /** The backup is byte for byte what the live file is. */
  readonly backupEqual: boolean;
  /** Changes when the live file does (see `stampOf`); empty without one. */
  readonly stamp: string;
};

export type ReadAccountsDeps = PrivateFileDeps & { readonly paths: DataFiles; readonly encryption: Encryption };

type SealedBy = Exclude<EncryptionMode, "none">;
type Text = { readonly text: string; readonly stamp: string };
type Texts = { readonly live: Text | null; readonly backup: Text | null; readonly marked: SealedBy | null };

/**
 * Reads both files; `memory` is what this process read last. Throws `store-unreadable` when the live file is
 * there but must not or cannot be read, `store-sealed` for a wrong or missing key, and for a plain file where a
 * sealed one was.
 */
export const readAccounts = async (deps: ReadAccountsDeps, memory: StoreDocument | null): Promise<Reading> => {
  const { encryption } = deps;
  // Keys may have to be derived first, which takes a turn of the event loop: then the texts are read again.
  for (let round = 0; ; round += 1) {
    const first = readTexts(deps);
    encryption.remember(sealOf(first, encryption));
    await encryption.prepare(first.live?.text ?? null);
    if (first.backup !== null && first.backup.text !== first.live?.text) await prepareForBackup(encryption, first.backup.text);
    const now = readTexts(deps);
    const same = first.live?.text === now.live?.text && first.backup?.text === now.backup?.text;
    if (!same && round < 20) continue;
    const reading = interpret(now, encryption, memory);
    refusePlain(now, reading, deps);
    return reading;
  }
};

const readTexts = (deps: ReadAccountsDeps): Texts => {
  const { paths } = deps;
  // First: another process that seals the live file marks it afterwards, and must not seem to have left a plain one. One
  // that unseals it takes the mark away before, so that a plain file read twice had none.
  const marked = readMark(paths.seal, deps);
  return { marked, live: readText(paths.accounts, deps), backup: readBackup(paths.backup, deps) };
};

const readMark = (path: string, deps: PrivateFileDeps): SealedBy | null => {
  const found = readPrivate(path, deps);
  if (found === null) return null;
  // Whatever else it holds, it is there: then the store was sealed.
  return own(parseJsonObject(found.bytes.toString("utf8")) ?? {}, "by") === "keyring" ? "keyring" : "passphrase";
};

/** How the store is sealed, or was before it was lost. */
const sealOf = ({ live, backup, marked }: Texts, encryption: Encryption): EncryptionMode =>
  sealedBy(live, encryption) ?? marked ?? sealedBy(backup, encryption) ?? "none";

const sealedBy = (text: Text | null, encryption: Encryption): SealedBy | null => {
  const mode = text === null ? "none" : encryption.modeOf(text.text);
  return mode === "passphrase" || mode === "keyring" ? mode : null;
};

/** Anyone who can write the folder can put accounts of his own there in the clear; he cannot seal them. */
const refusePlain = ({ live, backup, marked }: Texts, { from, sealedAs }: Reading, { encryption, paths }: ReadAccountsDeps): void => {
  const isPlain = from === "live" ? sealedAs === "none" : from === "backup" && sealedBy(backup, encryption) === null;
  if (!isPlain || encryption.mayUnseal || (marked ?? sealedBy(backup, encryption)) === null) return;
  throw new AppError({
    code: "store-sealed",
    message: `${from === "live" ? paths.accounts : paths.backup} is not sealed, and it was${live === null ? " before accounts.json went missing" : ""}: something has put it there`,
    hint: "Put the sealed file back. If it is yours, say so once: `claude-oauth-proxy accounts list --set storage.encryption=none`; the next use seals it again if that is set.",
  });
};

/** The text of one file; null when there is none. Throws `store-unreadable`. */
export const readText = (path: string, deps: PrivateFileDeps): Text | null => {
  const found = readPrivate(path, deps);
  if (found === null) return null;
  // Broken UTF-8 would come back from a rewrite as other characters; a NUL is no JSON and so counts as broken.
  const text = isUtf8(found.bytes) ? found.bytes.toString("utf8").replace(/^\uFEFF/, "") : "\0";
  return { text, stamp: found.stamp };
};

/** A backup that cannot be read must not keep a good live file from being used. */
const readBackup = (path: string, deps: PrivateFileDeps): Text | null => {
  try {
    return readText(path, deps);
  } catch {
    return null;
  }
};

/** A backup under a key that we lack is no reason to refuse a good live file. */
const prepareForBackup = async (encryption: Encryption, text: string): Promise<void> => {
  try {
    await encryption.prepare(text);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "store-sealed") throw error;
  }
};

const interpret = ({ live, backup, marked }: Texts, encryption: Encryption, memory: StoreDocument | null): Reading => {
  const shared = {
    liveExists: live !== null,
    marked,
    backupEqual: live !== null && live.text === backup?.text,
    stamp: live?.stamp ?? "",
  };
  const opened = live === null ? null : parse(live.text, encryption);
  if (opened?.ok === true) return { ...shared, ...opened, from: "live", broken: null };
  return { ...shared, ...fallBack(backup, encryption, memory), broken: opened?.reason ?? null, plain: null, sealedAs: null };
};

const fallBack = (backup: Text | null, encryption: Encryption, memory: StoreDocument | null): Pick<Reading, "store" | "from"> => {
  const opened = backup === null ? null : parse(backup.text, encryption);
  if (opened?.ok === true) return { store: opened.store, from: "backup" };
  return memory === null ? { store: emptyStore, from: "nothing" } : { store: memory, from: "memory" };
};

const parse = (text: string, encryption: Encryption) => {
  const opened = encryption.open(text);
  if (opened.outcome === "damaged") return { ok: false, reason: opened.reason } as const;
  const parsed = parseStore(opened.text);
  return parsed.ok ? ({ ok: true, store: parsed.store, plain: opened.text, sealedAs: encryption.modeOf(text) } as const) : parsed;
};

/** True when the disk should hold something else: a lost live file, another way of sealing, a missing backup. */
export const needsWriting = (reading: Reading, mode: EncryptionMode): boolean => {
  if (reading.from !== "live") return reading.liveExists || reading.from !== "nothing";
  return reading.sealedAs !== mode || !reading.backupEqual || (reading.marked ?? "none") !== mode;
};

/** What is said after the live file was missing or broken and the accounts were written anew; `aside` is where the broken one went. */
export const recoveryNotice = (reading: Reading, paths: DataFiles, aside: string | null): StorageNotice => {
  const source = sourceIn(reading, paths);
  if (aside === null) {
    const hint = "To remove accounts on purpose, use `claude-oauth-proxy logout`.";
    return { level: "warning", code: "restored", message: `${paths.accounts} was missing; ${source}`, hint };
  }
  const lost = reading.from === "nothing";
  const message = `${paths.accounts} cannot be used: ${reading.broken ?? "it is broken"}. It was moved to ${aside}; ${source}`;
  const hint = lost ? "Sign in again, or repair that file and put it back." : null;
  return { level: lost ? "error" : "warning", code: "moved-aside", message, hint };
};

/** What is said when `reason` kept the repair from being written. */
export const unrepairedNotice = (reading: Reading, paths: DataFiles, reason: string): StorageNotice => ({
  level: "error",
  code: "restored",
  message: `${paths.accounts} ${reading.broken === null ? "is missing" : `cannot be used: ${reading.broken}`}; ${sourceIn(reading, paths)}, but ${reason}`,
  hint: "The file was left as it is. Make the folder writable.",
});

const sourceIn = ({ store, from }: Reading, paths: DataFiles): string => {
  const count = store.accounts.size === 1 ? "1 account" : `${store.accounts.size} accounts`;
  if (from === "backup") return `the backup ${basename(paths.backup)} is used (${count})`;
  if (from === "memory") return `what this process knew is used (${count})`;
  return "there is no usable backup, so there are no accounts now";
};

/** One notice for each entry that is kept in the file but cannot be used; the names are made safe to print. */
export const unusedNotices = (reading: Reading, paths: DataFiles): readonly StorageNotice[] =>
  reading.store.unused.map(({ id, reason }) => ({
    level: "warning",
    code: "entry-unused",
    message: `the account "${visibleText(id, 80)}" in ${paths.accounts} is kept but not used: ${reason}`,
    hint: "Correct it, or sign in again.",
  }));
