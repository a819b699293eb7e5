// Removes temporary files that a killed process left behind: they may hold tokens.
import { join } from "node:path";
import { discard } from "./atomic-write.ts";
import type { Files } from "./files.ts";
import type { Processes } from "./processes.ts";

const temporary = /\.(\d{1,10})\.[0-9a-f]{12}\.tmp$/;
const ownLeftoverMs = 60_000;

export type SweepDeps = { readonly files: Files; readonly processes: Processes; readonly now: () => number };

/**
 * Removes the temporary files of dead processes in `dir`; those of live ones are kept. One with our own
 * pid that is a minute old is a predecessor's (in a container every start has the same pid). Never throws.
 */
export const sweepTemps = (dir: string, deps: SweepDeps): readonly string[] => {
  const removed: string[] = [];
  for (const name of namesIn(dir, deps.files)) {
    const pid = Number(temporary.exec(name)?.[1] ?? "0");
    if (pid === 0 || !leftover(join(dir, name), pid, deps)) continue;
    discard(join(dir, name), deps.files);
    removed.push(name);
  }
  return removed;
};

const namesIn = (dir: string, files: Files): readonly string[] => {
  try {
    return files.readdirSync(dir);
  } catch {
    return [];
  }
};

const leftover = (path: string, pid: number, { files, processes, now }: SweepDeps): boolean => {
  if (pid !== processes.self.pid) return !processes.look(pid).alive;
  try {
    return now() - files.lstatSync(path).mtimeMs > ownLeftoverMs;
  } catch {
    return false;
  }
};
