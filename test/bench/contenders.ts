// Starts and ends the processes of a run: one upstream, and one contender at a time per measurement.
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Contender = { readonly name: string; readonly port: number; readonly headers: readonly string[]; readonly pid: number; stop(): void };

type Hello = { readonly port: number; readonly headers?: readonly string[]; readonly pid?: number };

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

const start = async (file: string, environment: Record<string, string>): Promise<{ child: ChildProcess; hello: Hello }> => {
  const child = fork(join(here, file), [], { env: { ...process.env, ...environment } });
  return { child, hello: await nextMessage<Hello>(child) };
};

export const startUpstream = async (): Promise<{ port: number; child: ChildProcess }> => {
  const { child, hello } = await start("upstream.ts", {});
  return { port: hello.port, child };
};

const installed = (name: string): boolean => {
  if (name === "nginx") return spawnSync("nginx", ["-v"]).status === 0;
  return !["httpxy", "http-proxy"].includes(name) || existsSync(join(here, "../../node_modules", name));
};

const names = ["nginx", "bare", "claude-oauth-proxy", "httpxy", "http-proxy"];

/** Every contender this machine has, already listening; says which are left out. */
export const startContenders = async (upstreamPort: number): Promise<readonly Contender[]> => {
  const contenders: Contender[] = [{ name: "direct", port: upstreamPort, headers: [], pid: 0, stop: () => {} }];
  for (const name of names) {
    if (!installed(name)) {
      console.log(`(left out: ${name} is not installed here)`);
      continue;
    }
    const { child, hello } = await start(`rivals/${name}.ts`, { UPSTREAM_PORT: String(upstreamPort) });
    contenders.push({ name, port: hello.port, headers: hello.headers ?? [], pid: hello.pid ?? child.pid ?? 0, stop: () => child.disconnect() });
  }
  return contenders;
};

/** Resident memory and open descriptors of a process, from /proc; not a number where there is none. */
export const usageOf = (pid: number): { rssKiB: number; descriptors: number; cpuMs: number } => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13) ?? [];
    return {
      rssKiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      cpuMs: (Number(user) + Number(system)) * 10,
    };
  } catch {
    return { rssKiB: Number.NaN, descriptors: Number.NaN, cpuMs: Number.NaN };
  }
};
