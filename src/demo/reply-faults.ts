// Faults of the answer itself: some replace the endpoint, which then does not see the request; the others change
// what it answered.
import { brotliCompressSync, constants, createBrotliCompress, createGzip, createZstdCompress, gzipSync, zstdCompressSync } from "node:zlib";
import type { Transform } from "node:stream";
import { sseEvent } from "./answer.ts";
import { deliveryOf, rawDelivery, silentDelivery, type Delivery, type Pace } from "./delivery.ts";
import type { EndpointFault, Fault, RecordedFault, ReplyFault } from "./faults.ts";
import { bytesReply, errorReply, jsonReply, type Header, type Reply } from "./reply.ts";

/** What a fault may need of the request it hits. */
export type FaultContext = { readonly requestId: string; readonly pace: Pace; readonly planLimitHeaders: (window: "5h" | "7d") => readonly Header[] };

/** What is delivered instead of the endpoint's answer. */
export const replacement = (fault: EndpointFault, context: FaultContext): Delivery => {
  switch (fault.kind) {
    case "refuse":
      return silentDelivery("reset");
    case "hang-up":
      return silentDelivery("close");
    case "never":
      return silentDelivery("hold");
    case "one-byte":
      return rawDelivery(Buffer.from("H"), "hold");
    case "garbage":
      return rawDelivery(Buffer.from("\u0000\u0001garbage, no HTTP\r\n\r\n\u00ff", "latin1"), "close");
    case "unasked-upgrade":
      return rawDelivery(Buffer.from("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), "close");
    case "wire":
      return rawDelivery(bytesOf(fault.bytes), fault.end ?? "close");
    case "recorded":
      return recorded(fault);
    default: {
      const reply = replyInstead(fault, context);
      return deliveryOf({ ...reply, headers: [...reply.headers, ["request-id", context.requestId]] }, context.pace);
    }
  }
};

const bytesOf = (value: string | Uint8Array): Buffer => (typeof value === "string" ? Buffer.from(value) : Buffer.from(value));

const recorded = ({ status, headers, chunks, end = "complete" }: RecordedFault): Delivery => ({
  ...silentDelivery(end),
  status,
  headers,
  head: "ordinary",
  pieces: chunks.map(({ bytes, delayMs = 0 }) => ({ bytes: bytesOf(bytes), waitMs: delayMs })),
});

type RepliedFault = Extract<EndpointFault, { kind: "status" | "plan-limit" | "throttle" | "overloaded" | "cdn-html" | "redirect" }>;

const replyInstead = (fault: RepliedFault, { requestId, planLimitHeaders }: FaultContext): Reply => {
  switch (fault.kind) {
    case "status":
      return statusReply(fault, requestId);
    case "plan-limit":
      return errorReply(requestId, { status: 429, message: "This request would exceed your account's rate limit. Please try again later." }, planLimitHeaders(fault.window ?? "5h"));
    case "throttle": {
      const headers: readonly Header[] = fault.retryAfterSeconds === undefined ? [] : [["retry-after", String(fault.retryAfterSeconds)]];
      return errorReply(requestId, { status: 429, message: "Server is temporarily limiting requests (not your usage limit)" }, headers);
    }
    case "overloaded":
      return errorReply(requestId, { status: 529, message: "Overloaded" }, [["x-should-retry", "true"]]);
    case "cdn-html":
      return cdnPage(fault.status ?? 503);
    case "redirect":
      return bytesReply(fault.status ?? 302, "text/plain", "", [["location", fault.location]]);
  }
};

const messages: Readonly<Record<number, string>> = {
  400: "Invalid request",
  401: "OAuth token has expired. Please obtain a new token or refresh your existing token.",
  403: "OAuth authentication is currently not allowed for this organization.",
  404: "Not found",
  413: "Request exceeds the maximum size",
  429: "This request would exceed your organization's rate limit.",
  500: "Internal server error",
  529: "Overloaded",
};

const statusReply = (fault: Extract<EndpointFault, { kind: "status" }>, requestId: string): Reply => {
  const { status, body, headers = [] } = fault;
  if (body === undefined) return errorReply(requestId, { status, message: fault.message ?? messages[status] ?? "Simulated error" }, headers);
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return jsonReply(status, body, headers);
  return { status, headers, body: { kind: "bytes", bytes: bytesOf(body) } };
};

const cdnPage = (status: number): Reply =>
  bytesReply(status, "text/html; charset=UTF-8", `<!DOCTYPE html><html><head><title>${status} | simulated edge</title></head><body><h1>Error ${status}</h1><p>Ray ID: 0</p></body></html>`, [
    ["server", "cloudflare"],
  ]);

type Kind<K extends ReplyFault["kind"]> = Extract<ReplyFault, { kind: K }>;

/** `reply` changed by every fault that concerns its headers or its text, in the given order. */
export const applyReplyFaults = (reply: Reply, faults: readonly Fault[]): Reply =>
  faults.reduce((current, fault) => {
    if (fault.kind === "json") return withFields(current, fault);
    if (fault.kind === "stream-error") return withStreamError(current, fault);
    if (fault.kind === "no-message-stop") return withoutMessageStop(current);
    return fault.kind === "headers" ? { ...current, headers: [...current.headers, ...fault.headers] } : current;
  }, reply);

const withFields = (reply: Reply, { set = {}, omit = [] }: Kind<"json">): Reply => {
  if (reply.body.kind !== "bytes") return reply;
  const fields = Object.entries({ ...(JSON.parse(reply.body.bytes.toString("utf8")) as object), ...set });
  const kept = Object.fromEntries(fields.filter(([name]) => !omit.includes(name)));
  return { ...reply, body: { kind: "bytes", bytes: Buffer.from(JSON.stringify(kept)) } };
};

const withStreamError = (reply: Reply, { type = "overloaded_error", message = "Overloaded", afterEvents = 3 }: Kind<"stream-error">): Reply => {
  if (reply.body.kind !== "events") return reply;
  return { ...reply, body: { kind: "events", events: [...reply.body.events.slice(0, afterEvents), sseEvent("error", { error: { type, message } })] } };
};

const withoutMessageStop = (reply: Reply): Reply =>
  reply.body.kind === "events" ? { ...reply, body: { kind: "events", events: reply.body.events.filter((event) => !event.startsWith("event: message_stop")) } } : reply;

type Encoding = Kind<"encoding">["encoding"];

/** `reply` with its body compressed where a fault asks for it. */
export const compress = async (reply: Reply, faults: readonly Fault[]): Promise<Reply> => {
  const fault = faults.find((one) => one.kind === "encoding");
  if (fault === undefined) return reply;
  const headers = [...reply.headers, ["content-encoding", fault.encoding] as const];
  if (fault.wrong === true) return { ...reply, headers };
  if (reply.body.kind === "bytes") return { ...reply, headers, body: { kind: "bytes", bytes: whole[fault.encoding](reply.body.bytes) } };
  if (reply.body.kind === "parts") return reply;
  return { ...reply, headers, body: { kind: "parts", parts: await compressEvents(reply.body.events, fault.encoding) } };
};

const whole = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync } as const;

const encoders: Readonly<Record<Encoding, () => Transform>> = {
  gzip: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdCompress({ flush: constants.ZSTD_e_flush }),
};

/** One part per event, so that a reader can decode each event as soon as its part is there. */
const compressEvents = async (events: readonly string[], encoding: Encoding): Promise<readonly Buffer[]> => {
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
