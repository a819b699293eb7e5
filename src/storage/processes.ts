// Names this process, and knows whether another one still lives and which end of a connection it holds. A pid alone
// tells neither: it is reused after a crash, means something else in a container, and survives a reboot inside a file.
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { endianness, hostname } from "node:os";

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

const attempt = <T>(read: () => T): T | null => {
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

/** A TCP connection of this process, as `net.Socket` names its ends. */
export type ConnectionEnds = { readonly localAddress: string; readonly localPort: number; readonly remoteAddress: string; readonly remotePort: number };

/**
 * Linux: does the process `pid` hold the other end of this connection? Null where the system does not say: no `/proc`,
 * a process of another user, an end that is in another network namespace. Never throws.
 */
export const holdsOtherEnd = (pid: number, ends: ConnectionEnds): boolean | null => {
  const inode = attempt(() => inodeOfOtherEnd(ends));
  const open = inode === null ? null : attempt(() => readdirSync(`/proc/${pid}/fd`));
  return open === null ? null : open.some((fd) => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === `socket:[${inode}]`);
};

// proc_net_tcp: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`; an end that no process has
// accepted yet, or that is closed, has inode 0.
const inodeOfOtherEnd = ({ localAddress, localPort, remoteAddress, remotePort }: ConnectionEnds): string | null => {
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const wanted = ` ${endIn(table, remoteAddress, remotePort)} ${endIn(table, localAddress, localPort)} `;
    const line = attempt(() => readFileSync(table, "latin1"))?.split("\n").find((each) => each.includes(wanted));
    const inode = line?.trim().split(/\s+/)[9];
    if (inode !== undefined && inode !== "0") return inode;
  }
  return null;
};

// Each 32-bit word of the address as the machine's own number. A dual-stack listener has its IPv4 ends in tcp6.
const endIn = (table: string, address: string, port: number): string => {
  const short = bytesOf(address);
  const bytes = table.endsWith("6") && short.length === 4 ? Buffer.concat([Buffer.from("00000000000000000000ffff", "hex"), short]) : Buffer.from(short);
  const text = (endianness() === "LE" ? bytes.swap32() : bytes).toString("hex");
  return `${text}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
};

const bytesOf = (address: string): Buffer => {
  const dotted = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!dotted.includes(":")) return Buffer.from(dotted.split(".").map(Number));
  const [before = [], after = []] = dotted.split("::").map((half) => half.split(":").filter((word) => word !== ""));
  const words = [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0"), ...after];
  return Buffer.from(words.map((word) => word.padStart(4, "0")).join(""), "hex");
};
