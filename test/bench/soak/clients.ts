// All clients, in a process of their own: streams that are held, the mixed load, the burst. Each request and its end is
// one line of a file; an end that was not expected is an end like any other, and is judged afterwards.
// PORT, KEY and FILE are in the environment.
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { createWriteStream } from "node:fs";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { kindHeader } from "./kinds.ts";
import type { End, Kind } from "./kinds.ts";

/** `id` is sent as the session id, by which the proxy's own record of the request is found again. */
export type Sent = { readonly id: string; readonly kind: string; end: End; endedAt: number };

export type ClientsOrder =
  /** Opens `count` streams of each kind; replies when all have begun, then when all have ended. */
  | { readonly act: "hold"; readonly kinds: readonly Kind[]; readonly count: number }
  /** Those that are held and have not ended are left. */
  | { readonly act: "leave" }
  | { readonly act: "mix"; readonly kinds: readonly Kind[]; readonly workers: number; readonly seconds: number; readonly atMost: number }
  | { readonly act: "close" };

export type ClientsReply =
  | { readonly reply: "begun" }
  | { readonly reply: "ended"; readonly sent: number; readonly p99GapMs: number; readonly ends: readonly Sent[] }
  | { readonly reply: "closed" };

const { PORT: port = "", KEY: key = "", FILE: path = "" } = process.env;
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const file = createWriteStream(path);
let leaving = new AbortController();

const reply = (message: ClientsReply): void => void process.send?.(message);

const bodyOf = ({ stream = false }: Kind): string =>
  JSON.stringify({ model: "claude-sonnet-4-6", max_tokens: 512, stream, messages: [{ role: "user", content: `Say something. ${"x".repeat(Math.floor(Math.random() * 4000))}` }] });

type Watch = { readonly onBegin?: () => void; readonly onGap?: (ms: number) => void; readonly leave?: AbortSignal };

/** Resolves when the request has ended, one way or the other. */
const send = (kind: Kind, watch: Watch = {}): Promise<Sent> =>
  new Promise((resolve) => {
    const sent: Sent = { id: randomUUID(), kind: kind.name, end: "none", endedAt: 0 };
    const body = bodyOf(kind);
    const fields = { authorization: `Bearer ${key}`, "content-type": "application/json", "user-agent": "soak/1", "x-claude-code-session-id": sent.id, [kindHeader]: kind.name };
    const outgoing = request({ host: "127.0.0.1", port, agent, path: kind.path ?? "/v1/messages?beta=true", method: "POST", headers: { ...fields, "content-length": Buffer.byteLength(body) } });
    const ended = (end: End): void => {
      if (sent.endedAt > 0) return;
      Object.assign(sent, { end, endedAt: Date.now() });
      file.write(`${JSON.stringify(sent)}\n`);
      resolve(sent);
    };
    const leave = (): void => {
      ended("left");
      outgoing.destroy();
    };
    watch.leave?.addEventListener("abort", leave, { once: true });
    outgoing.on("error", () => ended("none"));
    outgoing.on("close", () => watch.leave?.removeEventListener("abort", leave));
    outgoing.once("response", (response) => void read(response, kind, watch).then(ended));
    if (kind.cutsUpload === true) return void outgoing.write(body.slice(0, body.length / 2), () => void setTimeout(leave, 50));
    outgoing.end(body, () => {
      if (kind.leavesWithinMs === undefined) return;
      const timer = setTimeout(leave, Math.random() * kind.leavesWithinMs);
      outgoing.once("close", () => clearTimeout(timer));
    });
  });

const read = async (response: IncomingMessage, kind: Kind, { onBegin = () => {}, onGap = () => {} }: Watch): Promise<End> => {
  onBegin();
  let before = performance.now();
  try {
    for await (const _ of response) {
      const now = performance.now();
      onGap(now - before);
      before = now;
      if (kind.readsEveryMs !== undefined) await pause(kind.readsEveryMs);
    }
  } catch {
    // `complete` says it.
  }
  return `${response.statusCode} ${response.complete ? "whole" : "broken"}`;
};

const hold = async (kinds: readonly Kind[], count: number): Promise<void> => {
  leaving = new AbortController();
  // Node warns of more than ten listeners, which is a leak elsewhere.
  setMaxListeners(0, leaving.signal);
  const gaps: number[] = [];
  let begun = 0;
  const onBegin = (): void => {
    begun += 1;
    if (begun === kinds.length * count) reply({ reply: "begun" });
  };
  const open: Promise<Sent>[] = [];
  for (let at = 0; at < count; at += 1) {
    for (const kind of kinds) open.push(send(kind, { onGap: (ms) => gaps.push(ms), leave: leaving.signal, onBegin }));
    // 500 new streams a second: the listener's queue is not the subject here.
    if (at % 25 === 24) await pause(50 * kinds.length);
  }
  const ends = await Promise.all(open);
  reply({ reply: "ended", sent: ends.length, p99GapMs: gaps.toSorted((left, right) => left - right)[Math.floor(gaps.length * 0.99)] ?? 0, ends });
};

/** One of the kinds, by their weights. */
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
      await send(draw(kinds, total));
      await pause(Math.random() * 200);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  // The clients are gone, and their idle connections with them.
  agent.destroy();
  reply({ reply: "ended", sent: count, p99GapMs: 0, ends: [] });
};

process.on("message", (order: ClientsOrder) => {
  if (order.act === "hold") void hold(order.kinds, order.count);
  else if (order.act === "mix") void mix(order);
  else {
    if (order.act === "leave") leaving.abort();
    else file.end(() => reply({ reply: "closed" }));
    agent.destroy();
  }
});
process.on("disconnect", () => process.exit(0));
