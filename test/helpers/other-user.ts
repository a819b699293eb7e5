// Another user of this machine, as a process of theirs: only root may start one.
import { execFile } from "node:child_process";

/** The traditional `nobody`. */
const id = 65_534;

/** False where this process may not become another user: `describe.skipIf(!hasOtherUser)` says so in the report. */
export const hasOtherUser = process.getuid?.() === 0;

/** What `command` prints when that user runs it, whatever its exit code is. */
export const asOtherUser = (command: string, ...args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const options = { uid: id, gid: id, cwd: "/", env: { PATH: "/usr/bin:/bin" }, timeout: 30_000, maxBuffer: 16 * 1024 * 1024 };
    execFile(command, args, options, (_error, out, err) => resolve(out + err));
  });

/** The command lines of every process, as that user sees them. */
export const commandLinesSeenByOther = (): Promise<string> => asOtherUser("sh", "-c", "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $file; echo; done 2>/dev/null");
