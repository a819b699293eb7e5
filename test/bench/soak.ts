// npm run soak -- --minutes N --streams N: the real program under load for a long time, and the books after it.
// First `--streams` (2000) streams at once, one event a second each, for `--hold` (60) seconds; then `--minutes`
// (10) of mixed traffic by `--workers` (64) clients at once with random faults, clients that leave and slow
// readers, at most `--requests` (200,000); then a SIGTERM into the middle of a second burst of streams.
// The upstream, the program and the clients are processes of their own on loopback. Every request is accounted
// for: what its client saw, what the program recorded (`--record`) and what /metrics counts must agree. Memory
// and descriptors are read from /proc, so this needs Linux; 2000 streams need `ulimit -n` of 8192.
// Prints one table; exits with 1 and one sentence for each thing that does not add up (then the files stay).
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { nextMessage } from "./processes.ts";
import type { ClientsNews, ClientsOrder } from "./soak/clients.ts";
import { holding, mixed } from "./soak/kinds.ts";
import { compare, metricSum, readRecording } from "./soak/ledger.ts";
import { drainSeconds, medianRss, slope, startProgram, type Program, type Sample } from "./soak/program.ts";
import type { UpstreamHello, UpstreamOrder, UpstreamState } from "./soak/upstream.ts";
import { table } from "./figures.ts";
import { circumstances, writeSection } from "./results.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    streams: { type: "string", default: "2000" },
    hold: { type: "string", default: "60" },
    workers: { type: "string", default: "64" },
    requests: { type: "string", default: "200000" },
  },
});
const [minutes, streams, holdSeconds, workers, atMost] = [Number(values.minutes), Number(values.streams), Number(values.hold), Number(values.workers), Number(values.requests)];

const heldWhole = holding("held", Math.round(holdSeconds * 0.9), ["200 whole"]);
const heldLeft = holding("held, leaves", holdSeconds * 3, ["left"]);
const burstShort = holding("burst, short", Math.round(drainSeconds * 0.6), ["200 whole"]);
const burstLong = holding("burst, long", drainSeconds * 5, ["200 broken"]);
const isWhole = process.argv.length === 2;
const kinds = [...mixed, heldWhole, heldLeft, burstShort, burstLong];

const faults: string[] = [];
const rows: Record<string, string>[] = [];
/** One line of the table; a sentence where `holds` is false. */
const row = (what: string, value: string | number, demanded = "", holds = true): void => {
  rows.push({ what, value: String(value), demanded });
  if (!holds) faults.push(`${what}: ${value}, demanded ${demanded}`);
};

const folder = mkdtempSync(join(tmpdir(), "soak-"));
const children: ChildProcess[] = [];
const child = (file: string): ChildProcess => {
  const started = fork(join(import.meta.dirname, "soak", file));
  children.push(started);
  return started;
};

type Ended = Extract<ClientsNews, { news: "ended" }>;

/** The next news of the clients, which must be of that sort. */
const news = async <N extends ClientsNews["news"]>(from: ChildProcess, wanted: N, withinSeconds: number): Promise<Extract<ClientsNews, { news: N }>> => {
  const came = await Promise.race([nextMessage<ClientsNews>(from), pause(withinSeconds * 1000, null, { ref: false })]);
  if (came?.news === wanted) return came as Extract<ClientsNews, { news: N }>;
  throw new Error(`the clients should have said “${wanted}” within ${withinSeconds} s, and said ${came === null ? "nothing" : JSON.stringify(came).slice(0, 300)}`);
};

const upstream = child("upstream.ts");
const clients = child("clients.ts");
const order = (wish: ClientsOrder): void => void clients.send(wish);
const upstreamState = (): Promise<UpstreamState> => {
  upstream.send({ ask: "streams" } satisfies UpstreamOrder);
  return nextMessage<UpstreamState>(upstream);
};

/**
 * Says when the descriptors are back and no stream is open upstream. Idle upstream connections are told apart: the
 * program keeps those of answers that ended regularly for up to 55 s, to use them again.
 */
const settle = async (program: Program, baseline: number): Promise<void> => {
  const startedAt = Date.now();
  for (;;) {
    const [{ descriptors }, { streams: open, connections }] = [program.now(), await upstreamState()];
    const tookMs = Date.now() - startedAt;
    if ((descriptors > baseline + 32 + connections || open > 0) && tookMs < 15_000) {
      await pause(50);
      continue;
    }
    row("… after the clients left: descriptors, idle upstream connections, streams", `${descriptors}, ${connections}, ${open}`);
    row("… back within ms", tookMs, "≤ 5000", tookMs <= 5000);
    return;
  }
};

const holdStreams = async (program: Program, before: Sample): Promise<void> => {
  order({ act: "hold", kinds: [heldWhole, heldLeft], count: Math.ceil(streams / 2) });
  await news(clients, "begun", 60);
  const all = news(clients, "ended", holdSeconds + 60);
  await pause((holdSeconds / 2) * 1000);
  const during = program.now();
  await pause((holdSeconds / 2) * 1000);
  order({ act: "leave" });
  const { sent, p99GapMs } = await all;
  const each = (during.rssKiB - before.rssKiB) / streams;
  row("streams at once", sent);
  row("p99 between two events of 1 s, ms", p99GapMs.toFixed(0));
  row("KiB a stream", each.toFixed(0), streams >= 1000 ? "≤ 80" : "", streams < 1000 || each <= 80);
  row("descriptors before, during", `${before.descriptors}, ${during.descriptors}`);
  await settle(program, before.descriptors);
};

