// Names this process, and knows whether another one still lives. A pid alone does neither: it is reused after a
// crash, means something else in a container, and survives a reboot inside a lock file.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** What one process has and no other that ever wrote to a shared folder. */
export type ProcessMark = {
  readonly pid: number;
  /** Linux: random per boot. Null where the system has none. */
  readonly bootId: string | null;
  /** Linux: clock ticks from boot to the start of the process. */
  readonly startTime: string | null;
  readonly host: string;
  /** Linux: the pid namespace; two containers on one machine count their pids apart. */
  readonly space: string | null;
};

/** This process, and a look at others by pid (only meaningful for the same host and namespace). */
export type Processes = {
  readonly self: ProcessMark;
  /** The user whose files may be trusted; null on a system without owners (Windows): then nothing is checked. */
  readonly uid: number | null;
  look(pid: number): { readonly alive: boolean; readonly startTime: string | null };
};

/** What is asked of Node's `process`, which the caller hands in. */
export type ThisProcess = Pick<NodeJS.Process, "pid" | "kill" | "geteuid">;

/** The machine's own processes, seen from `me` (Node's `process`). Reads `/proc` where there is one; never throws. */
export const createSystemProcesses = (me: ThisProcess): Processes => ({
  uid: me.geteuid?.() ?? null,
  self: {
    pid: me.pid,
    bootId: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    startTime: statOf(me.pid)?.startTime ?? null,
    host: hostname(),
    space: attempt(() => readlinkSync("/proc/self/ns/pid")),
  },
  look(pid) {
    const stat = statOf(pid);
    // A zombie answers signals but will never write again.
    const alive = answers(pid, me) && stat?.state !== "Z" && stat?.state !== "X";
    return { alive, startTime: stat?.startTime ?? null };
  },
});

const attempt = (read: () => string): string | null => {
  try {
    return read();
  } catch {
    return null;
  }
};

/** proc_pid_stat(5): the command name may hold blanks and brackets, so count from the last `)`. */
const statOf = (pid: number): { state: string; startTime: string } | null => {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields?.[0];
  const startTime = fields?.[19];
  return state === undefined || startTime === undefined ? null : { state, startTime };
};

const answers = (pid: number, me: ThisProcess): boolean => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    me.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};
