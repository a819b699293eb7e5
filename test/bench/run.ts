// npm run bench: every contender in one run on one machine, in turns, so that the ratios hold even where
// the machine is noisy. Options: --seconds N (per turn), --rounds N (each contender has a turn in each), --streams N, --only a,b.
import { fork, type ChildProcess } from "node:child_process";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nextMessage, startContenders, startUpstream, usageOf, type Contender } from "./contenders.ts";
import type { LoadOrder, LoadResult } from "./load.ts";
import { formatTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "1.5" },
    rounds: { type: "string", default: "9" },
    streams: { type: "string", default: "2000" },
    only: { type: "string", default: "requests,single,streams" },
  },
});
const [seconds, rounds, streams] = [Number(values.seconds), Number(values.rounds), Number(values.streams)];

const warmUpSeconds = 6;
const streamSeconds = 12;

const load = async (order: LoadOrder, meanwhile?: (child: ChildProcess) => Promise<void>): Promise<LoadResult> => {
  const child = fork(join(import.meta.dirname, "load.ts"));
  child.send(order);
  if (meanwhile !== undefined) {
    await nextMessage(child);
    await meanwhile(child);
    child.send("leave");
  }
  const { result } = await nextMessage<{ result: LoadResult }>(child);
  child.disconnect();
  return result;
};

const median = (samples: readonly number[]): number => samples.toSorted((left, right) => left - right)[Math.floor(samples.length / 2)] ?? Number.NaN;

type Row = Record<string, string | number>;

const requests = async (contenders: readonly Contender[], connections: number, bodyBytes: number): Promise<readonly Row[]> => {
  const results = new Map<string, LoadResult[]>();
  for (let round = 0; round < rounds + 1; round += 1) {
    for (const { name, port, headers } of contenders) {
      const result = await load({ kind: "requests", port, connections, seconds: round === 0 ? warmUpSeconds : seconds, bodyBytes, headers });
      // The first round warms up: over its first 30,000 requests a program becomes half as fast again.
      if (round > 0) results.set(name, [...(results.get(name) ?? []), result]);
    }
  }
  const rate = (name: string): number => median((results.get(name) ?? []).map((result) => result.perSecond));
  return contenders.map(({ name }) => {
    const all = results.get(name) ?? [];
    // Within one round the machine is the same for all; over the rounds its speed may change by a third.
    const ratio = (rival: string): string => median(all.map((result, round) => result.perSecond / (results.get(rival)?.[round]?.perSecond ?? Number.NaN))).toFixed(2);
    return {
      contender: name,
      "req/s": Math.round(rate(name)),
      "× bare": ratio("bare"),
      "p50 ms": median(all.map((result) => result.p50)).toFixed(3),
      "p99 ms": median(all.map((result) => result.p99)).toFixed(2),
      errors: all.reduce((sum, result) => sum + result.errors, 0),
    };
  });
};

const settled = async (pid: number, baseline: number): Promise<number> => {
  const startedAt = Date.now();
  while (Date.now() - startedAt < 15_000) {
    if (!(usageOf(pid).descriptors > baseline + 32)) return Date.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Number.NaN;
};

const holdStreams = async ({ name, port, headers, pid }: Contender): Promise<Row> => {
  const before = usageOf(pid);
  let during = before;
  const result = await load({ kind: "streams", port, connections: streams, seconds: streamSeconds, headers }, async () => {
    during = usageOf(pid);
  });
  const back = await settled(pid, before.descriptors);
  return {
    contender: name,
    events: result.count,
    "p50 ms": result.p50.toFixed(2),
    "p99 ms": result.p99.toFixed(2),
    errors: result.errors,
    "CPU % with opening": ((during.cpuMs - before.cpuMs) / (streamSeconds * 10)).toFixed(0),
    "KiB/stream": ((during.rssKiB - before.rssKiB) / streams).toFixed(0),
    "descriptors back after ms": back,
  };
};

const upstream = await startUpstream();
const contenders = await startContenders(upstream.port);
const wanted = (values.only ?? "").split(",");
console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, kernel ${release()}\n`);
try {
  if (wanted.includes("requests")) {
    for (const [label, bytes] of [["1 KiB", 1024], ["85 KB", 85_000]] as const) {
      console.log(formatTable(`JSON POST of ${label}, 64 connections`, await requests(contenders, 64, bytes)));
    }
  }
  if (wanted.includes("single")) console.log(formatTable("JSON POST of 1 KiB, one connection", await requests(contenders, 1, 1024)));
  if (wanted.includes("streams")) {
    const rows: Row[] = [];
    for (const contender of contenders) rows.push(await holdStreams(contender));
    console.log(formatTable(`${streams} streams, one event a second each`, rows));
  }
} finally {
  for (const contender of contenders) contender.stop();
  upstream.child.disconnect();
}
