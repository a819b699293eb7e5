// npm run soak -- --minutes N --streams N: the real program under load for a long time.
// First `--streams` (2000) streams at once, one event a second each, for `--hold` (60) seconds; then `--minutes`
// (10) of mixed traffic by `--workers` (64) clients at once with random faults, clients that leave and slow
// readers, at most `--requests` (200,000); then a SIGTERM into the middle of a second burst of streams.
// The upstream, the program and the clients are processes of their own on loopback. Every request is accounted
// for: what its client saw, what the program recorded (`--record`) and what /metrics counts must agree. Memory
// and descriptors are read from /proc, so this needs Linux; 2000 streams need `ulimit -n` of 8192.
// Prints one table (a whole run writes it to RESULTS.md); exits with 1 and a sentence for each thing that does not
// add up (then the files stay).
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { median, table } from "./figures.ts";
import { nextMessage, usageOf } from "./processes.ts";
import type { Usage } from "./processes.ts";
import { startProgram } from "./program.ts";
import type { Program } from "./program.ts";
import { circumstances, writeSection } from "./results.ts";
import type { ClientsOrder, ClientsReply } from "./soak/clients.ts";
import { holding, mixed } from "./soak/kinds.ts";
import { compare, metricSum, readRecording } from "./soak/recording.ts";
import type { UpstreamHello, UpstreamOrder, UpstreamState } from "./soak/upstream.ts";

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

const drainSeconds = 10;
const settings = [
  "oauth.refreshLeadSeconds=30", "oauth.refreshMandatorySeconds=10", "oauth.sweepSeconds=2",
  "upstream.headersTimeoutMs=3000", "upstream.silenceSeconds=5", `server.drainSeconds=${drainSeconds}`,
];

const heldWhole = holding("held", Math.round(holdSeconds * 0.9), ["200 whole"]);
const heldLeft = holding("held, leaves", holdSeconds * 3, ["left"]);
const burstShort = holding("burst, short", Math.round(drainSeconds * 0.6), ["200 whole"]);
const burstLong = holding("burst, long", drainSeconds * 5, ["200 broken"]);
const isWhole = process.argv.length === 2;
const kinds = [...mixed, heldWhole, heldLeft, burstShort, burstLong];

const faults: string[] = [];
let mixedRequests = 0;
const rows: Record<string, string>[] = [];
/** One line of the table; a sentence where `holds` is false. */
const row = (what: string, value: string | number, demanded = "", holds = true): void => {
  rows.push({ what, value: String(value), demanded });
  if (!holds) faults.push(`${what}: ${value}, demanded ${demanded}`);
};

const folder = mkdtempSync(join(tmpdir(), "soak-"));
const [clientsFile, recordFile] = [join(folder, "clients.ndjson"), join(folder, "events.ndjson")];
const children: ChildProcess[] = [];
const start = (file: string, environment: Readonly<Record<string, string>> = {}): ChildProcess => {
  const child = fork(join(import.meta.dirname, "soak", file), [], { env: { ...process.env, ...environment } });
  children.push(child);
  return child;
};

type Clients = {
  order(order: ClientsOrder): void;
  /** The next reply, which must be of that sort. */
  reply<R extends ClientsReply["reply"]>(wanted: R, withinSeconds: number): Promise<Extract<ClientsReply, { reply: R }>>;
};

const startClients = ({ port, key }: Program): Clients => {
  const child = start("clients.ts", { PORT: String(port), KEY: key, FILE: clientsFile });
  return {
    order: (order) => void child.send(order),
    async reply(wanted, withinSeconds) {
      const came = await Promise.race([nextMessage<ClientsReply>(child), pause(withinSeconds * 1000, null, { ref: false })]);
      if (came?.reply === wanted) return came as Extract<ClientsReply, { reply: typeof wanted }>;
      throw new Error(`the clients should have said “${wanted}” within ${withinSeconds} s, and said ${came === null ? "nothing" : JSON.stringify(came).slice(0, 300)}`);
    },
  };
};

