// Another user of this machine, for tests that attack as one. Only root may become somebody else, so elsewhere (and in
// a container that maps one user only) such a test is skipped: `it.skipIf(secondUser === null)`.
import { execFileSync, spawnSync } from "node:child_process";

const uid = 65_534;

/** The uid of the other user, null where the tests cannot act as one. */
export const secondUser: number | null = process.geteuid?.() === 0 && spawnSync("true", { uid, gid: uid }).status === 0 ? uid : null;

/** Runs a line of `sh` as the second user and gives its output; throws when it fails. */
export const asSecondUser = (line: string, ...args: readonly string[]): string =>
  execFileSync("/bin/sh", ["-c", line, "sh", ...args], { uid, gid: uid, cwd: "/", encoding: "utf8", env: { PATH: "/usr/bin:/bin" } });
