// The answer on its way down: head, then every chunk in the tick it arrived, then the end. The client comes first, the
// meter reads afterwards. What broke off upstream must never look complete to the client.
import { valueOf } from "../lib/http-fields.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import { visibleText } from "../lib/visible-text.ts";
import { blameUpstream } from "./blame.ts";
import { clientLeft, toMicroseconds } from "./exchange.ts";
import type { Ending, Exchange } from "./exchange.ts";
import type { ForwardContext } from "./forward.ts";
import { responseHeaders } from "./header-policy.ts";
import { createMeter } from "./meter.ts";
import type { UpstreamResponse } from "./upstream.ts";

/** Passes `answer` to the client. Rejects when the upstream breaks off, and when its head cannot be written as HTTP. */
export const relay = async (context: ForwardContext, exchange: Exchange, answer: UpstreamResponse): Promise<Ending> => {
  const { response, closed } = exchange;
  exchange.stage = "relaying";
  writeHead(context, exchange, answer);
  const { whole } = answer;
  if (whole !== null && whole.length <= oneWriteBytes && Number(valueOf(answer.headers, "content-length")) === whole.length) writeWhole(context, exchange, whole);
  const over = answer.read((chunk) => writeChunk(context, exchange, { answer, chunk }));
  // A head whose body has not begun goes out alone; usually both come together and leave in one packet.
  if (exchange.bytesOut === 0 && !answer.hasBody) response.flushHeaders();
  await over;
  // Trailers are not passed on: no client asked for them (`TE` is not forwarded).
  if (!response.writableEnded) response.end();
  exchange.stage = "preparing";
  exchange.meter?.end();
  await closed;
  if (!response.writableFinished) return clientLeft.ending;
  await exchange.meter?.finished();
  return endingOfAnswer(exchange);
};

const writeHead = ({ clock, publish }: ForwardContext, exchange: Exchange, { status, headers }: UpstreamResponse): void => {
  const { response, options } = exchange;
  // A Date of our own would be an alteration; the reason phrase is ours, because the upstream's is not checked by anything.
  response.sendDate = false;
  response.writeHead(status, [...responseHeaders(headers, status), ...options.headers]);
  const now = clock.monotonic();
  exchange.status = status;
  exchange.responseHeaders = headers;
  exchange.ttfbMs = toMicroseconds(now - options.receivedAt);
  exchange.aliveAt = now;
  exchange.upstreamRequestId = shown(headers, "request-id");
  exchange.body.release();
  exchange.meter = createMeter({ status, headers, path: exchange.path, sent: () => exchange.tokens }, (reason) =>
    publish({
      type: "notice",
      level: "warning",
      code: "metering-stopped",
      message: `The usage of request ${options.requestId} could not be read (${reason}); the answer itself goes through unchanged.`,
      hint: null,
    }));
  publish({
    type: "response.started",
    requestId: options.requestId,
    status,
    ttfbMs: exchange.ttfbMs,
    upstreamRequestId: exchange.upstreamRequestId,
    contentType: shown(headers, "content-type"),
    contentEncoding: shown(headers, "content-encoding"),
    retryAfter: shown(headers, "retry-after"),
  });
};

const shown = (headers: RawHeaders, name: string): string | null => {
  const value = valueOf(headers, name);
  return value === null ? null : visibleText(value, 128);
};

/** Up to here a body is copied behind its head as text: one buffer in the system call instead of two, 16 of 80 µs of a small answer. */
const oneWriteBytes = 16 * 1024;

/** The whole body came with the head. Latin-1 is the identity on bytes. */
const writeWhole = ({ clock }: ForwardContext, exchange: Exchange, body: Buffer): void => {
  countChunk(exchange, body, clock.monotonic());
  exchange.response.end(body.toString("latin1"), "latin1");
};

const countChunk = (exchange: Exchange, chunk: Buffer, now: number): void => {
  exchange.longestSilenceMs = Math.max(exchange.longestSilenceMs, now - exchange.aliveAt);
  exchange.aliveAt = now;
  exchange.bytesOut += chunk.length;
};

const writeChunk = ({ clock }: ForwardContext, exchange: Exchange, { answer, chunk }: { readonly answer: UpstreamResponse; readonly chunk: Buffer }): void => {
  if (exchange.response.writableEnded) return exchange.meter?.push(chunk);
  countChunk(exchange, chunk, clock.monotonic());
  if (!exchange.response.write(chunk) && !exchange.paused) {
    exchange.paused = true;
    answer.pause();
    exchange.response.once("drain", () => {
      exchange.paused = false;
      // It was the client that was silent.
      exchange.aliveAt = clock.monotonic();
      answer.resume();
    });
  }
  exchange.meter?.push(chunk);
};

/** Breaks the client's connection off in the middle of the upstream's answer. */
export const breakOff = ({ request, response, responseHeaders: headers }: Exchange): void => {
  // Without a length and without chunks (HTTP/1.0) a plain close would look like the end of the body.
  const isCloseDelimited = !response.chunkedEncoding && valueOf(headers, "content-length") === null;
  // Chunks of this very tick are still corked: they go out first.
  setImmediate(() => {
    if (isCloseDelimited) request.socket.resetAndDestroy();
    else request.socket.destroy();
  });
};

const nothingRead = { type: null, message: null };

const endingOfAnswer = (exchange: Exchange): Ending => {
  const status = exchange.status ?? 0;
  const error = exchange.meter?.error() ?? null;
  if (status >= 400 || error !== null) {
    return { outcome: "upstream-error", ...blameUpstream({ status, headers: exchange.responseHeaders, error: error ?? nothingRead }) };
  }
  if (exchange.meter?.isIncomplete() === true) return incompleteStream;
  return { outcome: "ok", blame: null, errorCode: null, message: null, nextStep: null };
};

const incompleteStream: Ending = {
  outcome: "upstream-error",
  blame: "upstream",
  errorCode: "incomplete-stream",
  message: "The stream ended without message_stop.",
  nextStep: "Send the request again.",
};
