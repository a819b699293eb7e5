// proxy.json: which proxies of this data folder run, so that every command finds them. The newest one is the object
// itself, further ones are its `others`: a reader that knows one proxy only finds the newest, and none is lost. Writers
// take turns by a lock. What a killed process left behind is known by its pid and start time, and goes with the next write.
import { join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import { isObject, own, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Random } from "../lib/random.ts";
import { isoTime } from "../lib/units.ts";
import { writeAtomic } from "./atomic-write.ts";
import { createFileLock } from "./file-lock.ts";
import { codeOf, unwritable } from "./files.ts";
import type { Files } from "./files.ts";
import { certainlyDead } from "./lock-tickets.ts";
import { dataFiles } from "./paths.ts";
import { readPrivate, realFile } from "./private-file.ts";
import type { PrivateFileDeps } from "./private-file.ts";
import type { ProcessMark, Processes } from "./processes.ts";

/** One proxy that runs. */
export type ProxyEntry = {
  readonly mark: ProcessMark;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** `http://HOST:PORT` for a client on this machine. */
  readonly url: string;
  readonly version: string;
  /** It was started for one command and ends with it (`run`): nothing else may depend on it. */
  readonly forOneCommand: boolean;
};

export type ProxyFileDeps = PrivateFileDeps & { readonly dir: string; readonly clock: Clock; readonly random: Random; readonly processes: Processes };

export type ProxyFile = {
  /** A proxy of this process listens now, one for each `ProxyFile`. Throws `store-…`; the proxy serves all the same. */
  add(entry: Omit<ProxyEntry, "mark" | "startedAt">): Promise<void>;
  /** It listens no more. Throws `store-…`. */
  remove(): Promise<void>;
};

const lockWaitMs = 1000;

/** proxy.json of `dir`, for the process that `processes` names. */
export const createProxyFile = (deps: ProxyFileDeps): ProxyFile => {
  const { clock, files, random, processes } = deps;
  const paths = dataFiles(deps.dir);
  const lock = createFileLock(join(paths.locks, "proxy"), { clock, files, random, processes });
  const { self } = processes;
  let added: ProxyEntry | null = null;
  const change = async (next: ProxyEntry | null): Promise<void> => {
    // A lock that hangs must neither keep a proxy from starting nor from ending.
    const handle = await lock.acquire({ timeoutMs: lockWaitMs }).catch(() => null);
    try {
      const isAdded = ({ mark, url }: ProxyEntry): boolean => url === added?.url && mark.pid === self.pid && mark.host === self.host && mark.space === self.space;
      const others = readProxies(deps.dir, deps).filter((entry) => !isAdded(entry));
      write(next === null ? others : [next, ...others]);
      added = next;
    } finally {
      handle?.release();
    }
  };
  const write = (entries: readonly ProxyEntry[]): void => {
    const [newest, ...others] = inOrder(entries).slice(0, mostEntries);
    const target = realFile(paths.proxy, deps);
    if (newest === undefined) return removeFile(target, files);
    const content = { ...fieldsOf(newest), ...(others.length === 0 ? {} : { others: others.map(fieldsOf) }) };
    writeAtomic(target, `${JSON.stringify(content, null, 2)}\n`, { files, random, pid: self.pid });
  };
  return {
    add: (entry) => change({ ...entry, mark: self, startedAt: isoTime(clock.now()) ?? "" }),
    remove: async () => (added === null ? undefined : change(null)),
  };
};

const mostEntries = 32;

const removeFile = (path: string, files: Files): void => {
  try {
    files.unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unwritable(path, error);
  }
};

// One that ends with its command comes behind those that stay.
const inOrder = (entries: readonly ProxyEntry[]): readonly ProxyEntry[] =>
  entries.toSorted((a, b) => Number(a.forOneCommand) - Number(b.forOneCommand) || b.startedAt.localeCompare(a.startedAt));

const fieldsOf = ({ mark, startedAt, url, version, forOneCommand }: ProxyEntry): JsonObject => ({
  pid: mark.pid,
  started_at: startedAt,
  url,
  version,
  ...(forOneCommand ? { for_one_command: true } : {}),
  process: { host: mark.host, boot_id: mark.bootId, start_time: mark.startTime, space: mark.space },
});

export type ReadProxiesDeps = PrivateFileDeps & { readonly processes: Processes };

/**
 * The proxies of `dir` that may still live, the newest first; what cannot be read as an entry is none. Throws
 * `store-unreadable` for a file that must not be trusted.
 */
export const readProxies = (dir: string, deps: ReadProxiesDeps): readonly ProxyEntry[] => {
  const found = readPrivate(dataFiles(dir).proxy, deps);
  const newest = found === null ? null : parseJsonObject(found.bytes.toString("utf8"));
  if (newest === null) return [];
  const others = own(newest, "others");
  const all = [newest, ...(Array.isArray(others) ? (others as readonly unknown[]) : [])].slice(0, mostEntries);
  return all.flatMap((value) => entryOf(value) ?? []).filter(({ mark }) => !certainlyDead(mark, deps.processes));
};

const entryOf = (value: unknown): ProxyEntry | null => {
  if (!isObject(value)) return null;
  const { pid, started_at: startedAt, url, version, process: named } = value;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0 || !isObject(named)) return null;
  if (typeof startedAt !== "string" || typeof url !== "string" || typeof version !== "string" || !isPlainOrigin(url)) return null;
  const { host, boot_id: bootId, start_time: startTime, space } = named;
  if (typeof host !== "string") return null;
  const mark = { pid, host, bootId: textOrNull(bootId), startTime: textOrNull(startTime), space: textOrNull(space) };
  return { mark, startedAt, url, version, forOneCommand: value["for_one_command"] === true };
};

const isPlainOrigin = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === "http:" && new URL(url).origin === url;

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
