// The real built program in its own process: three accounts, the local key required, events recorded, and
// the log in a file as a service's would be. Its resources are sampled every second.
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { usageOf } from "../processes.ts";
import type { UpstreamHello } from "./upstream.ts";

export type Sample = { readonly at: number; readonly rssKiB: number; readonly descriptors: number };

export type Program = {
  readonly pid: number;
  readonly port: number;
  readonly key: string;
  readonly record: string;
  readonly samples: readonly Sample[];
  now(): Sample;
  /** What it said on standard error: nothing, when all is well. */
  complaints(): string;
  metrics(): Promise<string>;
  /** Sends SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  kill(): void;
};

export const drainSeconds = 10;

const settings = [
  "oauth.refreshLeadSeconds=30",
  "oauth.refreshMandatorySeconds=10",
  "oauth.sweepSeconds=2",
  "upstream.headersTimeoutMs=3000",
  "upstream.silenceSeconds=5",
  `server.drainSeconds=${drainSeconds}`,
];

const bin = join(import.meta.dirname, "../../../bin/claude-oauth-proxy.js");

const firstLine = async (file: string, isGone: () => boolean): Promise<number> => {
  while (!isGone()) {
    const line = readFileSync(file, "utf8").split("\n").find((text) => text.includes('"server.listening"') && text.endsWith("}"));
    if (line !== undefined) return (JSON.parse(line) as { port: number }).port;
    await pause(20);
  }
  throw new Error("the program ended before it listened");
};

/** `folder` gets the data, the log and the recording. */
export const startProgram = async (folder: string, upstream: UpstreamHello): Promise<Program> => {
  const dir = join(folder, "data");
  mkdirSync(dir, { mode: 0o700 });
  const accounts = join(dir, "accounts.json");
  writeFileSync(accounts, JSON.stringify({ version: 1, accounts: upstream.accounts }), { mode: 0o600 });
  chmodSync(accounts, 0o600);
  const [log, faults, record] = [join(folder, "log"), join(folder, "stderr"), join(folder, "events.ndjson")];
  const set = [...Object.entries(upstream.settings).map(([key, value]) => `${key}=${value}`), ...settings].flatMap((setting) => ["--set", setting]);
  const child = spawn(process.execPath, [bin, "start", "--headless", "--port", "0", "--log-format", "json", "--record", record, "--dir", dir, ...set], {
    stdio: ["ignore", openSync(log, "w"), openSync(faults, "w")],
  });
  const exited = new Promise<number | null>((resolve) => void child.once("exit", resolve));
  const port = await firstLine(log, () => child.exitCode !== null);
  const pid = child.pid ?? 0;
  const key = readFileSync(join(dir, "key"), "utf8").trim();
  const samples: Sample[] = [];
  const now = (): Sample => ({ at: Date.now(), ...usageOf(pid) });
  const sampling = setInterval(() => samples.push(now()), 1000);
  void exited.then(() => clearInterval(sampling));
  return {
    pid,
    port,
    key,
    record,
    samples,
    now,
    complaints: () => readFileSync(faults, "utf8").trim(),
    metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text(),
    terminate() {
      child.kill("SIGTERM");
      return exited;
    },
    kill: () => void child.kill("SIGKILL"),
  };
};

/** KiB a second as a straight line through the samples. */
export const slope = (samples: readonly Sample[]): number => {
  const mean = (pick: (sample: Sample) => number): number => samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [x, y] = [mean(({ at }) => at), mean(({ rssKiB }) => rssKiB)];
  const across = samples.reduce((sum, { at }) => sum + (at - x) ** 2, 0);
  return (samples.reduce((sum, { at, rssKiB }) => sum + (at - x) * (rssKiB - y), 0) / across) * 1000;
};

export const medianRss = (samples: readonly Sample[]): number => samples.map(({ rssKiB }) => rssKiB).toSorted((left, right) => left - right)[Math.floor(samples.length / 2)] ?? Number.NaN;