const metrics = async ({ port, key }: Program): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();

const upstream = start("upstream.ts");
const upstreamState = (): Promise<UpstreamState> => {
  upstream.send({ ask: "streams" } satisfies UpstreamOrder);
  return nextMessage<UpstreamState>(upstream);
};

/**
 * Waits until the descriptors are back and no stream is open upstream. Idle upstream connections are counted apart: the
 * program keeps those of answers that ended regularly for up to 55 s, to use them again.
 */
const waitForDescriptors = async (program: Program, baseline: number): Promise<void> => {
  const startedAt = Date.now();
  for (;;) {
    const [{ descriptors }, { streams: open, connections }] = [usageOf(program.pid), await upstreamState()];
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

const holdStreams = async ({ order, reply }: Clients, program: Program, before: Usage): Promise<void> => {
  order({ act: "hold", kinds: [heldWhole, heldLeft], count: Math.ceil(streams / 2) });
  await reply("begun", 60);
  const all = reply("ended", holdSeconds + 60);
  await pause((holdSeconds / 2) * 1000);
  const during = usageOf(program.pid);
  await pause((holdSeconds / 2) * 1000);
  order({ act: "leave" });
  const { sent, p99GapMs } = await all;
  const each = (during.rssKiB - before.rssKiB) / streams;
  row("streams at once", sent);
  row("p99 between two events of 1 s, ms", p99GapMs.toFixed(0));
  row("KiB a stream", each.toFixed(0), streams >= 1000 ? "≤ 80" : "", streams < 1000 || each <= 80);
  row("descriptors before, during", `${before.descriptors}, ${during.descriptors}`);
  await waitForDescriptors(program, before.descriptors);
};

const mixTraffic = async ({ order, reply }: Clients, program: Program, before: Usage): Promise<void> => {
  const samples: { readonly at: number; readonly rssKiB: number }[] = [];
  const startedAt = Date.now();
  const sampling = setInterval(() => samples.push({ at: Date.now() - startedAt, rssKiB: usageOf(program.pid).rssKiB }), 1000);
  order({ act: "mix", kinds: mixed, workers, seconds: minutes * 60, atMost });
  const { sent } = await reply("ended", minutes * 60 + 60);
  clearInterval(sampling);
  mixedRequests = sent;
  // The collector runs twice a minute: below five minutes the growth of its spaces says nothing of a leak.
  const isJudged = minutes >= 5;
  const warmUpMs = isJudged ? Math.max(180_000, minutes * 18_000) : minutes * 18_000;
  const after = samples.filter(({ at }) => at > warmUpMs).map(({ rssKiB }) => rssKiB / 1024);
  const thirds = [median(after.slice(0, after.length / 3)), median(after.slice((after.length * 2) / 3))] as const;
  const growth = thirds[1] - thirds[0];
  row("mixed requests", sent);
  row("RSS after warm-up, first and last third, MiB", thirds.map((rss) => rss.toFixed(1)).join(", "));
  row("RSS growth between the thirds, MiB", growth.toFixed(1), isJudged ? "≤ 16" : "(too short to judge)", !isJudged || growth <= 16);
  await waitForDescriptors(program, before.descriptors);
};

const checkMetrics = async (program: Program, sent: number): Promise<void> => {
  const text = await metrics(program);
  const counted = metricSum(text, "requests_total") + metricSum(text, "rejected_total");
  const inFlight = metricSum(text, "in_flight");
  row("counted by /metrics before the burst", counted, String(sent), counted === sent);
  row("in flight by /metrics", inFlight, "0", inFlight === 0);
};

const isRefused = (program: Program): Promise<boolean> => metrics(program).then(() => false, () => true);

const drain = async ({ order, reply }: Clients, program: Program): Promise<void> => {
  order({ act: "hold", kinds: [burstShort, burstLong], count: Math.max(10, Math.ceil(streams / 10)) });
  await reply("begun", 60);
  const all = reply("ended", drainSeconds + 60);
  await pause(1000);
  const stoppedAt = Date.now();
  const exit = new Promise<number | null>((resolve) => void program.child.once("exit", resolve));
  program.child.kill("SIGTERM");
  await pause(500);
  const refused = await isRefused(program);
  const { ends } = await all;
  const code = await Promise.race([exit, pause(15_000, "none")]);
  const tookMs = Date.now() - stoppedAt;
  const cut = ends.filter(({ end }) => end !== "200 whole");
  const early = cut.filter(({ endedAt }) => endedAt < stoppedAt + drainSeconds * 1000 - 100);
  row("streams open at SIGTERM", ends.length);
  row("… cut before the drain time", early.length, "0", early.length === 0);
  row("… first cut after ms", Math.min(...cut.map(({ endedAt }) => endedAt - stoppedAt)));
  row("new connections while draining", refused ? "refused" : "let in", "refused", refused);
  row("exit code, after ms", `${code}, ${tookMs}`, `143, ≤ ${drainSeconds * 1000 + 3000}`, code === 143 && tookMs <= drainSeconds * 1000 + 3000);
};

const list = (counts: Readonly<Record<string, number>>): string => Object.entries(counts).toSorted(([, left], [, right]) => right - left).map(([name, count]) => `${name} ${count}`).join(", ");

const compareRecords = async (program: Program): Promise<void> => {
  const recording = await readRecording(recordFile);
  const { sent, ends, differences } = await compare(clientsFile, kinds, recording);
  const { received, finished, rejected } = recording;
  const all = [...recording.differences, ...differences];
  faults.push(...all);
  row("sent = received = finished + rejected", `${sent}, ${received}, ${finished} + ${rejected}`, "equal", sent === received && sent === finished + rejected);
  row("ends for the clients", list(ends));
  row("outcomes for the program", list(recording.outcomes));
  row("requests upstream, refreshes", `${(await upstreamState()).requests}, ${list(recording.refreshes)}`);
  row("notices", list(recording.notices) || "none");
  row("differences between the two", all.length, "0");
  row("said on standard error", program.complaints().slice(0, 300) || "nothing", "nothing", program.complaints() === "");
};

const run = async (): Promise<void> => {
  upstream.send({ kinds } satisfies UpstreamOrder);
  const hello = await nextMessage<UpstreamHello>(upstream);
  const all = [...Object.entries(hello.settings).map(([key, value]) => `${key}=${value}`), ...settings];
  const program = await startProgram({ folder, accounts: hello.accounts, settings: all, args: ["--record", recordFile] });
  try {
    const clients = startClients(program);
    await metrics(program);
    const before = usageOf(program.pid);
    await holdStreams(clients, program, before);
    await mixTraffic(clients, program, before);
    await checkMetrics(program, Math.ceil(streams / 2) * 2 + mixedRequests);
    await drain(clients, program);
    clients.order({ act: "close" });
    await clients.reply("closed", 30);
    await compareRecords(program);
  } finally {
    program.child.kill("SIGKILL");
  }
};

try {
  await run();
} catch (error) {
  faults.push(error instanceof Error ? error.message : String(error));
}
for (const child of children) if (child.connected) child.disconnect();
const text = `${circumstances()}\n\n${table(`${streams} streams for ${holdSeconds} s, ${minutes} min of mixed traffic, a stop in the middle of a burst`, rows)}`;
console.log(text);
if (isWhole && faults.length === 0) writeSection("soak", text);
for (const fault of faults) console.error(`does not add up: ${fault}`);
if (faults.length > 0) console.error(`(what was recorded: ${folder})`);
else rmSync(folder, { recursive: true, force: true });
process.exitCode = faults.length > 0 ? 1 : 0;