const mixTraffic = async (program: Program, before: Sample): Promise<void> => {
  const startedAt = Date.now();
  order({ act: "mix", kinds: mixed, workers, seconds: minutes * 60, atMost });
  const { sent } = await news(clients, "ended", minutes * 60 + 60);
  // The collector runs twice a minute: below five minutes the growth of its spaces says nothing of a leak.
  const isJudged = minutes >= 5;
  const warmUpMs = isJudged ? Math.max(180_000, minutes * 18_000) : minutes * 18_000;
  const after = program.samples.filter(({ at }) => at > startedAt + warmUpMs);
  const thirds = [after.slice(0, after.length / 3), after.slice((after.length * 2) / 3)].map(medianRss);
  const growth = ((thirds[1] ?? 0) - (thirds[0] ?? 0)) / 1024;
  row("mixed requests", sent);
  row("RSS after warm-up, first and last third, MiB", thirds.map((rss) => (rss / 1024).toFixed(1)).join(", "));
  row("RSS slope after warm-up, MiB/h", ((slope(after) * 3600) / 1024).toFixed(0));
  row("RSS growth between the thirds, MiB", growth.toFixed(1), isJudged ? "≤ 16" : "(too short to judge)", !isJudged || growth <= 16);
  await settle(program, before.descriptors);
};

const checkMetrics = async (program: Program, sent: number): Promise<void> => {
  const text = await program.metrics();
  const counted = metricSum(text, "requests_total") + metricSum(text, "rejected_total");
  const inFlight = metricSum(text, "in_flight");
  row("counted by /metrics before the burst", counted, String(sent), counted === sent);
  row("in flight by /metrics", inFlight, "0", inFlight === 0);
};

const isRefused = (program: Program): Promise<boolean> => program.metrics().then(() => false, () => true);

const drain = async (program: Program): Promise<void> => {
  order({ act: "hold", kinds: [burstShort, burstLong], count: Math.max(10, Math.ceil(streams / 10)) });
  await news(clients, "begun", 60);
  const all: Promise<Ended> = news(clients, "ended", drainSeconds + 60);
  await pause(1000);
  const stoppedAt = Date.now();
  const exit = program.terminate();
  await pause(500);
  const refused = await isRefused(program);
  const { ends } = await all;
  const code = await Promise.race([exit, pause(15_000, "none")]);
  const tookMs = Date.now() - stoppedAt;
  const cut = ends.filter(([, end]) => end !== "200 whole");
  const early = cut.filter(([, , endedAt]) => endedAt < stoppedAt + drainSeconds * 1000 - 100);
  row("streams open at SIGTERM", ends.length);
  row("… cut before the drain time", early.length, "0", early.length === 0);
  row("… first cut after ms", Math.min(...cut.map(([, , endedAt]) => endedAt - stoppedAt)));
  row("new connections while draining", refused ? "refused" : "let in", "refused", refused);
  row("exit code, after ms", `${code}, ${tookMs}`, `143, ≤ ${drainSeconds * 1000 + 3000}`, code === 143 && tookMs <= drainSeconds * 1000 + 3000);
};

const list = (tally: Readonly<Record<string, number>>): string => Object.entries(tally).toSorted(([, left], [, right]) => right - left).map(([name, count]) => `${name} ${count}`).join(", ");

const balance = async (program: Program, file: string): Promise<void> => {
  const books = await readRecording(program.record);
  const { sent, ends, faults: differences } = await compare(file, kinds, books);
  const { requests } = await upstreamState();
  faults.push(...books.faults, ...differences);
  row("sent = received = finished + rejected", `${sent}, ${books.received}, ${books.finished} + ${books.rejected}`, "equal", sent === books.received && sent === books.finished + books.rejected);
  row("ends for the clients", list(ends));
  row("outcomes for the program", list(books.outcomes));
  row("requests upstream, refreshes", `${requests}, ${list(books.refreshes)}`);
  row("notices", list(books.notices) || "none");
  row("differences in the books", books.faults.length + differences.length, "0");
  row("said on standard error", program.complaints().slice(0, 300) || "nothing", "nothing", program.complaints() === "");
};

const run = async (): Promise<void> => {
  upstream.send({ kinds } satisfies UpstreamOrder);
  const program = await startProgram(folder, await nextMessage<UpstreamHello>(upstream));
  const file = join(folder, "clients.ndjson");
  try {
    order({ act: "open", port: program.port, key: program.key, file });
    await program.metrics();
    const before = program.now();
    await holdStreams(program, before);
    await mixTraffic(program, before);
    await checkMetrics(program, Math.ceil(streams / 2) * 2 + Number(rows.find(({ what }) => what === "mixed requests")?.["value"]));
    await drain(program);
    order({ act: "close" });
    await news(clients, "closed", 30);
    await balance(program, file);
  } finally {
    program.kill();
  }
};

try {
  await run();
} catch (error) {
  faults.push(error instanceof Error ? error.message : String(error));
}
for (const each of children) if (each.connected) each.disconnect();
const text = `${circumstances()}\n\n${table(`${streams} streams for ${holdSeconds} s, ${minutes} min of mixed traffic, a stop in the middle of a burst`, rows)}`;
console.log(text);
if (isWhole && faults.length === 0) writeSection("soak", text);
for (const fault of faults) console.error(`does not add up: ${fault}`);
if (faults.length > 0) console.error(`(what was recorded: ${folder})`);
else rmSync(folder, { recursive: true, force: true });
process.exitCode = faults.length > 0 ? 1 : 0;
