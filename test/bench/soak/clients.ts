// All clients, in a process of their own: streams that are held, the mixed load, the burst. Each request
// and its end becomes one line of a file.
import { setMaxListeners } from "node:events";
import { createWriteStream } from "node:fs";
import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { send, type Sent, type Target } from "./client.ts";
import type { Kind } from "./kinds.ts";

export type ClientsOrder =
  | { readonly act: "open"; readonly port: number; readonly key: string; readonly file: string }
  /** Opens `count` streams of each kind; tells when all have begun, then when all have ended. */
  | { readonly act: "hold"; readonly kinds: readonly Kind[]; readonly count: number }
  | { readonly act: "leave" }
  | { readonly act: "mix"; readonly kinds: readonly Kind[]; readonly workers: number; readonly seconds: number; readonly atMost: number }
  | { readonly act: "close" };

export type ClientsNews =
  | { readonly news: "begun" }
  | { readonly news: "ended"; readonly sent: number; readonly p99GapMs: number; readonly ends: readonly (readonly [string, string, number])[] }
  | { readonly news: "closed" };

const tell = (news: ClientsNews): void => void process.send?.(news);

let target: Target = { port: 0, key: "", agent: new Agent() };
let file = createWriteStream("/dev/null");
let leaving = new AbortController();

const note = (sent: Sent): Sent => {
  file.write(`${JSON.stringify(sent)}\n`);
  return sent;
};

const summary = (all: readonly Sent[], gaps: number[]): ClientsNews => {
  const sorted = gaps.toSorted((left, right) => left - right);
  return { news: "ended", sent: all.length, p99GapMs: sorted[Math.floor(sorted.length * 0.99)] ?? 0, ends: all.map(({ kind, end, endedAt }) => [kind, end, endedAt] as const) };
};

const hold = async (kinds: readonly Kind[], count: number): Promise<void> => {
  leaving = new AbortController();
  // Node warns of more than ten listeners, which is a leak elsewhere.
  setMaxListeners(0, leaving.signal);
  const gaps: number[] = [];
  let begun = 0;
  const onBegin = (): void => {
    begun += 1;
    if (begun === kinds.length * count) tell({ news: "begun" });
  };
  const open: Promise<Sent>[] = [];
  for (let at = 0; at < count; at += 1) {
    for (const kind of kinds) open.push(send(kind, target, { onGap: (ms) => gaps.push(ms), leave: leaving.signal, onBegin }).then(note));
    // 500 new streams a second: the listener's queue is not the subject here.
    if (at % 25 === 24) await pause(50 * kinds.length);
  }
  tell(summary(await Promise.all(open), gaps));
};

const draw = (kinds: readonly Kind[], total: number): Kind => {
  let left = Math.random() * total;
  return kinds.find(({ weight }) => (left -= weight) < 0) ?? (kinds[0] as Kind);
};

const mix = async ({ kinds, workers, seconds, atMost }: Extract<ClientsOrder, { act: "mix" }>): Promise<void> => {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  const until = Date.now() + seconds * 1000;
  let count = 0;
  const worker = async (): Promise<void> => {
    while (Date.now() < until && count < atMost) {
      count += 1;
      note(await send(draw(kinds, total), target));
      await pause(Math.random() * 200);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  // The clients are gone, and their idle connections with them.
  target.agent.destroy();
  tell({ news: "ended", sent: count, p99GapMs: 0, ends: [] });
};

process.on("message", (order: ClientsOrder) => {
  if (order.act === "open") {
    target = { port: order.port, key: order.key, agent: new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }) };
    file = createWriteStream(order.file);
  } else if (order.act === "hold") void hold(order.kinds, order.count);
  else if (order.act === "leave") {
    leaving.abort();
    target.agent.destroy();
  } else if (order.act === "mix") void mix(order);
  else {
    target.agent.destroy();
    file.end(() => tell({ news: "closed" }));
  }
});
process.on("disconnect", () => process.exit(0));
