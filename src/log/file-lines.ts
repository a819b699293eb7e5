// Lines to a file of our own (0600), in order, without ever blocking the event loop. Rotates by size
// when asked to. A disk that is full or gone loses lines, not the proxy.
import { lstat, rename } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { AppError } from "../messages/errors.ts";
import { checkReplaceable, openOwnFile } from "./own-file.ts";
import type { OwnFileDeps } from "./own-file.ts";
import type { Lines } from "./stream-lines.ts";

export type FileLinesOptions = OwnFileDeps & {
  readonly path: string;
  /** Largest size before `path` becomes `path.1`, bytes; null never rotates. Nothing but a regular file is moved. */
  readonly maxBytes: number | null;
  /** How many rotated files are kept. */
  readonly keep: number;
  /** Called once for each run of failures, with a sentence. */
  readonly onFault: (message: string) => void;
};

/** Characters that may wait for the disk. */
const mostWaiting = 8 * 1024 * 1024;

/** Opens (appends to) the file. Throws `AppError` `bad-config` when it cannot be opened, or is not the user's own. */
export const createFileLines = async (options: FileLinesOptions): Promise<Lines> => {
  const { path, onFault } = options;
  if (options.maxBytes !== null) await checkRotated(options);
  let file: FileHandle | null = await openOwnFile(path, options);
  const opened = await file.stat();
  // A device or a pipe has no size, and moving it away would take it from every program (/dev/null from the whole machine).
  const mostBytes = opened.isFile() ? options.maxBytes : null;
  let { size } = opened;
  let waiting: string[] = [];
  let waitingLength = 0;
  let lost = 0;
  let failing = false;
  let pump: Promise<void> | null = null;

  const writeBatch = async (batch: string): Promise<void> => {
    try {
      if (mostBytes !== null && size > 0 && size + batch.length > mostBytes) {
        await checkRotated(options);
        await file?.close();
        file = null;
        await rotate(path, options.keep);
        size = 0;
      }
      file ??= await openOwnFile(path, options);
      await file.appendFile(batch);
      size += Buffer.byteLength(batch);
      failing = false;
    } catch (error) {
      if (!failing) onFault(`${whyNot(path, error)}; log lines are lost until it can`);
      failing = true;
    }
  };

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.join("");
      waiting = [];
      waitingLength = 0;
      await writeBatch(lost === 0 ? batch : `(${lost} lines left out: the disk was too slow)\n${batch}`);
      lost = 0;
    }
    pump = null;
  };

  return {
    write(line) {
      if (waitingLength > mostWaiting) {
        lost += 1;
        return;
      }
      waiting.push(`${line}\n`);
      waitingLength += line.length + 1;
      pump ??= run();
    },
    // Writing to the disk goes on by itself: there is no way to hurry it.
    flush() {},
    async close() {
      await pump;
      await file?.close().catch(() => {});
      file = null;
    },
  };
};

const whyNot = (path: string, error: unknown): string => {
  const { cause, message } = error as Error;
  if (error instanceof AppError && cause === undefined) return `${path} cannot be written: ${message.replace(/\.$/, "")}`;
  const { code } = (cause ?? error) as NodeJS.ErrnoException;
  return `${path} cannot be written (${code ?? "unknown error"})`;
};

/** Each place that a rotation replaces is empty or a file of this user. */
const checkRotated = async (options: FileLinesOptions): Promise<void> => {
  for (let number = 1; number <= options.keep; number += 1) await checkReplaceable(`${options.path}.${number}`, options);
};

const rotate = async (path: string, keep: number): Promise<void> => {
  for (let number = keep; number >= 1; number -= 1) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    if (await isThere(from)) await rename(from, `${path}.${number}`);
  }
};

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
