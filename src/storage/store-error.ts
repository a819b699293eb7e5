// Turns a failure of the file system into a sentence that names the path, the reason and the next step.
import { AppError } from "../messages/errors.ts";

type Explanation = { readonly reason: string; readonly hint: string };

const explanations: Readonly<Record<string, Explanation>> = {
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

/** The `code` of a system error, or an empty text. */
export const codeOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
};

const explain = (error: unknown): Explanation => {
  const code = codeOf(error);
  return explanations[code] ?? { reason: code === "" ? "an unexpected failure" : code, hint: "Run `claude-oauth-proxy doctor`." };
};

/** `store-unwritable` for a failed write of `path`; an `AppError` is passed on as it is. */
export const unwritable = (path: string, cause: unknown): AppError => {
  if (cause instanceof AppError) return cause;
  const { reason, hint } = explain(cause);
  return new AppError({ code: "store-unwritable", message: `cannot write ${path}: ${reason}`, hint, cause });
};

/** `store-unreadable` for a failed read of `path`; an `AppError` is passed on as it is. */
export const unreadable = (path: string, cause: unknown): AppError => {
  if (cause instanceof AppError) return cause;
  const { reason, hint } = explain(cause);
  return new AppError({ code: "store-unreadable", message: `cannot read ${path}: ${reason}`, hint, cause });
};

/** `store-unreadable` for something that is there but must not be trusted. */
export const refused = (path: string, reason: string, hint: string): AppError =>
  new AppError({ code: "store-unreadable", message: `${path} is not used: ${reason}`, hint });
