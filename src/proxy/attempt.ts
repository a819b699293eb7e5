// One attempt: sends the request with a credential and gives its answer or its failure. What comes after it is decided
// in `retry.ts`.
import type { Credential } from "../accounts/credentials.ts";
import { explainFailure, networkFailure } from "../lib/network-failure.ts";
import type { FailureExplanation } from "../lib/network-failure.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import type { Blame } from "../messages/events.ts";
import { ownEnding } from "./exchange.ts";
import type { Exchange, ExchangeError } from "./exchange.ts";
import type { ForwardContext } from "./forward.ts";
import { requestHeaders } from "./header-policy.ts";
import { modelAsked } from "./models.ts";
import type { AttemptResult, Failure } from "./retry.ts";
import type { UpstreamResponse } from "./upstream.ts";

/** A connection could not be made, or broke off. */
export type AttemptFailure = Failure & {
  /** The lower layer's own code, such as `ECONNREFUSED`. */
  readonly reason: string;
  readonly explanation: FailureExplanation;
};

export type Attempt = AttemptResult<UpstreamResponse, AttemptFailure>;

/** Sends the request with `credential` (null in pass-through mode). Rejects only with the reason for which the exchange was aborted. */
export const attempt = async (context: ForwardContext, exchange: Exchange, credential: Credential | null): Promise<Attempt> => {
  const { request, body, options, controller } = exchange;
  const baseUrl = credential === null ? null : credential.baseUrl;
  let sent = false;
  exchange.origin = baseUrl ?? context.upstream.origin;
  exchange.attempts += 1;
  if (credential !== null) exchange.tokens.push(credential.token);
  exchange.aliveAt = context.clock.monotonic();
  exchange.stage = "waiting";
  context.publish({ type: "attempt.started", requestId: options.requestId, attempt: exchange.attempts, accountId: exchange.accountId, modelAsked: modelAsked(body.head()) });
  try {
    const answer = await context.upstream.request({
      baseUrl,
      method: request.method ?? "",
      path: request.url ?? "",
      headers: withLength(requestHeaders(request.rawHeaders, credential, context.localKey), body.streamLength()),
      body: body.open(),
      signal: controller.signal,
      onSent() {
        sent = true;
      },
    });
    if (credential !== null) context.credentials?.observe(credential, { status: answer.status, headers: accountHeaders(answer.headers) });
    return { kind: "answer", answer };
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    return { kind: "failure", failure: failureOf(error, { server: exchange.origin, sent }) };
  } finally {
    exchange.stage = "preparing";
  }
};

const failureOf = (error: unknown, where: { readonly server: string; readonly sent: boolean }): AttemptFailure => {
  const failure = networkFailure(error);
  const explanation = explainFailure(failure, where);
  return { sent: where.sent, permanent: explanation.permanent, refused: failure.kind === "refused", stale: !where.sent && failure.kind === "closed" && !failure.neverSent, reason: failure.code, explanation };
};

const withLength = (headers: string[], length: number | null): string[] => {
  if (length !== null) headers.push("content-length", String(length));
  return headers;
};

/** What an account learns from, by lower-case name; of several the first. */
const accountHeaders = (raw: RawHeaders): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (/^(?:anthropic-|retry-after$)/i.test(name)) found[name.toLowerCase()] ??= raw[index + 1] ?? "";
  }
  return found;
};

/** Publishes that the present attempt came to nothing. */
export const publishFailed = ({ publish }: ForwardContext, { attempts, options }: Exchange, { code, message }: { readonly code: string; readonly message: string }): void =>
  publish({ type: "attempt.failed", requestId: options.requestId, attempt: attempts, code, message });

const blames: Readonly<Record<FailureExplanation["code"], Blame>> = {
  "upstream-unreachable": "network",
  "upstream-timeout": "network",
  "upstream-broken": "upstream",
  "bad-request": "client",
  "bad-config": "proxy",
  "unsafe-settings": "proxy",
};

/** Clients of the API retry by it: what may have been executed is theirs to repeat, and after a lost connection a new one helps. */
const shouldRetry: RawHeaders = ["x-should-retry", "true"];

/** The end of an exchange whose upstream could not be reached or broke off. */
export const failedUpstream = ({ explanation: { code, message, hint }, sent, stale }: Pick<AttemptFailure, "explanation" | "sent" | "stale">): ExchangeError =>
  ownEnding(code, { outcome: code === "upstream-timeout" ? "timeout" : "failed", blame: blames[code], message, nextStep: hint }, sent || stale ? shouldRetry : []);

/** The same for an answer that broke off after its head. */
export const brokenAnswer = (error: unknown, server: string): ExchangeError => failedUpstream(failureOf(error, { server, sent: true }));

/** The end of an exchange whose answer did not begin within `upstream.headersTimeoutMs`. */
export const unansweredInTime = (server: string): ExchangeError =>
  failedUpstream({
    explanation: {
      code: "upstream-timeout",
      message: `${server} did not begin to answer within the time limit.`,
      hint: "The limit is upstream.headersTimeoutMs.",
      permanent: false,
    },
    sent: true,
    stale: false,
  });
