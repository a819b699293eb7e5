// The machine as it is asked by `doctor`, and the only file of it that touches the process, other programs
// and files outside the data folder. Looks only: nothing is written, opened in a browser or copied.
import { spawn } from "node:child_process";
import { access, constants, open, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { CliContext, Environment } from "../cli/context.ts";

/** What tmux says; null where it does not answer. */
export type TmuxFacts = { readonly version: string | null; readonly setClipboard: string | null; readonly passthrough: string | null };

export type Machine = {
  readonly node: string;
  /** This process, by which others are told apart. */
  readonly process: Pick<NodeJS.Process, "pid" | "kill" | "geteuid">;
  /** Null on a system without owners. */
  readonly uid: number | null;
  /** Null when standard output is no terminal. */
  readonly size: { readonly columns: number; readonly rows: number } | null;
  /** When the program itself was put on this machine, wall milliseconds; 0 when that is not known. */
  readonly installedAt: number;
  /** Null outside tmux. */
  readonly tmux: TmuxFacts | null;
  /** Is a program of this name on the PATH? */
  hasProgram(name: string): Promise<boolean>;
  /** The text of a file, null when it cannot be read. */
  readText(path: string): Promise<string | null>;
};

/** Asks the real machine. Never throws; takes at most a second. */
export const readMachine = async ({ environment, stdout }: CliContext): Promise<Machine> => {
  const { columns, rows } = stdout as { columns?: number; rows?: number };
  return {
    node: process.versions.node,
    process,
    uid: process.geteuid?.() ?? null,
    size: stdout.isTTY === true && columns !== undefined && rows !== undefined ? { columns, rows } : null,
    installedAt: await writtenAt(),
    tmux: environment["TMUX"] ? await askTmux() : null,
    hasProgram: (name) => isOnPath(name, environment),
    readText: (path) => readRegular(path).catch(() => null),
  };
};

// A FIFO is not waited for.
const readRegular = async (path: string): Promise<string | null> => {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    return (await file.stat()).isFile() ? await file.readFile("utf8") : null;
  } finally {
    await file.close();
  }
};

const writtenAt = async (): Promise<number> => {
  try {
    return (await stat(new URL(import.meta.url))).mtimeMs;
  } catch {
    return 0;
  }
};

const askTmux = async (): Promise<TmuxFacts> => {
  const [version, setClipboard, passthrough] = await Promise.all([output("tmux", ["-V"]), output("tmux", ["show-options", "-sv", "set-clipboard"]), output("tmux", ["show-options", "-gwv", "allow-passthrough"])]);
  return { version, setClipboard, passthrough };
};

const patienceMs = 1000;

/** The first line a program prints; null when it fails, is missing or hangs. */
const output = (command: string, args: readonly string[]): Promise<string | null> =>
  new Promise((resolve) => {
    let text = "";
    const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "ignore"], timeout: patienceMs, killSignal: "SIGKILL" });
    child.on("error", () => resolve(null));
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString("utf8").slice(0, 1000);
    });
    child.on("close", (code) => resolve(code === 0 && text.trim() !== "" ? (text.trim().split("\n")[0] ?? null) : null));
  });

const isOnPath = async (name: string, environment: Environment): Promise<boolean> => {
  const folders = (environment["PATH"] ?? environment["Path"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = await Promise.all(folders.map((folder) => access(join(folder, name), constants.X_OK).then(() => true, () => false)));
  return found.includes(true);
};
