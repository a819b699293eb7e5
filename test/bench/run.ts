// npm run bench: every contender in one run on one machine, in turns, so that the ratios hold even where
// the machine is noisy. All of it with several sets of processes, because two processes of one program differ by 15 %.
// Options: --seconds N (per turn), --rounds N (each contender has a turn in each), --sets N, --streams N, --only a,b.
import { fork, type ChildProcess } from "node:child_process";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nextMessage, startContenders, startUpstream, usageOf, type Contender } from "./contenders.ts";
import type { LoadOrder, LoadResult } from "./load.ts";
import { disturbance, quietest } from "./quiet.ts";
import { formatTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "1.5" },
    rounds: { type: "string", default: "4" },
    sets: { type: "string", default: "3" },
    streams: { type: "string", default: "2000" },
    only: { type: "string", default: "requests,single,streams" },
  },
});
const [seconds, rounds, sets, streams] = [Number(values.seconds), Number(values.rounds), Number(values.sets), Number(values.streams)];

const warmUpSeconds = 10;
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

/** All results of one measurement by the contender's name, in the order of the rounds. */
type Results<R> = Map<string, R[]>;

const add = <R>(results: Results<R>, name: string, result: R): void => void results.set(name, [...(results.get(name) ?? []), result]);

type Work = { readonly label: string; readonly connections: number; readonly bodyBytes: number; readonly results: Results<LoadResult> };

const request = async (contenders: readonly Contender[], { connections, bodyBytes, results }: Work): Promise<void> => {
  for (let round = 0; round < rounds + 1; round += 1) {
    for (const { name, port, headers } of contenders) {
      const turn = (): Promise<LoadResult> => load({ kind: "requests", port, connections, seconds: round === 0 ? warmUpSeconds : seconds, bodyBytes, headers });
      // The first round warms up: over its first 30,000 requests a program becomes half as fast again, over the next a tenth.
      if (round === 0) await turn();
      else add(results, name, await quietest(turn));
    }
  }
};

const requestRows = ({ results }: Work): readonly Row[] =>
  [...results].map(([name, all]) => {
    // Within one round the machine is the same for all; over the rounds its speed may change by a third.
    const ratio = (rival: string): string => median(all.map((result, round) => result.perSecond / (results.get(rival)?.[round]?.perSecond ?? Number.NaN))).toFixed(2);
    return {
      contender: name,
      "req/s": Math.round(median(all.map((result) => result.perSecond))),
      "× bare": ratio("bare"),
      "× httpxy": ratio("httpxy"),
      "× http-proxy": ratio("http-proxy"),
      "p50 ms": median(all.map((result) => result.p50)).toFixed(3),
      "p99 ms": median(all.map((result) => result.p99)).toFixed(2),
      errors: all.reduce((sum, result) => sum + result.errors, 0),
    };
  });

const settled = async (pid: number, baseline: number): Promise<number> => {
  const startedAt = Date.now();
  while (Date.now() - startedAt < 15_000) {
    if (!(usageOf(pid).descriptors > baseline + 32)) return Date.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Number.NaN;
};

type Held = LoadResult & { readonly cpu: number; readonly kibEach: number; readonly backMs: number };

const holdOnce = async ({ port, headers, pid }: Contender): Promise<Held> => {
  const before = usageOf(pid);
  let during = before;
  const result = await load({ kind: "streams", port, connections: streams, seconds: streamSeconds, headers }, async () => {
    during = usageOf(pid);
  });
  return { ...result, cpu: (during.cpuMs - before.cpuMs) / (streamSeconds * 10), kibEach: (during.rssKiB - before.rssKiB) / streams, backMs: await settled(pid, before.descriptors) };
};

const holdRows = (results: Results<Held>): readonly Row[] =>
  [...results].map(([contender, all]) => ({
    contender,
    events: median(all.map(({ count }) => count)),
    "p50 ms": median(all.map(({ p50 }) => p50)).toFixed(2),
    "p99 ms": median(all.map(({ p99 }) => p99)).toFixed(2),
    "p99 of each set": all.map(({ p99 }) => p99.toFixed(1)).join(", "),
    errors: all.reduce((sum, { errors }) => sum + errors, 0),
    "CPU % with opening": median(all.map(({ cpu }) => cpu)).toFixed(0),
    "KiB/stream": median(all.map(({ kibEach }) => kibEach)).toFixed(0),
    "descriptors back after ms": Math.max(...all.map(({ backMs }) => backMs)),
  }));

const wanted = (values.only ?? "").split(",");
const work = (label: string, connections: number, bodyBytes: number): Work => ({ label, connections, bodyBytes, results: new Map() });
const works = [
  ...(wanted.includes("requests") ? [work("JSON POST of 1 KiB, 64 connections", 64, 1024), work("JSON POST of 85 KB, 64 connections", 64, 85_000)] : []),
  ...(wanted.includes("single") ? [work("JSON POST of 1 KiB, one connection", 1, 1024)] : []),
];
const held: Results<Held> = new Map();

const withContenders = async (upstreamPort: number, measure: (contenders: readonly Contender[]) => Promise<void>): Promise<void> => {
  const contenders = await startContenders(upstreamPort);
  try {
    await measure(contenders);
  } finally {
    for (const contender of contenders) contender.stop();
  }
};

// Streams have processes of their own: memory taken for requests would serve them as well, and a rival that does not
// leave the upstream when its client has left keeps thousands of them running.
const runSet = async (upstreamPort: number): Promise<void> => {
  if (wanted.includes("streams")) {
    await withContenders(upstreamPort, async (contenders) => {
      for (const contender of contenders) add(held, contender.name, await quietest(() => holdOnce(contender)));
    });
  }
  if (works.length === 0) return;
  await withContenders(upstreamPort, async (contenders) => {
    for (const each of works) await request(contenders, each);
  });
};

const upstream = await startUpstream();
console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, kernel ${release()}, ${sets} sets of processes\n`);
try {
  for (let set = 0; set < sets; set += 1) await runSet(upstream.port);
} finally {
  upstream.child.disconnect();
}
for (const each of works) console.log(formatTable(each.label, requestRows(each)));
if (held.size > 0) console.log(formatTable(`${streams} streams, one event a second each`, holdRows(held)));
console.log(`In the turns that count ${disturbance()}.`);
