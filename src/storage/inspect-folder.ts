// Looks at a data folder without changing anything in it: no mode is repaired, no file is moved, no key is
// made. Gives facts and judges none of them; no content but accounts and key is read.
import * as nodeFs from "node:fs";
import { isUtf8 } from "node:buffer";
import { dirname, join } from "node:path";
import type { Account } from "../accounts/account.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { parseStore } from "./accounts-format.ts";
import { pidOfTempFile, tempFileLifeMs } from "./atomic-write.ts";
import { readEnvelope } from "./encryption.ts";
import { codeOf, namesIn } from "./files.ts";
import type { Files } from "./files.ts";
import { acceptableKey } from "./local-key.ts";
import { dataFiles } from "./paths.ts";
import { readPrivate } from "./private-file.ts";
import { foreignEntries } from "./private-folder.ts";
import type { ForeignEntry } from "./private-folder.ts";

/** One entry of the folder; `mode` are the nine permission bits, `modifiedAt` wall milliseconds. */
export type SeenFile = { readonly name: string; readonly mode: number; readonly uid: number; readonly modifiedAt: number };

/** `reason` is safe to print. A sealed store is not opened. */
export type SeenStore =
  | { readonly state: "none" }
  | { readonly state: "good"; readonly accounts: readonly Account[]; readonly unused: readonly string[] }
  | { readonly state: "sealed"; readonly by: "passphrase" | "keyring" | "unknown" }
  | { readonly state: "broken" | "refused"; readonly reason: string };

export type SeenFolder = {
  /** Null when there is no folder yet. */
  readonly folder: SeenFile | null;
  /** Why it cannot be used at all; null when it can. */
  readonly refused: string | null;
  /** Of the folder, or of the nearest one above it that is there. */
  readonly writable: boolean;
  /** What another user may have put there; nothing starts while there is any. */
  readonly foreign: readonly ForeignEntry[];
  /** Our own files, not whatever else is there. */
  readonly files: readonly SeenFile[];
  /** Temporary files of processes that died, damaged files that were put aside. */
  readonly leftovers: readonly string[];
  readonly store: SeenStore;
  readonly backup: SeenStore;
  /** A file says that the store is sealed: a plain one in its place is refused. */
  readonly wasSealed: boolean;
  readonly key: Secret | null;
};

export type InspectFiles = Files & Pick<typeof nodeFs, "accessSync">;

/** `now` is wall milliseconds, `uid` as in `Processes`. */
type Look = { readonly uid: number | null; readonly now: number; readonly files: InspectFiles };

/** Never throws, changes nothing. */
export const inspectFolder = (dir: string, { uid, now, files = nodeFs }: Omit<Look, "files"> & Partial<Look>): SeenFolder => {
  const look = { uid, now, files };
  const folder = seenFolder(dir, files);
  const refused = folder === null ? null : whyRefused(dir, look);
  const writable = mayWrite(dir, files);
  const nothing = { foreign: [], files: [], leftovers: [], store: { state: "none" }, backup: { state: "none" }, wasSealed: false, key: null } as const;
  if (folder === null || refused !== null) return { folder, refused, writable, ...nothing };
  const paths = dataFiles(dir);
  const names = namesIn(dir, files);
  return {
    folder,
    refused,
    writable,
    foreign: foreignIn(dir, look),
    files: names.filter(isOurs).flatMap((name) => seen(join(dir, name), name, look) ?? []),
    leftovers: names.filter((name) => isLeftover(join(dir, name), name, look)),
    store: seenStore(paths.accounts, look),
    backup: seenStore(paths.backup, look),
    wasSealed: bytesAt(paths.seal, look) !== null,
    key: keyAt(paths.key, look),
  };
};

// The folder may be a link of this user; its entries are looked at as they are.
const seenFolder = (dir: string, files: Files): SeenFile | null => attempt(() => factsOf(dir, files.statSync(dir)), null);

const seen = (path: string, name: string, { files }: Look): SeenFile | null => attempt(() => factsOf(name, files.lstatSync(path)), null);

const factsOf = (name: string, stat: nodeFs.Stats): SeenFile => ({ name, mode: stat.isSymbolicLink() ? 0 : stat.mode & 0o777, uid: stat.uid, modifiedAt: stat.mtimeMs });

const attempt = <T>(look: () => T, otherwise: T): T => {
  try {
    return look();
  } catch {
    return otherwise;
  }
};

const foreignIn = (dir: string, { files, uid }: Look): readonly ForeignEntry[] => attempt(() => foreignEntries(dir, files.statSync(dir), { files, uid }), []);

const whyRefused = (dir: string, { files }: Look): string | null => {
  try {
    if (!files.statSync(dir).isDirectory()) return "it is not a folder";
    files.accessSync(dir, nodeFs.constants.R_OK | nodeFs.constants.X_OK);
    return null;
  } catch (error) {
    return `it cannot be read (${codeOf(error)})`;
  }
};

const mayWrite = (dir: string, files: InspectFiles): boolean => {
  try {
    files.accessSync(dir, nodeFs.constants.W_OK | nodeFs.constants.X_OK);
    return true;
  } catch (error) {
    return codeOf(error) === "ENOENT" && dirname(dir) !== dir && mayWrite(dirname(dir), files);
  }
};

const isOurs = (name: string): boolean => /^(?:accounts\.json(?:\..+)?|config\.json(?:\..+)?|history\.json|key|proxy\.json|locks)$/.test(name);

const aside = /^(?:accounts\.json\.broken-|config\.json\.torn-)/;

// A younger temporary file belongs to a write that is under way.
const isLeftover = (path: string, name: string, look: Look): boolean => {
  if (aside.test(name)) return true;
  return pidOfTempFile(name) !== null && look.now - (seen(path, name, look)?.modifiedAt ?? look.now) > tempFileLifeMs;
};

const seenStore = (path: string, look: Look): SeenStore => {
  const bytes = bytesAt(path, look);
  if (bytes === null) return { state: "none" };
  if (typeof bytes === "string") return { state: "refused", reason: bytes };
  if (!isUtf8(bytes)) return { state: "broken", reason: "it is not text" };
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  const envelope = readEnvelope(text);
  if (envelope !== "plain") return { state: "sealed", by: envelope === "unknown" ? "unknown" : envelope.source.by };
  const parsed = parseStore(text);
  if (!parsed.ok) return { state: "broken", reason: parsed.reason };
  return { state: "good", accounts: [...parsed.store.accounts.values()], unused: parsed.store.unused.map(({ id }) => id) };
};

/** A text is the reason why it is not read. */
const bytesAt = (path: string, { uid, files }: Look): Buffer | string | null => {
  try {
    return readPrivate(path, { files, uid, onNotice: () => {}, repairModes: false })?.bytes ?? null;
  } catch (error) {
    const code = error instanceof Error ? codeOf(error.cause) : "";
    return code === "" && error instanceof AppError ? error.message : `it cannot be read (${code})`;
  }
};

const keyAt = (path: string, look: Look): Secret | null => {
  const bytes = bytesAt(path, look);
  const text = Buffer.isBuffer(bytes) ? bytes.toString("utf8").trim() : "";
  return acceptableKey.test(text) ? secret(text) : null;
};
