// The processes of a run: one upstream, the contenders, the client that loads them; and what /proc says of one.
import { fork, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Load, LoadResult } from "./load.ts";

const here = import.meta.dirname;

/** The next message of `child`; rejects when it ends first. */
export const nextMessage = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message as T);
    });
  });

/** `headers` are what a client has to send; `pid` is the process that does the work. */
export type Server = { readonly name: string; readonly port: number; readonly headers: readonly string[]; readonly pid: number; stop(): void };

const startServer = async (name: string, file: string, environment: Readonly<Record<string, string>>): Promise<Server> => {
  const child = fork(join(here, file), [], { env: { ...process.env, NODE_NO_WARNINGS: "1", ...environment } });
  const { port, headers = [], pid = child.pid ?? 0 } = await nextMessage<{ port: number; headers?: string[]; pid?: number }>(child);
  return { name, port, headers, pid, stop: () => child.disconnect() };
};

export const startUpstream = (): Promise<Server> => startServer("direct", "upstream.ts", {});

const isInstalled = (name: string): boolean => {
  if (name === "nginx") return spawnSync("nginx", ["-v"]).status === 0;
  return !["httpxy", "http-proxy"].includes(name) || existsSync(join(here, "../../node_modules", name));
};

export type Contenders = {
  readonly names: readonly string[];
  readonly upstream: Server;
  /** The upstream itself is a contender too. */
  readonly direct: boolean;
  /** Another built checkout of this project, measured as `other`. */
  readonly other: string | null;
};

/** Starts those that this machine has, hands them to `use` and stops them. */
export const withContenders = async ({ names, upstream, other }: Contenders, use: (servers: readonly Server[]) => Promise<void>): Promise<void> => {
  const servers: Server[] = [];
  try {
    for (const name of other === null ? names : [...names, "other"]) {
      const environment = { UPSTREAM_PORT: String(upstream.port), ...(name === "other" ? { CHECKOUT: other ?? "" } : {}) };
      if (isInstalled(name)) servers.push(await startServer(name, `contenders/${name === "other" ? "claude-oauth-proxy" : name}.ts`, environment));
    }
    await use(servers);
  } finally {
    for (const server of servers) server.stop();
  }
};

export const missing = (names: readonly string[]): readonly string[] => names.filter((name) => !isInstalled(name));

/** Runs one load in a client process of its own. A load of streams is held until both moments were looked at. */
export const runLoad = async (load: Load, { onBegin = () => {}, onEnd = () => {} }: { onBegin?: () => void; onEnd?: () => void } = {}): Promise<LoadResult> => {
  const child = fork(join(here, "load.ts"));
  child.send(load);
  if (load.kind === "streams") {
    await nextMessage(child);
    onBegin();
    await nextMessage(child);
    onEnd();
    child.send("leave");
  }
  const result = await nextMessage<LoadResult>(child);
  child.disconnect();
  return result;
};

export type Usage = { readonly rssKiB: number; readonly descriptors: number; readonly cpuMs: number };

/** Resident memory, open descriptors and processor time of a process, from /proc; not numbers where there is none. */
export const usageOf = (pid: number): Usage => {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13) ?? [];
    return {
      rssKiB: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      cpuMs: (Number(user) + Number(system)) * 10,
    };
  } catch {
    return { rssKiB: Number.NaN, descriptors: Number.NaN, cpuMs: Number.NaN };
  }
};
