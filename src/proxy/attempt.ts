// One attempt after another to get an answer: sends, tries again when that is certainly safe, and after a
// 401 asks once for a newer token. The answer it settles for goes to the client unchanged.
import type { Credential } from "../accounts/credential.ts";
import type { RawFields } from "../http/fields.ts";
import type { CallListener } from "./call.ts";
import { endingOfFailure } from "./endings.ts";
import { isOver } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { explain, isRefusal } from "./explain.ts";
import type { Explanation } from "./explain.ts";
import { requestHeaders } from "./header-policy.ts";
import type { Lane } from "./lane.ts";
import { modelAsked } from "./model-asked.ts";
import { answerFailure } from "./own-answer.ts";
import { relayBreak, relayChunk, relayEnd, relayHead, relayRead } from "./relay.ts";
import type { ResponseHead } from "./response-head.ts";
import { retryAfterFailure, retryAfterStatus } from "./retry.ts";
import type { UpstreamRequest } from "./upstream.ts";

/** A 401 that waits until it is known whether there is a newer token. */
type Held = { readonly head: ResponseHead; readonly chunks: Buffer[]; ended: boolean; error: unknown };

/** Sends the request with `credential` (null in pass-through mode). */
export const startAttempt = (lane: Lane, exchange: Exchange, credential: Credential | null): void => {
  exchange.attempts += 1;
  exchange.sent = false;
  if (credential !== null) exchange.tokens.push(credential.token);
  exchange.stage = "awaiting";
  exchange.aliveAt = lane.clock.monotonic();
  lane.publish({
    type: "attempt.started",
    requestId: exchange.facts.requestId,
    attempt: exchange.attempts,
    accountId: exchange.accountId,
    modelAsked: modelAsked(exchange.body.head()),
  });
  const listener = new Attempt(lane, exchange, credential);
  try {
    exchange.call = lane.upstream.send(requestFor(exchange, credential), listener);
  } catch (error) {
    listener.onError(error);
  }
};

const requestFor = ({ request, body }: Exchange, credential: Credential | null): UpstreamRequest => {
  const baseUrl = credential === null ? null : credential.baseUrl;
  const headers = requestHeaders(request.rawHeaders, credential);
  return { baseUrl, method: request.method, path: request.target, headers, body: body.open() };
};

/** What comes back for one attempt; an object of a class, because a closure for each function cost more than what they do. */
class Attempt implements CallListener {
  private readonly lane: Lane;
  private readonly exchange: Exchange;
  private readonly credential: Credential | null;
  private held: Held | null = null;

  constructor(lane: Lane, exchange: Exchange, credential: Credential | null) {
    this.lane = lane;
    this.exchange = exchange;
    this.credential = credential;
  }

  onSent(): void {
    this.exchange.sent = true;
  }

  onHead(head: ResponseHead): void {
    const { lane, exchange, credential } = this;
    const { status, raw } = head;
    if (credential !== null) lane.credentials?.learn(credential, { status, headers: lessons(raw) });
    if (status === 401 && mayRenew(lane, exchange, credential)) {
      this.held = { head, chunks: [], ended: false, error: null };
      hold(lane, exchange, { used: credential, letGo: () => release(lane, exchange, this.held) });
    } else if (!retriesStatus(lane, exchange, { credential, status })) relayHead(lane, exchange, head);
  }

  onData(chunk: Buffer): void {
    if (this.exchange.stage === "held") this.held?.chunks.push(chunk);
    else relayChunk(this.lane, this.exchange, chunk);
  }

  onRead(): void {
    if (this.exchange.stage === "relaying") relayRead(this.exchange);
  }

  onEnd(): void {
    if (this.exchange.stage === "held" && this.held !== null) this.held.ended = true;
    else relayEnd(this.exchange);
  }

  onError(error: unknown): void {
    if (this.exchange.stage === "held" && this.held !== null) this.held.error = error;
    else fail(this.lane, this.exchange, { credential: this.credential, error });
  }
}

const teaching = /^(?:anthropic-|retry-after$)/i;
const nothingTold: Readonly<Record<string, string>> = {};

// What an account learns from: by lower-case names, of several the first.
const lessons = (raw: RawFields): Readonly<Record<string, string>> => {
  let told: Record<string, string> | null = null;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!teaching.test(name)) continue;
    told ??= Object.create(null) as Record<string, string>;
    told[name.toLowerCase()] ??= raw[index + 1] ?? "";
  }
  return told ?? nothingTold;
};

const mayRenew = (lane: Lane, exchange: Exchange, credential: Credential | null): credential is Credential =>
  credential?.kind === "oauth" && lane.credentials !== null && !exchange.renewed && exchange.body.isReplayable();

type Holding = { readonly used: Credential; readonly letGo: () => void };

const hold = (lane: Lane, exchange: Exchange, holding: Holding): void => {
  exchange.renewed = true;
  exchange.stage = "held";
  exchange.call?.pause();
  void replay(lane, exchange, holding);
};

const replay = async (lane: Lane, exchange: Exchange, { used, letGo }: Holding): Promise<void> => {
  const newer = await renewed(lane, used);
  if (isOver(exchange)) return;
  if (newer === null || !exchange.body.isReplayable()) return letGo();
  exchange.call?.abort();
  tellFailed(lane, exchange, { code: "unauthorized", message: "The upstream refused the token (401); sent again with a newer one." });
  tellAssigned(lane, exchange, newer);
  startAttempt(lane, exchange, newer);
};

