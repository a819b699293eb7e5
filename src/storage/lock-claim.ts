// One claim of a lock as the text of its file, and the question whether its holder is certainly dead.
import { parseJsonObject } from "../lib/json.ts";
import type { Processes, ProcessMark } from "./processes.ts";

/** Who claimed. `token` is random, so that no two claims are ever alike. */
export type Claim = ProcessMark & { readonly token: string; readonly released: boolean };

/** The first byte of a claim: releasing it is one write of one byte, which no reader can see by half. */
export const heldMark = "H";
export const freeMark = "F";

export const formatClaim = (mark: ProcessMark, token: string): string => `${heldMark}${JSON.stringify({ ...mark, token })}\n`;

/** Null when the text is not a whole claim (a power cut, or the middle of a write where there are no hard links). */
export const parseClaim = (text: string): Claim | null => {
  const value = parseJsonObject(text.slice(1));
  if (value === null) return null;
  const { pid, token, host, bootId, startTime, space } = value;
  if (typeof pid !== "number" || typeof token !== "string" || typeof host !== "string") return null;
  const rest = { bootId: textOrNull(bootId), startTime: textOrNull(startTime), space: textOrNull(space) };
  return { pid, token, host, ...rest, released: text.startsWith(freeMark) };
};

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);

/**
 * True when the holder cannot come back: rebooted, pid gone, or pid given to another process. Pids of
 * another machine (a home folder on NFS) or container prove nothing, so there only the heartbeat counts.
 */
export const certainlyDead = (claim: Claim, processes: Processes): boolean => {
  const { self } = processes;
  if (claim.host !== self.host) return false;
  if (claim.bootId !== null && self.bootId !== null && claim.bootId !== self.bootId) return true;
  if (claim.space !== self.space) return false;
  const { alive, startTime } = processes.look(claim.pid);
  if (!alive) return true;
  return claim.startTime !== null && startTime !== null && claim.startTime !== startTime;
};
