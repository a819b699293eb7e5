// The answer on its way down: head, then every chunk in the tick it arrived, then the end. The client comes
// first, the meter reads afterwards. What broke off upstream must never look complete to the client.
import { valueOf } from "../http/fields.ts";
import type { RawFields } from "../http/fields.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";
import { ok, toMicroseconds } from "./exchange.ts";
import type { Ending, Exchange } from "./exchange.ts";
import { responseHeaders } from "./header-policy.ts";
import type { Lane } from "./lane.ts";
import { createMeter } from "./meter.ts";
import type { ResponseHead } from "./response-head.ts";

/** The final status and fields of the upstream. May throw when they cannot be written as HTTP. */
export const relayHead = (lane: Lane, exchange: Exchange, head: ResponseHead): void => {
  const { response, facts } = exchange;
  const { status, raw, framing } = head;
  const fields = responseHeaders(raw, status);
  if (facts.answerHeaders !== undefined) fields.push(...facts.answerHeaders);
  // A Date of our own would be an alteration; the reason phrase is ours, because the upstream's is not checked by anyone.
  response.sendDate = false;
  response.writeHead(status, fields);
  const now = lane.clock.monotonic();
  exchange.stage = "relaying";
  exchange.status = status;
  exchange.answerFields = raw;
  exchange.length = typeof framing === "number" ? framing : null;
  exchange.ttfbMs = toMicroseconds(now - facts.receivedAt);
  exchange.aliveAt = now;
  exchange.upstreamRequestId = text(raw, "request-id");
  exchange.body.release();
  exchange.meter = createMeter({ status, raw, path: exchange.path, sent: () => secretsOf(exchange) }, (reason) => reportMetering(lane, exchange, reason));
  lane.publish({
    type: "response.started",
    requestId: facts.requestId,
    status,
    ttfbMs: exchange.ttfbMs,
    upstreamRequestId: exchange.upstreamRequestId,
    contentType: text(raw, "content-type"),
    contentEncoding: text(raw, "content-encoding"),
    retryAfter: text(raw, "retry-after"),
  });
};

// In pass-through mode the client's own login went upstream, and may be quoted back just as well.
const secretsOf = ({ tokens, request }: Exchange): readonly Secret[] => {
  const own = [...request.valuesOf("authorization").map((value) => value.replace(/^\w+ +/, "")), ...request.valuesOf("x-api-key")];
  return [...tokens, ...own.map(secret)];
};

const text = (raw: RawFields, name: string): string | null => {
  const value = valueOf(raw, name);
  return value === null ? null : visibleText(value, 128);
};

const reportMetering = (lane: Lane, exchange: Exchange, reason: string): void =>
  lane.publish({
    type: "notice",
    level: "warning",
    code: "metering-stopped",
    message: `The usage of request ${exchange.facts.requestId} could not be read (${reason}); the answer itself goes through unchanged.`,
    hint: null,
  });

/** One piece of the body. */
export const relayChunk = (lane: Lane, exchange: Exchange, chunk: Buffer): void => {
  const now = lane.clock.monotonic();
  const silence = now - exchange.aliveAt;
  if (silence > exchange.longestSilenceMs) exchange.longestSilenceMs = silence;
  exchange.aliveAt = now;
  exchange.bytesOut += chunk.length;
  if (exchange.bytesOut === exchange.length) return relayLast(exchange, chunk);
  if (!exchange.response.write(chunk)) holdBack(lane, exchange);
  exchange.meter?.push(chunk);
};

/** No more is at hand: a head whose body has not begun goes out alone. Usually both come together, and leave in one packet. */
export const relayRead = ({ bytesOut, response }: Exchange): void => {
  if (bytesOut === 0) response.flushHead();
};

// Every byte that was announced is here: nothing has to be waited for.
const relayLast = (exchange: Exchange, chunk: Buffer): void => {
  exchange.ending = ok;
  exchange.response.end(chunk);
  exchange.meter?.push(chunk);
  exchange.meter?.end();
};

const holdBack = (lane: Lane, exchange: Exchange): void => {
  if (exchange.paused || exchange.finished) return;
  exchange.paused = true;
  exchange.call?.pause();
  exchange.response.onDrain(() => {
    exchange.paused = false;
    // It was the client who was silent.
    exchange.aliveAt = lane.clock.monotonic();
    exchange.call?.resume();
  });
};

/** The upstream's regular end. Trailers are not passed on: no client asked for them (`TE` is not forwarded). */
export const relayEnd = (exchange: Exchange): void => {
  if (exchange.ending !== null) return;
  exchange.ending = ok;
  exchange.response.end();
  exchange.meter?.end();
};

/** The upstream broke off after its head had been passed on: the client's connection is destroyed. */
export const relayBreak = (lane: Lane, exchange: Exchange, ending: Ending): void => {
  lane.end(exchange, ending);
  exchange.response.flushHead();
  exchange.response.destroy();
};