const renewed = async ({ credentials }: Lane, used: Credential): Promise<Credential | null> => {
  try {
    const outcome = await credentials?.renew(used);
    return outcome?.ok === true ? outcome.credential : null;
  } catch {
    // Why there is no newer token is told by whoever tried to get one.
    return null;
  }
};

/** Publishes the account of the next attempt when it is another one. */
export const tellAssigned = (lane: Lane, exchange: Exchange, credential: Credential | null): void => {
  const accountId = credential?.accountId ?? null;
  if (exchange.attempts > 0 && exchange.accountId === accountId) return;
  exchange.accountId = accountId;
  lane.publish({ type: "request.assigned", requestId: exchange.facts.requestId, accountId, reason: credential?.reason ?? "pass-through" });
};

const tellFailed = (lane: Lane, exchange: Exchange, { code, message }: { readonly code: string; readonly message: string }): void =>
  lane.publish({ type: "attempt.failed", requestId: exchange.facts.requestId, attempt: exchange.attempts, code, message });

// No newer token: the 401 goes to the client as it came.
const release = (lane: Lane, exchange: Exchange, held: Held | null): void => {
  if (held === null) return;
  try {
    relayHead(lane, exchange, held.head);
  } catch (error) {
    exchange.call?.abort();
    return fail(lane, exchange, { credential: null, error });
  }
  for (const chunk of held.chunks) relayChunk(lane, exchange, chunk);
  relayRead(exchange);
  if (held.ended) relayEnd(exchange);
  else if (held.error !== null) fail(lane, exchange, { credential: null, error: held.error });
  else if (!exchange.paused) exchange.call?.resume();
};

const retriesStatus = (lane: Lane, exchange: Exchange, { credential, status }: { readonly credential: Credential | null; readonly status: number }): boolean => {
  const replayable = exchange.body.isReplayable();
  const waitMs = retryAfterStatus(status, { replayable, retries: exchange.retries }, lane.settings.retry);
  if (waitMs === null) return false;
  exchange.call?.abort();
  tellFailed(lane, exchange, { code: `http-${status}`, message: `The upstream answered ${status}; tried again as configured.` });
  retryLater(lane, exchange, { credential, waitMs });
  return true;
};

const fail = (lane: Lane, exchange: Exchange, { credential, error }: { readonly credential: Credential | null; readonly error: unknown }): void => {
  const { sent } = exchange;
  const explanation = explain(error, { origin: credential?.baseUrl ?? lane.upstream.origin, sent });
  if (exchange.stage === "relaying") return relayBreak(lane, exchange, endingOfFailure(explanation));
  tellFailed(lane, exchange, { code: explanation.reason, message: explanation.message });
  const replayable = exchange.body.isReplayable();
  const { permanent, reason } = explanation;
  const waitMs = retryAfterFailure({ sent, replayable, permanent, refused: isRefusal(reason), retries: exchange.retries }, lane.settings.retry);
  if (waitMs === null) answerFailure(lane, exchange, { explanation, executed: sent });
  else if (sent || !goElsewhere(lane, exchange, { credential, reason })) retryLater(lane, exchange, { credential, waitMs });
};

type Unreached = { readonly credential: Credential | null; readonly reason: string };

/** Nothing was sent: an account with another server may serve this request at once. False when there is none. */
const goElsewhere = (lane: Lane, exchange: Exchange, { credential, reason }: Unreached): boolean => {
  if (credential === null || lane.credentials === null) return false;
  exchange.unreachable = [...exchange.unreachable, credential.baseUrl];
  const { unreachable, facts } = exchange;
  const other = lane.credentials.elsewhere(credential, { sessionId: facts.sessionId, reason, unreachable });
  if (other === null) return false;
  exchange.retries += 1;
  exchange.stage = "local";
  exchange.call = null;
  // Whatever keeps the other one from serving, the first is then as good as before.
  other.then((found) => moveTo(lane, exchange, found ?? credential), () => moveTo(lane, exchange, credential));
  return true;
};

const moveTo = (lane: Lane, exchange: Exchange, credential: Credential): void => {
  if (isOver(exchange)) return;
  tellAssigned(lane, exchange, credential);
  startAttempt(lane, exchange, credential);
};

const retryLater = (lane: Lane, exchange: Exchange, { credential, waitMs }: { readonly credential: Credential | null; readonly waitMs: number }): void => {
  exchange.retries += 1;
  exchange.stage = "local";
  exchange.call = null;
  exchange.timer = lane.clock.setTimeout(() => {
    exchange.timer = null;
    startAttempt(lane, exchange, credential);
  }, waitMs);
};

/** The upstream's answer did not begin in time. */
export const giveUpWaiting = (lane: Lane, exchange: Exchange): void => {
  exchange.call?.abort();
  const explanation: Explanation = timedOut(lane.upstream.origin);
  tellFailed(lane, exchange, { code: explanation.reason, message: explanation.message });
  answerFailure(lane, exchange, { explanation, executed: exchange.sent });
};

const timedOut = (origin: string): Explanation => ({
  code: "upstream-timeout",
  reason: "HEADERS_TIMEOUT",
  message: `${origin} did not begin to answer within the time limit.`,
  hint: "The limit is upstream.headersTimeoutMs.",
  permanent: false,
});
