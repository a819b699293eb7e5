// The record of one request on its way through, mutable on purpose: it is touched for every chunk. It owns
// the rule that a request ends exactly once, whatever is cut and in whatever order.
import type { RawFields } from "../http/fields.ts";
import type { HttpRequest } from "../http/request.ts";
import type { HttpResponse } from "../http/response.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish, PublishBuffered } from "../messages/bus.ts";
import type { Blame, EventDraft, Outcome, Phase } from "../messages/events.ts";
import type { Call } from "./call.ts";
import type { RequestFacts } from "./deps.ts";
import type { Meter } from "./meter.ts";
import { emptyBody } from "./request-body.ts";
import type { RequestBody } from "./request-body.ts";

/** How a request ended. */
export type Ending = {
  readonly outcome: Outcome;
  readonly blame: Blame | null;
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly nextStep: string | null;
};

export type Exchange = {
  /** Among those in flight. */
  place: number;
  readonly facts: RequestFacts;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly path: string;
  /**
   * `local`: the body or a credential is awaited, or an answer of our own is on its way · `awaiting`: an attempt
   * runs and its answer has not begun · `held`: a 401 waits for a new token · `relaying`: the head went to the client.
   */
  stage: "local" | "awaiting" | "held" | "relaying";
  body: RequestBody;
  call: Call | null;
  meter: Meter | null;
  /** A pause between two attempts. */
  timer: Timer | null;
  attempts: number;
  retries: number;
  renewed: boolean;
  accountId: string | null;
  /** Every token an attempt was made with. */
  readonly tokens: Secret[];
  /** Base URLs, null for the configured one, that no connection could be had to. */
  unreachable: readonly (string | null)[];
  /** The connection stands: the present attempt may have been executed. */
  sent: boolean;
  status: number | null;
  upstreamRequestId: string | null;
  /** Of the answer that is relayed. */
  answerFields: RawFields;
  /** Of that answer's body in bytes, null when only its end tells. */
  length: number | null;
  ttfbMs: number | null;
  /** Monotonic: the last sign of life of the upload or of the answer. */
  aliveAt: number;
  longestSilenceMs: number;
  bytesOut: number;
  /** The client reads more slowly than the upstream sends. */
  paused: boolean;
  /** Progress that was last told. */
  toldPhase: Phase | null;
  toldBytes: number;
  toldAt: number;
  toldUsage: boolean;
  /** What `finish` will say once the client has it all. */
  ending: Ending | null;
  finished: boolean;
};

export const ok: Ending = { outcome: "ok", blame: null, errorCode: null, message: null, nextStep: null };

const none: readonly never[] = [];

/** Opens the record of an admitted request. One literal with every field: a spread costs five times the memory. */
export const createExchange = (parts: Pick<Exchange, "request" | "response" | "facts" | "path">): Exchange => ({
  place: -1,
  facts: parts.facts,
  request: parts.request,
  response: parts.response,
  path: parts.path,
  stage: "local",
  body: emptyBody,
  call: null,
  meter: null,
  timer: null,
  attempts: 0,
  retries: 0,
  renewed: false,
  accountId: null,
  tokens: [],
  unreachable: none,
  sent: false,
  status: null,
  upstreamRequestId: null,
  answerFields: none,
  length: null,
  ttfbMs: null,
  aliveAt: parts.facts.receivedAt,
  longestSilenceMs: 0,
  bytesOut: 0,
  paused: false,
  toldPhase: null,
  toldBytes: 0,
  toldAt: 0,
  toldUsage: false,
  ending: null,
  finished: false,
});

type Telling = { readonly clock: Clock; readonly publish: Publish; readonly publishBuffered: PublishBuffered };

/**
 * Ends the exchange: stops whatever still runs, publishes what it cost and the one `request.finished`. A
 * second call does nothing.
 */
export const finish = (exchange: Exchange, ending: Ending, { clock, publish, publishBuffered }: Telling): void => {
  if (exchange.finished) return;
  exchange.finished = true;
  if (exchange.meter !== null) publishBuffered(() => usageDraft(exchange));
  exchange.call?.abort();
  exchange.timer?.cancel();
  exchange.meter?.stop();
  exchange.body.close();
  const durationMs = toMicroseconds(clock.monotonic() - exchange.facts.receivedAt);
  publish({
    type: "request.finished",
    requestId: exchange.facts.requestId,
    status: exchange.status,
    durationMs,
    ttfbMs: exchange.ttfbMs,
    longestSilenceMs: toMicroseconds(exchange.longestSilenceMs),
    bytesIn: exchange.body.bytesIn(),
    bytesOut: exchange.bytesOut,
    attempts: exchange.attempts,
    upstreamRequestId: exchange.upstreamRequestId,
    outcome: ending.outcome,
    blame: ending.blame,
    errorCode: ending.errorCode,
    message: ending.message,
    nextStep: ending.nextStep,
  });
};

/** Milliseconds as exactly as the clock knows them: what stands behind is noise that fills every log line. */
export const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Its answer is complete or on its way, or it is closed: nothing further may be started for it. */
export const isOver = (exchange: Exchange): boolean => exchange.finished || exchange.ending !== null;

/** Publishes what the answer has cost so far, when it said so. */
export const tellUsage = (exchange: Exchange, publish: Publish): void => {
  const draft = usageDraft(exchange);
  if (draft === null) return;
  exchange.toldUsage = true;
  publish(draft);
};

const usageDraft = ({ meter, facts }: Exchange): EventDraft | null => {
  const usage = meter?.usage() ?? null;
  if (usage === null) return null;
  const { model, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, stopReason } = usage;
  return { type: "usage.updated", requestId: facts.requestId, model, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, stopReason };
};
