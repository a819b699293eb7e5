// What a command needs to find the proxy that runs and to talk to it: the local key, and the proxies that this data
// folder knows. Nothing of a proxy is loaded for it, and no account is read.
import { systemRandom } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import { systemFiles } from "../storage/files.ts";
import type { StorageNotice } from "../storage/files.ts";
import { loadLocalKey } from "../storage/local-key.ts";
import { dataFiles } from "../storage/paths.ts";
import { ensurePrivateFolder } from "../storage/private-folder.ts";
import { createSystemProcesses, holdsOtherEnd } from "../storage/processes.ts";
import type { ConnectionEnds, ThisProcess } from "../storage/processes.ts";
import { readProxies } from "../storage/proxy-file.ts";
import type { ReadProxiesDeps } from "../storage/proxy-file.ts";

export type OpenKey = {
  readonly key: Secret;
  /** Those that may still live, the newest first. */
  readonly proxies: readonly KnownProxy[];
};

/** A proxy that has written down where it listens. */
export type KnownProxy = {
  readonly pid: number;
  readonly url: string;
  /** It ends with the command it was started for. */
  readonly forOneCommand: boolean;
  /** Does its process hold the other end of this connection? Null where the system does not say. */
  holdsOtherEnd(ends: ConnectionEnds): boolean | null;
};

export type OpenKeyOptions = { readonly dir: string; readonly process: ThisProcess; readonly publish: Publish };

/** Makes folder and key when they are missing. Throws `store-…`. */
export const openKey = ({ dir, process, publish }: OpenKeyOptions): OpenKey => {
  const processes = createSystemProcesses(process);
  const onNotice = (notice: StorageNotice): void => publish({ type: "notice", ...notice });
  const deps = { files: systemFiles, uid: processes.uid, onNotice, processes };
  ensurePrivateFolder(dir, deps);
  return { key: loadLocalKey(dataFiles(dir).key, { ...deps, random: systemRandom }), proxies: knownProxies(dir, deps) };
};

/** What proxy.json says. Throws `store-unreadable` for a file that must not be trusted. */
export const knownProxies = (dir: string, deps: ReadProxiesDeps): readonly KnownProxy[] => {
  const { self } = deps.processes;
  return readProxies(dir, deps).map(({ mark, url, forOneCommand }) => ({
    pid: mark.pid,
    url,
    forOneCommand,
    // The pids of another machine or container mean other processes here.
    holdsOtherEnd: (ends) => (mark.host === self.host && mark.space === self.space ? holdsOtherEnd(mark.pid, ends) : null),
  }));
};
