// Our own program as people start it: built, in a process of its own, the local key required, metering, events and the
// log on. Only the accounts and the upstream are given.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export type ProgramOptions = {
  /** Gets the data, the log and what is said on standard error. */
  readonly folder: string;
  /** Records of accounts.json by their ids. */
  readonly accounts: Readonly<Record<string, object>>;
  readonly settings: readonly string[];
  readonly args?: readonly string[];
  /** Another built checkout of this project. */
  readonly checkout?: string | undefined;
};

export type Program = { readonly child: ChildProcess; readonly pid: number; readonly port: number; readonly key: string; /** Nothing, when all is well. */ complaints(): string };

export const startProgram = async ({ folder, accounts, settings, args = [], checkout = resolve(import.meta.dirname, "../..") }: ProgramOptions): Promise<Program> => {
  const dir = join(folder, "data");
  mkdirSync(dir, { mode: 0o700 });
  writeFileSync(join(dir, "accounts.json"), JSON.stringify({ version: 1, accounts }), { mode: 0o600 });
  // As a service's: the log goes to a file, and one of its first lines says where the program listens.
  const [log, faults] = [join(folder, "log"), join(folder, "stderr")];
  const bin = join(checkout, "bin/claude-oauth-proxy.js");
  const command = [bin, "start", "--headless", "--port", "0", "--log-format", "json", "--dir", dir, ...args, ...settings.flatMap((setting) => ["--set", setting])];
  const child = spawn(process.execPath, command, { stdio: ["ignore", openSync(log, "w"), openSync(faults, "w")] });
  const complaints = (): string => readFileSync(faults, "utf8").trim();
  for (; child.exitCode === null; await pause(20)) {
    const line = readFileSync(log, "utf8").split("\n").find((text) => text.includes('"server.listening"') && text.endsWith("}"));
    if (line === undefined) continue;
    const { port } = JSON.parse(line) as { port: number };
    return { child, pid: child.pid ?? 0, port, key: readFileSync(join(dir, "key"), "utf8").trim(), complaints };
  }
  throw new Error(`the program ended before it listened: ${complaints()}`);
};
