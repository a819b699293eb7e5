// history.json: the timeline and counters of every process of this data folder, written now and then and
// at the end. Never holds up or breaks anything: a failure to save is one notice.
import { join } from "node:path";
import type { Clock, Timer } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { AppError } from "../messages/errors.ts";
import type { Event } from "../messages/events.ts";
import { createOpenUsage } from "../messages/usage.ts";
import { refreshFactOf } from "../messages/refresh-fact.ts";
import { writeAtomic } from "./atomic-write.ts";
import type { WriteDeps } from "./atomic-write.ts";
import { createFileLock } from "./file-lock.ts";
import { discard, onceEach, systemFiles } from "./files.ts";
import type { Files, OnNotice } from "./files.ts";
import { emptyHistory, foldHistory, formatHistory, isKept, mergeHistory, parseHistory } from "./history.ts";
import type { History } from "./history.ts";
import { dataFiles } from "./paths.ts";
import { readPrivate, realFile } from "./private-file.ts";
import type { PrivateFileDeps } from "./private-file.ts";
import type { Processes } from "./processes.ts";

export type HistoryFileDeps = {
  readonly dir: string;
  readonly clock: Clock;
  /** `createSystemProcesses(process)`. */
  readonly processes: Processes;
  readonly onNotice: OnNotice;
  readonly files?: Files;
  readonly random?: Random;
};

/** No method throws. */
export type HistoryFile = {
  /** Reads the file; what is recorded later is added to it. */
  load(): History;
  /** Takes what is kept from an event (subscribe this to the bus) and saves it a little later. */
  record(event: Event): void;
  /** What was loaded or last saved, and everything since. */
  snapshot(): History;
  /** Saves what is not saved yet: call it before the process ends. */
  flush(): Promise<void>;
};

// A line of the timeline is worth a prompt write, a counter is not.
const recordDelayMs = 2_000;
const counterDelayMs = 60_000;
const lockWaitMs = 2_000;

type Context = PrivateFileDeps & WriteDeps & { readonly path: string };

/** The history of `dir`, shared with other processes by adding to what is in the file. */
export const createHistoryFile = (deps: HistoryFileDeps): HistoryFile => {
  const { dir, clock, processes, files = systemFiles, random = systemRandom } = deps;
  const onNotice = onceEach(deps.onNotice);
  const { pid } = processes.self;
  const context: Context = { path: dataFiles(dir).history, files, uid: processes.uid, onNotice, random, pid };
  const lock = createFileLock(join(dataFiles(dir).locks, "history"), { clock, files, random, processes });
  const usage = createOpenUsage();
  let base = emptyHistory;
  let fresh = emptyHistory;

  const save = async (): Promise<void> => {
    if (fresh === emptyHistory) return;
    const handle = await lock.acquire({ timeoutMs: lockWaitMs });
    try {
      base = mergeHistory(readHistory(context), fresh);
      writeAtomic(realFile(context.path, context), formatHistory(base), context);
      fresh = emptyHistory;
    } finally {
      handle.release();
    }
  };
  const saver = createSaver(clock, () => save().catch((error: unknown) => onNotice(unsaved(context.path, error))));

  return {
    load: () => (base = attempt(() => readHistory(context), emptyHistory)),
    snapshot: () => mergeHistory(base, fresh),
    flush: () => saver.now(),
    record(event) {
      if (!isKept(event)) return;
      fresh = foldHistory(fresh, [event], { pid, usage });
      saver.within(refreshFactOf(event) === null ? counterDelayMs : recordDelayMs);
    },
  };
};

const attempt = <T>(work: () => T, otherwise: T): T => {
  try {
    return work();
  } catch {
    return otherwise;
  }
};

/** A file that is not a history is put out of the way, once, rather than overwritten. */
const readHistory = (context: Context): History => {
  const { path, files, onNotice } = context;
  const found = readPrivate(path, context);
  if (found === null) return emptyHistory;
  const history = parseHistory(found.bytes.toString("utf8"));
  if (history !== null) return history;
  const aside = `${path}.broken`;
  discard(aside, files);
  files.renameSync(realFile(path, context), aside);
  const message = `${path} is not a history of this version; it was moved to ${aside}`;
  onNotice({ level: "warning", code: "moved-aside", message, hint: null });
  return emptyHistory;
};

const unsaved = (path: string, error: unknown) => {
  const known = error instanceof AppError ? error : undefined;
  return { level: "warning", code: "history-unsaved", message: known?.message ?? `cannot write ${path}`, hint: known?.hint ?? null } as const;
};

/** One save at a time, at the earliest of the times asked for. */
const createSaver = (clock: Clock, save: () => Promise<void>) => {
  let timer: Timer | null = null;
  let dueAt = Number.POSITIVE_INFINITY;
  let running: Promise<void> = Promise.resolve();
  const now = (): Promise<void> => {
    timer?.cancel();
    dueAt = Number.POSITIVE_INFINITY;
    return (running = running.then(save));
  };
  return {
    now,
    within(ms: number): void {
      const wanted = clock.monotonic() + ms;
      if (wanted >= dueAt) return;
      timer?.cancel();
      dueAt = wanted;
      timer = clock.setTimeout(() => void now(), ms);
    },
  };
};
