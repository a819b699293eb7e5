// What the storage tests share: an account, a store in a temporary folder, a file system that fails on
// demand, and the small programs of test/fixtures as real processes.
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Account } from "../../src/accounts/account.ts";
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createAccountsFile } from "../../src/storage/accounts-file.ts";
import type { AccountsFileDeps } from "../../src/storage/accounts-file.ts";
import { systemFiles } from "../../src/storage/files.ts";
import type { Files, StorageNotice } from "../../src/storage/files.ts";
import { createSystemProcesses } from "../../src/storage/processes.ts";
import type { Processes } from "../../src/storage/processes.ts";
import { createEncryption } from "../../src/storage/encryption.ts";
import type { EncryptionDeps } from "../../src/storage/encryption.ts";
import { compiledCode } from "../helpers/global-setup.ts";
import { releaseLater } from "../helpers/leftovers.ts";

export { accountOf } from "./account-of.ts";

/**
 * An empty folder, removed with the test; in memory where there is such a place. Thousands of real syncs
 * beside other work take minutes, and what a test of killed processes asks of the disk it asks of memory too.
 */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "cop-"));
  releaseLater(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
};

export const realProcesses: Processes = createSystemProcesses(process);

export const withAccount = (account: Account) => (current: ReadonlyMap<string, Account>) => new Map(current).set(account.id, account);

/** An encryption that has no passphrase and no keyring unless `more` gives one; scrypt at a cost for tests. */
export const encryptionOf = (more: Partial<EncryptionDeps> = {}) =>
  createEncryption({
    mode: "none",
    isGiven: true,
    random: systemRandom,
    cost: 1024,
    passphrase: async () => null,
    keyring: async () => {
      throw new Error("no keyring in this test");
    },
    ...more,
  });

/** The store of `dir` with the machine's clock, and every notice it gives. */
export const storeIn = (dir: string, more: Partial<AccountsFileDeps> = {}) => {
  const notices: StorageNotice[] = [];
  const onNotice = (notice: StorageNotice): void => void notices.push(notice);
  const store = createAccountsFile({ dir, clock: createSystemClock(), processes: realProcesses, encryption: encryptionOf(), onNotice, ...more });
  return { store, notices };
};

export const systemError = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });

type Call = { readonly name: keyof Files; readonly args: readonly unknown[]; readonly count: number };

/** The real file system with `before` in front of every call: what it throws is what the caller gets. */
export const filesWith = (before: (call: Call) => void): Files => {
  let count = 0;
  const wrap = (name: keyof Files) => {
    const real = systemFiles[name] as (...args: unknown[]) => unknown;
    return (...args: unknown[]) => {
      count += 1;
      before({ name, args, count });
      return real(...args);
    };
  };
  const names = [
    "chmodSync", "closeSync", "fchmodSync", "fstatSync", "fsyncSync", "ftruncateSync", "futimesSync", "linkSync", "lstatSync", "mkdirSync",
    "openSync", "readFileSync", "readdirSync", "realpathSync", "renameSync", "statSync", "unlinkSync", "writeSync",
  ] as const satisfies readonly (keyof Files)[];
  return Object.fromEntries(names.map((name) => [name, wrap(name)])) as Files;
};

const fixtures = resolve(import.meta.dirname, "../fixtures");

export type Fixture = {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly pid: number;
  /** The next line on stdout; rejects when the program ends before. */
  line(): Promise<string>;
  /** Everything it said, and how it ended. */
  readonly ended: Promise<{ readonly lines: readonly string[]; readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
};

/** Runs `test/fixtures/<name>.ts`; stderr is the test runner's, so a crash is seen. Killed with the test. */
export const runFixture = (name: string, ...args: readonly (string | number)[]): Fixture => {
  const child = spawn(process.execPath, [join(fixtures, `${name}.ts`), ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
    // Starting a process costs 50 ms with compiled code at hand and 150 ms without.
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", ...compiledCode() },
  });
  const release = releaseLater(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const waiting: { read: number; wake: (() => void)[]; over: boolean } = { read: 0, wake: [], over: false };
  const wake = (): void => waiting.wake.splice(0).forEach((resume) => resume());
  let rest = "";
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  const ended = new Promise<Awaited<Fixture["ended"]>>((done) => {
    child.once("close", (code, signal) => {
      waiting.over = true;
      wake();
      release();
      done({ lines, code, signal });
    });
  });
  const line = async (): Promise<string> => {
    while (waiting.read >= lines.length) {
      if (waiting.over) throw new Error(`${name} ended after: ${lines.join(" | ")}`);
      await new Promise<void>((resume) => waiting.wake.push(resume));
    }
    waiting.read += 1;
    return lines[waiting.read - 1] ?? "";
  };
  return { child, pid: child.pid ?? 0, line, ended };
};
