// Faults that change what an endpoint answered.
import { brotliCompressSync, constants, createBrotliCompress, createGzip, createZstdCompress, gzipSync, zstdCompressSync } from "node:zlib";
import type { Transform } from "node:stream";
import type { Fault, ReplyFault } from "./fault.ts";
import { sseEvent } from "./answer-events.ts";
import type { Reply } from "./reply.ts";

type Kind<K extends ReplyFault["kind"]> = Extract<ReplyFault, { kind: K }>;

const patched = (reply: Reply, { set = {}, omit = [] }: Kind<"json">): Reply => {
  if (reply.body.kind !== "bytes") return reply;
  const value = Object.entries({ ...(JSON.parse(reply.body.bytes.toString("utf8")) as object), ...set });
  const kept = Object.fromEntries(value.filter(([name]) => !omit.includes(name)));
  return { ...reply, body: { kind: "bytes", bytes: Buffer.from(JSON.stringify(kept)) } };
};

const broken = (reply: Reply, { type = "overloaded_error", message = "Overloaded", afterEvents = 3 }: Kind<"stream-error">): Reply => {
  if (reply.body.kind !== "events") return reply;
  const error = sseEvent({ type: "error", error: { type, message } } as { type: string });
  return { ...reply, body: { kind: "events", events: [...reply.body.events.slice(0, afterEvents), error] } };
};

const unstopped = (reply: Reply): Reply =>
  reply.body.kind === "events" ? { ...reply, body: { kind: "events", events: reply.body.events.filter((event) => !event.startsWith("event: message_stop")) } } : reply;

/** Every fault that changes the text of the answer, in the given order. */
export const changedReply = (reply: Reply, faults: readonly Fault[]): Reply =>
  faults.reduce((current, fault) => {
    if (fault.kind === "json") return patched(current, fault);
    if (fault.kind === "stream-error") return broken(current, fault);
    if (fault.kind === "no-message-stop") return unstopped(current);
    return fault.kind === "headers" ? { ...current, headers: [...current.headers, ...fault.headers] } : current;
  }, reply);

type Encoding = Kind<"encoding">["encoding"];

const whole = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;

const encoders: Readonly<Record<Encoding, () => Transform>> = {
  gzip: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdCompress({ flush: constants.ZSTD_e_flush }),
};

/** One part per event, so that a reader can decode each event as soon as its part is there. */
const encodeEvents = async (events: readonly string[], encoding: Encoding): Promise<readonly Buffer[]> => {
  const encoder = encoders[encoding]();
  const parts: Buffer[] = [];
  let gathered: Buffer[] = [];
  encoder.on("data", (bytes: Buffer) => gathered.push(bytes));
  for (const event of events) {
    await new Promise<void>((resolve) => void encoder.write(event, () => resolve()));
    parts.push(Buffer.concat(gathered));
    gathered = [];
  }
  await new Promise<void>((resolve) => {
    encoder.once("end", resolve);
    encoder.end();
  });
  return [...parts, Buffer.concat(gathered)];
};

/** Compresses the body where a fault asks for it. */
export const codedReply = async (reply: Reply, faults: readonly Fault[]): Promise<Reply> => {
  const fault = faults.find((one) => one.kind === "encoding");
  if (fault === undefined) return reply;
  const headers = [...reply.headers, ["content-encoding", fault.encoding] as const];
  if (fault.wrong === true) return { ...reply, headers };
  if (reply.body.kind === "bytes") return { ...reply, headers, body: { kind: "bytes", bytes: whole[fault.encoding](reply.body.bytes) } };
  if (reply.body.kind === "parts") return reply;
  return { ...reply, headers, body: { kind: "parts", parts: await encodeEvents(reply.body.events, fault.encoding) } };
};
