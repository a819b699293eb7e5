// What a run measures, in turns: every contender has one in each round, because within a round the machine is the same
// for all, while its speed changes by a third over a run. All of it with several sets of processes: two processes of one
// program differ by 15 %.
import { setTimeout as pause } from "node:timers/promises";
import type { LoadResult } from "./load.ts";
import { runLoad, usageOf, withContenders } from "./processes.ts";
import type { Contenders, Server } from "./processes.ts";
import { quietest } from "./quiet.ts";

export type Plan = {
  /** Of one turn. */
  readonly seconds: number;
  readonly rounds: number;
  readonly sets: number;
  /** Over its first 30,000 requests a program becomes half as fast again, over the next a tenth. */
  readonly warmUpSeconds: number;
  readonly streams: number;
  readonly holdSeconds: number;
  readonly aborts: number;
  /** Of a turn that the host disturbs. */
  readonly mostTries: number;
};

export type StreamsResult = LoadResult & { readonly cpuMs: number; readonly kibEach: number; readonly descriptorsBackMs: number };

/** The results of one measurement by the contender's name, in the order of the rounds. */
export type Results<R> = Map<string, R[]>;

export type Measured = {
  readonly small: Results<LoadResult>;
  readonly large: Results<LoadResult>;
  readonly single: Results<LoadResult>;
  readonly streams: Results<StreamsResult>;
  readonly aborts: Results<LoadResult>;
};

export const nothingMeasured = (): Measured => ({ small: new Map(), large: new Map(), single: new Map(), streams: new Map(), aborts: new Map() });

const works = { small: { connections: 64, bodyBytes: 1024 }, large: { connections: 64, bodyBytes: 85_000 }, single: { connections: 1, bodyBytes: 1024 } } as const;

const add = <R>(results: Results<R>, name: string, result: R): void => void results.set(name, [...(results.get(name) ?? []), result]);

const patienceMs = 15_000;
/** Idle upstream connections and the like. */
const spareDescriptors = 32;

const descriptorsBack = async (pid: number, baseline: number): Promise<number> => {
  const startedAt = performance.now();
  while (performance.now() - startedAt < patienceMs) {
    if (!(usageOf(pid).descriptors > baseline + spareDescriptors)) return performance.now() - startedAt;
    await pause(20);
  }
  return Number.NaN;
};

const holdStreams = async ({ port, headers, pid }: Server, { streams, holdSeconds }: Plan): Promise<StreamsResult> => {
  // Code that was never used before is compiled at its first use, and is no cost of a stream.
  await runLoad({ kind: "requests", port, headers, connections: 8, seconds: 1, bodyBytes: 1024 });
  await pause(1000);
  const before = usageOf(pid);
  let [begin, end] = [before, before];
  const result = await runLoad({ kind: "streams", port, headers, connections: streams, seconds: holdSeconds }, { onBegin: () => (begin = usageOf(pid)), onEnd: () => (end = usageOf(pid)) });
  return { ...result, cpuMs: end.cpuMs - begin.cpuMs, kibEach: (end.rssKiB - before.rssKiB) / streams, descriptorsBackMs: await descriptorsBack(pid, before.descriptors) };
};

const measureRequests = async (servers: readonly Server[], plan: Plan, work: keyof typeof works, results: Results<LoadResult>): Promise<void> => {
  const turn = ({ port, headers }: Server, seconds: number) => runLoad({ kind: "requests", port, headers, seconds, ...works[work] });
  for (const server of servers) await turn(server, plan.warmUpSeconds);
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const server of servers) add(results, server.name, await quietest(plan.mostTries, () => turn(server, plan.seconds)));
  }
};

/** Adds one set after the other to `measured`. `only` names the measurements that are wanted. */
export const measure = async (contenders: Contenders, plan: Plan, only: readonly string[], measured: Measured): Promise<void> => {
  const { upstream, direct } = contenders;
  const withDirect = (servers: readonly Server[]): readonly Server[] => (direct ? [upstream, ...servers] : servers);
  for (let set = 0; set < plan.sets; set += 1) {
    // Streams have processes of their own: memory taken for requests would serve them as well.
    if (only.includes("streams")) {
      await withContenders(contenders, async (servers) => {
        for (const server of withDirect(servers)) add(measured.streams, server.name, await quietest(plan.mostTries, () => holdStreams(server, plan)));
      });
    }
    await withContenders(contenders, async (servers) => {
      const all = withDirect(servers);
      for (const name of ["small", "large", "single"] as const) {
        if (only.includes(name)) await measureRequests(all, plan, name, measured[name]);
      }
      if (!only.includes("aborts")) return;
      for (const { name, port, headers } of all) {
        add(measured.aborts, name, await quietest(plan.mostTries, () => runLoad({ kind: "aborts", port, headers, count: plan.aborts, upstreamPort: upstream.port })));
      }
    });
  }
};
