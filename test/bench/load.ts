// The client side, in a process of its own: keep-alive connections over raw sockets that send one
// prepared request after the other, or hold streams open and measure how late each event arrives.
import { connect, type Socket } from "node:net";

export type LoadOrder =
  | { readonly kind: "requests"; readonly port: number; readonly connections: number; readonly seconds: number; readonly bodyBytes: number; readonly headers: readonly string[] }
  | { readonly kind: "streams"; readonly port: number; readonly connections: number; readonly seconds: number; readonly headers: readonly string[] };

export type LoadResult = { readonly count: number; readonly errors: number; readonly perSecond: number; readonly p50: number; readonly p99: number; readonly max: number };

const prepare = (target: string, body: string, { port, headers }: LoadOrder): Buffer =>
  Buffer.from(
    [
      `POST ${target} HTTP/1.1`,
      `host: 127.0.0.1:${port}`,
      "content-type: application/json",
      "anthropic-version: 2023-06-01",
      "user-agent: bench/1",
      ...headers,
      `content-length: ${body.length}`,
      "",
      body,
    ].join("\r\n"),
  );

const jsonOf = (bytes: number): string => {
  const frame = JSON.stringify({ model: "claude-bench", max_tokens: 1, messages: [{ role: "user", content: "" }] });
  return frame.replace('"content":""', `"content":"${"y".repeat(Math.max(0, bytes - frame.length))}"`);
};

const summary = (samples: number[], errors: number, seconds: number): LoadResult => {
  const sorted = samples.sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, errors, perSecond: sorted.length / seconds, p50: at(0.5), p99: at(0.99), max: at(1) };
};

/** Calls `done` once per complete answer with a Content-Length or the last chunk of a chunked one. */
const onAnswers = (socket: Socket, done: (ok: boolean) => void): void => {
  let buffered = "";
  socket.on("data", (bytes) => {
    buffered += bytes.toString("latin1");
    for (;;) {
      const end = buffered.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = buffered.slice(0, end);
      const length = /content-length: *(\d+)/i.exec(head)?.[1];
      const last = length === undefined ? buffered.indexOf("0\r\n\r\n", end + 4) + 5 : end + 4 + Number(length);
      if (buffered.length < last || last < end + 4) return;
      buffered = buffered.slice(last);
      done(head.startsWith("HTTP/1.1 200"));
    }
  });
};

/** In a pause between two turns an engine gives memory back, and takes it again at the beginning of the next: not counted. */
const startSeconds = 0.5;
/** For the answers that are under way at the end of a turn. */
const patienceSeconds = 10;

const runRequests = async (order: LoadOrder & { kind: "requests" }): Promise<LoadResult> => {
  const request = prepare("/v1/messages?beta=true", jsonOf(order.bodyBytes), order);
  const samples: number[] = [];
  let errors = 0;
  let running = true;
  const countsFrom = performance.now() + startSeconds * 1000;
  const worker = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(order.port, "127.0.0.1").setNoDelay(true);
      let sentAt = 0;
      const send = (): void => {
        if (!running) return void socket.destroy();
        sentAt = performance.now();
        socket.write(request);
      };
      socket.once("connect", send);
      socket.on("error", () => (errors += 1));
      socket.once("close", () => resolve());
      onAnswers(socket, (ok) => {
        if (!ok) errors += 1;
        else if (sentAt >= countsFrom) samples.push(performance.now() - sentAt);
        send();
      });
    });
  const workers = Array.from({ length: order.connections }, worker);
  setTimeout(() => (running = false), (startSeconds + order.seconds) * 1000);
  // An answer that never comes is an error, not a benchmark that never ends.
  const unanswered = new Promise<number>((resolve) => void setTimeout(() => resolve(1), (startSeconds + order.seconds + patienceSeconds) * 1000));
  errors += await Promise.race([Promise.all(workers).then(() => 0), unanswered]);
  return summary(samples, errors, order.seconds);
};

/** Opening thousands of streams leaves garbage and late timers behind, which say nothing of the streams. */
const settleSeconds = 2;

const runStreams = async (order: LoadOrder & { kind: "streams" }): Promise<LoadResult> => {
  const request = prepare("/v1/messages?stream", "{}", order);
  const samples: number[] = [];
  let errors = 0;
  let opened = 0;
  let measures = false;
  const { promise: ready, resolve: allOpen } = Promise.withResolvers<void>();
  const sockets = Array.from({ length: order.connections }, () => {
    const socket = connect(order.port, "127.0.0.1");
    socket.once("connect", () => socket.write(request));
    socket.on("error", () => (errors += 1));
    socket.once("data", () => {
      opened += 1;
      if (opened === order.connections) allOpen();
    });
    socket.on("data", (bytes) => {
      if (!measures) return;
      const now = process.hrtime.bigint();
      for (const match of bytes.toString("latin1").matchAll(/"at":"(\d+)"/g)) samples.push(Number(now - BigInt(match[1] ?? 0)) / 1e6);
    });
    return socket;
  });
  // A stream that never opens is an error below, not a benchmark that never ends.
  const patience = setTimeout(allOpen, 30_000);
  await ready;
  clearTimeout(patience);
  await new Promise((resolve) => setTimeout(resolve, settleSeconds * 1000));
  measures = true;
  await new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
  process.send?.({ measured: true });
  await new Promise((resolve) => process.once("message", resolve));
  errors += sockets.filter((socket) => socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  return summary(samples, errors, order.seconds);
};

process.on("message", (order: LoadOrder | "leave") => {
  if (order === "leave") return;
  const work = order.kind === "requests" ? runRequests(order) : runStreams(order);
  void work.then((result) => process.send?.({ result }));
});
process.on("disconnect", () => process.exit(0));
