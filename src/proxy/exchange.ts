// The record of one request on its way through, mutable on purpose: it is touched for every chunk. It has one
// AbortController: whatever ends the exchange early (the client left, a limit, silence, a stop) aborts it with an
// `ExchangeError`, and `forward.ts` alone turns that reason into the ending.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import type { Secret } from "../lib/secret.ts";
import type { PublishBuffered } from "../messages/bus.ts";
import { AppError, meaningOf } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";
import type { Blame, EventDraft, Outcome, Phase } from "../messages/events.ts";
import type { Meter } from "./meter.ts";
import { emptyBody } from "./request-body.ts";
import type { RequestBody } from "./request-body.ts";

/** How a request ended, in the words of its last event. */
export type Ending = {
  readonly outcome: Outcome;
  readonly blame: Blame | null;
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly nextStep: string | null;
};

/** What the server knows of an admitted request. */
export type ForwardOptions = {
  readonly requestId: string;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  /** `x-claude-code-session-id`, for stickiness. */
  readonly sessionId: string | null;
  /** Added to every answer, such as our CORS fields. */
  readonly headers: RawHeaders;
};

export type Exchange = {
  /** Its ending is known: nothing can abort it any more. */
  ended: boolean;
  readonly options: ForwardOptions;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The target without its query. */
  readonly path: string;
  readonly controller: AbortController;
  /** In the list of exchanges in flight (`timeouts.ts`). */
  place: number;
  /** Resolves when the response is closed: all of it was handed to the kernel, or it never will be. */
  readonly closed: Promise<void>;
  /**
   * `preparing`: the body, a credential or the next attempt is awaited · `waiting`: an attempt was sent and its answer
   * has not begun · `relaying`: the upstream's head went to the client.
   */
  stage: "preparing" | "waiting" | "relaying";
  body: RequestBody;
  attempts: number;
  /** Where the latest attempt went. */
  origin: string;
  retries: number;
  /** A 401 has already asked for a newer token. */
  renewed: boolean;
  accountId: string | null;
  /** Every secret an attempt was made with: tokens of accounts, or the client's own login. */
  readonly tokens: Secret[];
  /** Base URLs, null for the configured one, to which no connection could be made. */
  readonly unreachable: (string | null)[];
  status: number | null;
  upstreamRequestId: string | null;
  /** Of the answer that is relayed. */
  responseHeaders: RawHeaders;
  meter: Meter | null;
  ttfbMs: number | null;
  /** Monotonic: the last sign of life of the upload or of the answer. */
  aliveAt: number;
  longestSilenceMs: number;
  bytesOut: number;
  /** The client reads more slowly than the upstream sends. */
  paused: boolean;
  /** What `response.progress` and `usage.updated` last said. */
  readonly published: { phase: Phase | null; bytesOut: number; at: number; usage: boolean };
};

export type OpenExchange = Pick<Exchange, "request" | "response" | "path" | "options">;

/** Opens the record of an admitted request. */
export const createExchange = ({ request, response, path, options }: OpenExchange): Exchange => {
  const controller = new AbortController();
  const closed = new Promise<void>((resolve) => {
    response.on("close", () => {
      resolve();
      if (!exchange.ended) controller.abort(clientLeft);
    });
  });
  request.on("error", (error) => {
    if (error instanceof AppError) exchange.status ??= meaningOf(error.code).status;
    controller.abort(error instanceof AppError ? brokenUpload(error) : clientLeft);
  });
  const exchange: Exchange = {
    ended: false,
    options,
    request,
    response,
    path,
    controller,
    place: -1,
    closed,
    stage: "preparing",
    body: emptyBody,
    attempts: 0,
    origin: "",
    retries: 0,
    renewed: false,
    accountId: null,
    tokens: [],
    unreachable: [],
    status: null,
    upstreamRequestId: null,
    responseHeaders: [],
    meter: null,
    ttfbMs: null,
    aliveAt: options.receivedAt,
    longestSilenceMs: 0,
    bytesOut: 0,
    paused: false,
    published: { phase: null, bytesOut: 0, at: 0, usage: false },
  };
  return exchange;
};

/** Why an exchange ends without the upstream's whole answer. `answer` is our own instead of it; null when no client is there to read one. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  readonly ending: Ending;
  readonly answer: { readonly code: ErrorCode; readonly headers: RawHeaders } | null;

  constructor(ending: Ending, answer: ExchangeError["answer"]) {
    super(ending.message ?? ending.outcome);
    this.ending = ending;
    this.answer = answer;
  }
}

/** An ending in our own words: `code` is that of the answer and of the event. */
export const ownEnding = (code: ErrorCode, ending: Omit<Ending, "errorCode">, headers: RawHeaders = []): ExchangeError =>
  new ExchangeError({ ...ending, errorCode: code }, { code, headers });

const leftEnding: Ending = { outcome: "client-left", blame: "client", errorCode: null, message: "The client closed the connection.", nextStep: null };

export const clientLeft = new ExchangeError(leftEnding, null);

/** The server could not read the rest of the body, and has answered the client. */
const brokenUpload = ({ code, message, hint }: AppError): ExchangeError =>
  new ExchangeError({ outcome: "failed", blame: "client", errorCode: code, message, nextStep: hint ?? null }, null);

export const shutDown = ownEnding("shutting-down", {
  outcome: "shutdown",
  blame: "proxy",
  message: "The proxy was stopped before the answer was complete.",
  nextStep: "Start the proxy and send the request again.",
});

export const silentUpstream = ownEnding("upstream-timeout", {
  outcome: "timeout",
  blame: "network",
  message: "The upstream sent nothing for too long in the middle of its answer.",
  nextStep: "Send the request again; the limit is upstream.silenceSeconds.",
});

/** `promise`, or a rejection with the reason as soon as the exchange is aborted. */
export const untilAborted = <T>({ controller: { signal } }: Exchange, promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });

type Reporting = { readonly clock: Clock; readonly publish: PublishBuffered };

/** Publishes what the exchange cost and its one `request.finished`; gives back what it holds. */
export const finishExchange = (exchange: Exchange, ending: Ending, { clock, publish }: Reporting): void => {
  if (exchange.meter !== null) publish(() => usageEvent(exchange));
  exchange.ended = true;
  exchange.meter?.stop();
  exchange.body.close();
  publish({
    type: "request.finished",
    requestId: exchange.options.requestId,
    status: exchange.status,
    durationMs: toMicroseconds(clock.monotonic() - exchange.options.receivedAt),
    ttfbMs: exchange.ttfbMs,
    longestSilenceMs: toMicroseconds(exchange.longestSilenceMs),
    bytesIn: exchange.body.bytesIn(),
    bytesOut: exchange.bytesOut,
    attempts: exchange.attempts,
    upstreamRequestId: exchange.upstreamRequestId,
    ...ending,
  });
};

/** Milliseconds, rounded to what the clock can measure: further digits are noise that fills every log line. */
export const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Publishes what the answer has cost so far, when it said so. */
export const publishUsage = (exchange: Exchange, publish: PublishBuffered): void => {
  const event = usageEvent(exchange);
  if (event === null) return;
  exchange.published.usage = true;
  publish(event);
};

const usageEvent = ({ meter, options }: Exchange): EventDraft | null => {
  const usage = meter?.usage() ?? null;
  if (usage === null) return null;
  const { model, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, stopReason } = usage;
  return { type: "usage.updated", requestId: options.requestId, model, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, stopReason };
};
