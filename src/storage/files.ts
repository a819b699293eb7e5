// The file system as an argument, so that a test can make any single call fail; its failures as sentences, and what was
// found and dealt with as notices.
// Everything here is synchronous on purpose: between reading a credential and having it on the disk nothing
// else may run.
import * as nodeFs from "node:fs";
import { AppError } from "../messages/errors.ts";

/** The calls of `node:fs` that this folder uses, and no others. */
export type Files = Pick<
  typeof nodeFs,
  | "chmodSync"
  | "closeSync"
  | "fchmodSync"
  | "fstatSync"
  | "fsyncSync"
  | "ftruncateSync"
  | "futimesSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readFileSync"
  | "readdirSync"
  | "realpathSync"
  | "renameSync"
  | "statSync"
  | "unlinkSync"
  | "writeSync"
>;

/** The machine's own file system. */
export const systemFiles: Files = nodeFs;

/** Never throws. */
export const close = (fd: number, files: Files): void => {
  try {
    files.closeSync(fd);
  } catch {
    // Nothing more can be done with it.
  }
};

/** Removes `path` if it can; never throws. */
export const discard = (path: string, files: Files): void => {
  try {
    files.unlinkSync(path);
  } catch {
    // Gone already, or the folder is read-only: a later start sweeps it.
  }
};

/** The names in `dir`; empty when it cannot be listed. Never throws. */
export const namesIn = (dir: string, files: Files): readonly string[] => {
  try {
    return files.readdirSync(dir);
  } catch {
    return [];
  }
};

/** The `code` of a system error, or an empty text. */
export const codeOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
};

/** True when a link failed because the file system has no hard links (FAT, some network folders). */
export const lacksHardLinks = (error: unknown): boolean => ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error));

/** `store-unwritable` for a failed write of `path`; an `AppError` is passed on as it is. */
export const unwritable = (path: string, cause: unknown): AppError => failed("store-unwritable", `cannot write ${path}`, cause);

/** `store-unreadable` for a failed read of `path`; an `AppError` is passed on as it is. */
export const unreadable = (path: string, cause: unknown): AppError => failed("store-unreadable", `cannot read ${path}`, cause);

const failed = (code: "store-unwritable" | "store-unreadable", what: string, cause: unknown): AppError => {
  if (cause instanceof AppError) return cause;
  const systemCode = codeOf(cause);
  const known = explanations[systemCode];
  const reason = known?.reason ?? (systemCode === "" ? "an unexpected failure" : systemCode);
  return new AppError({ code, message: `${what}: ${reason}`, hint: known?.hint ?? "Run `claude-oauth-proxy doctor`.", cause });
};

const explanations: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  ENOSPC: { reason: "the disk is full", hint: "Free some space; the write is tried again." },
  EDQUOT: { reason: "the disk quota is used up", hint: "Free some space; the write is tried again." },
  EROFS: { reason: "the file system is read-only", hint: "Mount it writable, or choose another folder with --dir." },
  EACCES: { reason: "permission denied", hint: "Check the owner and the mode of the folder, or choose another one with --dir." },
  EPERM: { reason: "operation not permitted", hint: "Check the owner and the mode of the folder, or choose another one with --dir." },
  EIO: { reason: "the disk reported an input/output error", hint: "Check the disk, or choose another folder with --dir." },
  EMFILE: { reason: "too many open files", hint: "Raise the limit of open files (ulimit -n)." },
  ENFILE: { reason: "too many open files on this machine", hint: "Close some programs and try again." },
  ENOENT: { reason: "no such file or folder", hint: "Check the path." },
  ENOTDIR: { reason: "a part of the path is not a folder", hint: "Check the path." },
  EISDIR: { reason: "it is a folder", hint: "Move the folder away." },
  ELOOP: { reason: "it is a symbolic link", hint: "Replace the link by the file it points to." },
};

/** `store-unreadable` for something that is there but must not be trusted. */
export const refused = (path: string, reason: string, hint: string): AppError =>
  new AppError({ code: "store-unreadable", message: `${path} is not used: ${reason}`, hint });

/** A sentence for a person; `code` is stable. Never holds a secret or a piece of a credentials file. */
export type StorageNotice = {
  readonly level: "info" | "warning" | "error";
  readonly code:
    | "modes-repaired"
    | "modes-too-wide"
    | "moved-aside"
    | "restored"
    | "backup-unwritten"
    | "not-synced"
    | "entry-unused"
    | "certificates-foreign"
    | "key-replaced"
    | "history-unsaved"
    | "reseal-failed"
    | "seal-unmarked";
  readonly message: string;
  readonly hint: string | null;
};

export type OnNotice = (notice: StorageNotice) => void;

/** Passes every distinct notice on once, so that a check that runs every 30 s does not repeat itself. */
export const onceEach = (onNotice: OnNotice): OnNotice => {
  const seen = new Set<string>();
  return (notice) => {
    const key = `${notice.code} ${notice.message}`;
    if (seen.has(key)) return;
    seen.add(key);
    onNotice(notice);
  };
};
