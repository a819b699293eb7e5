// The client side, in a process of its own: kept connections that send one prepared request after the other, streams
// that are held open while the delay of each event is noted, or streams that are left one by one.
import { connect } from "node:net";
import type { Socket } from "node:net";

type To = { readonly port: number; readonly headers: readonly string[] };
export type Load = To &
  (
    | { readonly kind: "requests"; readonly connections: number; readonly seconds: number; readonly bodyBytes: number }
    | { readonly kind: "streams"; readonly connections: number; readonly seconds: number }
    | { readonly kind: "aborts"; readonly count: number; readonly upstreamPort: number }
  );
type Of<K extends Load["kind"]> = Extract<Load, { kind: K }>;

/** Times in milliseconds: of a whole request, of an event from there to here, or from leaving to the upstream's notice. */
export type LoadResult = { readonly count: number; readonly errors: number; readonly perSecond: number; readonly p50: number; readonly p99: number };

const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

const prepare = (target: string, body: string, { port, headers }: To): Buffer => {
  const fields = ["content-type: application/json", "anthropic-version: 2023-06-01", "user-agent: bench/1", ...headers];
  return Buffer.from([`POST ${target} HTTP/1.1`, `host: 127.0.0.1:${port}`, ...fields, `content-length: ${body.length}`, "", body].join("\r\n"));
};

const jsonOf = (bytes: number): string => {
  const frame = JSON.stringify({ model: "claude-bench", max_tokens: 1, messages: [{ role: "user", content: "" }] });
  return frame.replace('"content":""', `"content":"${"y".repeat(Math.max(0, bytes - frame.length))}"`);
};

const summary = (samples: number[], errors: number, seconds: number): LoadResult => {
  const sorted = samples.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { count: sorted.length, errors, perSecond: sorted.length / seconds, p50: at(0.5), p99: at(0.99) };
};

/** Calls `done` once for each complete answer with a Content-Length or the last chunk of a chunked one. */
const onAnswers = (socket: Socket, done: (ok: boolean) => void): void => {
  let buffered = "";
  socket.on("data", (bytes) => {
    buffered += bytes.toString("latin1");
    const end = buffered.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = buffered.slice(0, end);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    const last = length === undefined ? buffered.indexOf("0\r\n\r\n", end + 4) + 5 : end + 4 + Number(length);
    if (buffered.length < last || last < end + 4) return;
    buffered = buffered.slice(last);
    done(head.startsWith("HTTP/1.1 200"));
  });
};

/** In a pause between two turns an engine gives memory back, and takes it again at the beginning of the next: not counted. */
const startSeconds = 0.5;
/** For the answers that are under way at the end of a turn. */
const patienceSeconds = 10;

const runRequests = async (load: Of<"requests">): Promise<LoadResult> => {
  const request = prepare("/v1/messages?beta=true", jsonOf(load.bodyBytes), load);
  const samples: number[] = [];
  let errors = 0;
  const countsFrom = performance.now() + startSeconds * 1000;
  const endsAt = countsFrom + load.seconds * 1000;
  const worker = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(load.port, "127.0.0.1").setNoDelay(true);
      let sentAt = 0;
      const send = (): void => {
        sentAt = performance.now();
        if (sentAt < endsAt) socket.write(request);
        else socket.destroy();
      };
      socket.once("connect", send).on("error", () => (errors += 1)).once("close", () => resolve());
      onAnswers(socket, (ok) => {
        if (!ok) errors += 1;
        else if (sentAt >= countsFrom) samples.push(performance.now() - sentAt);
        send();
      });
    });
  // An answer that never comes is an error, not a benchmark that never ends.
  const unanswered = pause(startSeconds + load.seconds + patienceSeconds).then(() => 1);
  errors += await Promise.race([Promise.all(Array.from({ length: load.connections }, worker)).then(() => 0), unanswered]);
  return summary(samples, errors, load.seconds);
};

/** Opening thousands of streams leaves garbage and late timers behind, which say nothing of the streams. */
const restSeconds = 2;

const runStreams = async (load: Of<"streams">): Promise<LoadResult> => {
  const request = prepare("/v1/messages?stream", "{}", load);
  const samples: number[] = [];
  let errors = 0;
  let measures = false;
  const open = (): { readonly socket: Socket; readonly begun: Promise<void> } => {
    const socket = connect(load.port, "127.0.0.1", () => socket.write(request));
    socket.on("error", () => (errors += 1));
    socket.on("data", (bytes) => {
      if (!measures) return;
      const now = process.hrtime.bigint();
      for (const match of bytes.toString("latin1").matchAll(/"at":"(\d+)"/g)) samples.push(Number(now - BigInt(match[1] ?? 0)) / 1e6);
    });
    return { socket, begun: new Promise((resolve) => void socket.once("data", () => resolve())) };
  };
  const streams = Array.from({ length: load.connections }, open);
  // A stream that never begins is an error below, not a benchmark that never ends.
  await Promise.race([Promise.all(streams.map(({ begun }) => begun)), pause(30)]);
  await pause(restSeconds);
  measures = true;
  process.send?.("begin");
  await pause(load.seconds);
  process.send?.("end");
  await new Promise((resolve) => void process.once("message", resolve));
  errors += streams.filter(({ socket }) => socket.destroyed).length;
  for (const { socket } of streams) socket.destroy();
  // Two events may fall out of the time at its ends.
  if (samples.length < load.connections * (load.seconds - 2)) errors += 1;
  return summary(samples, errors, load.seconds);
};

const runAborts = async (load: Of<"aborts">): Promise<LoadResult> => {
  const leftAt = new Map<string, bigint>();
  const first = Number(process.hrtime.bigint() % 1_000_000_000n) * 1000;
  for (let id = first; id < first + load.count; id += 1) {
    const socket = connect(load.port, "127.0.0.1", () => socket.write(prepare(`/v1/messages?stream&id=${id}`, "{}", load)));
    socket.on("error", () => {});
    await Promise.race([new Promise((resolve) => void socket.once("data", resolve)), pause(patienceSeconds)]);
    leftAt.set(String(id), process.hrtime.bigint());
    socket.destroy();
    await new Promise((resolve) => void setImmediate(resolve));
  }
  await pause(1);
  const closed = (await (await fetch(`http://127.0.0.1:${load.upstreamPort}/closed`)).json()) as Readonly<Record<string, string>>;
  const samples = [...leftAt].flatMap(([id, left]) => (closed[id] === undefined ? [] : [Number(BigInt(closed[id]) - left) / 1e6]));
  return summary(samples, load.count - samples.length, load.count);
};

const run = (load: Load): Promise<LoadResult> => {
  if (load.kind === "requests") return runRequests(load);
  return load.kind === "streams" ? runStreams(load) : runAborts(load);
};

process.on("message", (load: Load | "leave") => {
  if (load !== "leave") void run(load).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
