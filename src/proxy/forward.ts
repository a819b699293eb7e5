// The way of a request: target, body, credential, then one attempt after another until there is an answer to relay.
// What comes after an attempt is decided in `retry.ts`. Every fact is reported once, and a request that was let in ends
// with exactly one `request.finished`.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Credential, CredentialRefusal, Credentials } from "../accounts/credentials.ts";
import { assertNever } from "../lib/assert-never.ts";
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { valuesOf } from "../lib/http-fields.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { PublishBuffered } from "../messages/bus.ts";
import { AppError, meaningOf } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";
import { attempt, brokenAnswer, failedUpstream, publishFailed, unansweredInTime } from "./attempt.ts";
import { ExchangeError, clientLeft, createExchange, finishExchange, ownEnding, shutDown, silentUpstream, untilAborted } from "./exchange.ts";
import type { Ending, Exchange, ForwardOptions } from "./exchange.ts";
import { mapsModels, planModel } from "./models.ts";
import type { ModelSettings } from "./models.ts";
import { breakOff, relay } from "./relay.ts";
import { openRequestBody, wholeBody } from "./request-body.ts";
import type { RequestBody } from "./request-body.ts";
import { nextStep } from "./retry.ts";
import type { RetrySettings } from "./retry.ts";
import { checkTarget } from "./target.ts";
import { createTimeouts } from "./timeouts.ts";
import type { TimeoutSettings } from "./timeouts.ts";
import type { Upstream } from "./upstream.ts";

export type ForwardSettings = TimeoutSettings & {
  readonly maxBodyBytes: number;
  readonly retry: RetrySettings;
  readonly models: ModelSettings;
  /** The account every request is pinned to (`--account`), null for none. */
  readonly accountId: string | null;
};

/** Our own answer in the Messages API's error envelope. Headers already set on `response` are kept. */
export type RespondError = (response: ServerResponse, error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string; readonly requestId: string }) => void;

/** What all requests of one forwarder share. */
export type ForwardContext = {
  readonly upstream: Upstream;
  /** Null in pass-through mode: the client keeps its own login. */
  readonly credentials: Credentials | null;
  /** Never sent upstream, whatever field it comes in. */
  readonly localKey: Secret | null;
  readonly publish: PublishBuffered;
  /** Takes what no event may carry. */
  readonly hide?: (known: () => Iterable<Secret>) => void;
  readonly clock: Clock;
  readonly settings: ForwardSettings;
  readonly respondError: RespondError;
  /** Aborted when the drain time is over: every open request ends at once with outcome `shutdown`. */
  readonly cut?: AbortSignal;
};

/** Sends an admitted request upstream and relays the answer. Resolves when the request has ended; never rejects. */
export type Forward = (request: IncomingMessage, response: ServerResponse, options: ForwardOptions) => Promise<void>;

/** Makes the one function that the server hands admitted `/v1/*` requests to. */
export const createForwarder = (context: ForwardContext): Forward => {
  const { clock, publish, settings } = context;
  const timeouts = createTimeouts({
    clock,
    publish,
    settings,
    onTimeout(exchange, which) {
      const end = which === "silence" ? silentUpstream : unansweredInTime(exchange.origin);
      if (which === "headers") publishFailed(context, exchange, { code: "HEADERS_TIMEOUT", message: end.message });
      exchange.controller.abort(end);
    },
  });
  const logins = createRecentLogins();
  context.hide?.(logins.all);
  context.cut?.addEventListener("abort", () => timeouts.each(({ controller }) => controller.abort(shutDown)), { once: true });

  return async (request, response, options) => {
    const target = checkTarget(request.url ?? "");
    if (!target.ok) return refuseTarget(context, response, { ...target, options });
    const exchange = createExchange({ request, response, path: target.path, options });
    if (context.credentials === null) exchange.tokens.push(...logins.take(request.rawHeaders));
    timeouts.watch(exchange);
    const ending = await serve(context, exchange).catch((error: unknown) => endEarly(context, exchange, error));
    timeouts.forget(exchange);
    finishExchange(exchange, ending, context);
  };
};

/** More clients than use one proxy at the same time. */
const mostLogins = 16;

/** In pass-through mode the client's own login goes upstream: what came last is known, so that no event quotes it. */
const createRecentLogins = () => {
  const recent = new Map<string, Secret>();
  const remember = (value: string): Secret => {
    const login = recent.get(value) ?? secret(value);
    recent.delete(value);
    recent.set(value, login);
    const [oldest] = recent.size > mostLogins ? recent.keys() : [];
    if (oldest !== undefined) recent.delete(oldest);
    return login;
  };
  return {
    all: (): Iterable<Secret> => recent.values(),
    take: (headers: RawHeaders): readonly Secret[] =>
      [...valuesOf(headers, "authorization").map((value) => value.replace(/^\w+ +/, "")), ...valuesOf(headers, "x-api-key")].map(remember),
  };
};

const refuseTarget = ({ publish, respondError }: ForwardContext, response: ServerResponse, { code, message, options: { requestId } }: { readonly code: "bad-request" | "not-found"; readonly message: string; readonly options: ForwardOptions }): void => {
  publish({ type: "request.rejected", requestId, status: meaningOf(code).status, code, message });
  respondError(response, { code, message, requestId });
};

/** From the body to the relayed answer. Rejects with an `ExchangeError`, or with any error for an answer that broke off. */
const serve = async (context: ForwardContext, exchange: Exchange): Promise<Ending> => {
  exchange.body = await openBody(context, exchange);
  let credential = await assign(context, exchange);
  for (;;) {
    const { body, retries } = exchange;
    const result = await attempt(context, exchange, credential);
    const renewable = credential?.kind === "oauth" && !exchange.renewed;
    const next = nextStep(result, { retries, replayable: body.isReplayable(), renewable }, context.settings.retry);
    switch (next.do) {
      case "relay":
        return relay(context, exchange, next.answer);
      case "renew": {
        const newer = await newerCredential(context, exchange, credential);
        if (newer === null) return relay(context, exchange, next.answer);
        publishFailed(context, exchange, { code: "unauthorized", message: "The upstream refused the token (401); sent again with a newer one." });
        next.answer.discard();
        credential = newer;
        break;
      }
      case "wait":
        publishFailed(context, exchange, { code: `http-${next.answer.status}`, message: `The upstream answered ${next.answer.status}; tried again as configured.` });
        next.answer.discard();
        await pause(context, exchange, next.ms);
        break;
      case "retry":
        publishFailed(context, exchange, { code: next.failure.reason, message: next.failure.explanation.message });
        exchange.retries += 1;
        break;
      case "other account": {
        publishFailed(context, exchange, { code: next.failure.reason, message: next.failure.explanation.message });
        const other = await otherAccount(context, exchange, { credential, reason: next.failure.reason });
        if (other === null) await pause(context, exchange, next.ms);
        else exchange.retries += 1;
        credential = other ?? credential;
        break;
      }
      case "give up":
        publishFailed(context, exchange, { code: next.failure.reason, message: next.failure.explanation.message });
        throw failedUpstream(next.failure);
      default:
        assertNever(next);
    }
    publishAssigned(context, exchange, credential);
  }
};

const openBody = ({ clock, settings }: ForwardContext, exchange: Exchange): RequestBody | Promise<RequestBody> => {
  const limits = { maxBytes: settings.maxBodyBytes, collectAll: mapsModels(settings.models) };
  const opened = openRequestBody(exchange.request, limits, {
    onTooLarge: () => exchange.controller.abort(tooLarge(settings.maxBodyBytes)),
    onProgress() {
      if (exchange.stage === "waiting") exchange.aliveAt = clock.monotonic();
    },
  });
  return settled(exchange, opened);
};

const tooLarge = (maxBodyBytes: number): ExchangeError =>
  ownEnding("too-large", { outcome: "failed", blame: "client", message: `The request body is larger than ${maxBodyBytes} bytes.`, nextStep: "The limit is server.maxBodyBytes." });

/** One way to serve the request: a body, and the account that was asked for. */
type Choice = { readonly body: RequestBody; readonly accountId: string | null };

/** Finds the credential of the first attempt, and with a mapped model the body that goes with it. Null in pass-through mode. */
const assign = async (context: ForwardContext, exchange: Exchange): Promise<Credential | null> => {
  const { credentials, settings } = context;
  let refused: CredentialRefusal | null = null;
  for (const { body, accountId } of choicesFor(exchange.body, settings)) {
    exchange.body = body;
    const outcome = credentials === null ? null : await settled(exchange, credentials.acquire({ sessionId: exchange.options.sessionId, accountId }));
    if (outcome === null || outcome.ok) {
      const credential = outcome === null ? null : outcome.credential;
      publishAssigned(context, exchange, credential);
      return credential;
    }
    refused = outcome;
  }
  throw withoutCredential(refused);
};

const choicesFor = (body: RequestBody, { models, accountId }: ForwardSettings): readonly Choice[] => {
  const content = mapsModels(models) ? body.whole() : null;
  const plan = content === null ? null : planModel(content, models);
  if (plan === null || plan.routes.length === 0) return [{ body, accountId }];
  return plan.routes.map((route) => ({ body: wholeBody(plan.apply(route), body.bytesIn()), accountId: route.account ?? accountId }));
};

/** Nearly always there is no promise to wait for. */
const settled = <T>(exchange: Exchange, value: T | Promise<T>): T | Promise<T> => (value instanceof Promise ? untilAborted(exchange, value) : value);

const withoutCredential = (refused: CredentialRefusal | null): ExchangeError => {
  const { message, hint, retryAfterSeconds } = refused ?? { message: "No account can serve this request.", hint: "Sign in: claude-oauth-proxy login.", retryAfterSeconds: null };
  return ownEnding("sign-in-needed", { outcome: "failed", blame: "credential", message, nextStep: hint }, retryAfterSeconds === null ? [] : ["retry-after", String(retryAfterSeconds)]);
};

/** After a 401: a newer token for the same account. Null when there is none, or when the body cannot be sent again by then. */
const newerCredential = async ({ credentials }: ForwardContext, exchange: Exchange, used: Credential | null): Promise<Credential | null> => {
  exchange.renewed = true;
  if (credentials === null || used === null) return null;
  // Why there is no newer token is reported by the part that tried to get one.
  const outcome = await untilAborted(exchange, credentials.renew(used).catch(() => null));
  return outcome?.ok === true && exchange.body.isReplayable() ? outcome.credential : null;
};

/** Nothing was sent: an account with another server, null when there is none. */
const otherAccount = async ({ credentials }: ForwardContext, exchange: Exchange, { credential, reason }: { readonly credential: Credential | null; readonly reason: string }): Promise<Credential | null> => {
  if (credentials === null || credential === null) return null;
  const { unreachable, options } = exchange;
  unreachable.push(credential.baseUrl);
  const other = credentials.elsewhere(credential, { sessionId: options.sessionId, reason, unreachable });
  if (other === null) return null;
  // Whatever keeps the other one from serving, the first is then as good as before.
  return untilAborted(exchange, other.catch(() => null).then((found) => found ?? credential));
};

const pause = async ({ clock }: ForwardContext, exchange: Exchange, ms: number): Promise<void> => {
  const { signal } = exchange.controller;
  exchange.retries += 1;
  await sleep(clock, ms, { signal });
  if (signal.aborted) throw signal.reason;
};

/** Publishes the account of the next attempt when it is another one. */
const publishAssigned = ({ publish }: ForwardContext, exchange: Exchange, credential: Credential | null): void => {
  const accountId = credential?.accountId ?? null;
  if (exchange.attempts > 0 && exchange.accountId === accountId) return;
  exchange.accountId = accountId;
  publish({ type: "request.assigned", requestId: exchange.options.requestId, accountId, reason: credential?.reason ?? "pass-through" });
};

/**
 * The end of an exchange without the upstream's whole answer: aborted for a reason, given up, or broken off. The client
 * gets an answer of our own, or its connection is broken off when the upstream's answer had begun.
 */
const endEarly = async (context: ForwardContext, exchange: Exchange, error: unknown): Promise<Ending> => {
  const { controller, response, options } = exchange;
  const end = reasonOf(exchange, error);
  controller.abort(end);
  if (end.answer === null || response.destroyed || response.writableEnded) return end.ending;
  if (response.headersSent) {
    breakOff(exchange);
    return end.ending;
  }
  const { code, headers } = end.answer;
  const { message, nextStep: hint } = end.ending;
  exchange.status = meaningOf(code).status;
  for (const fields of [options.headers, headers]) for (let index = 0; index + 1 < fields.length; index += 2) response.setHeader(fields[index] ?? "", fields[index + 1] ?? "");
  context.respondError(response, { code, message: message ?? "", requestId: options.requestId, ...(hint === null ? {} : { hint }) });
  await exchange.closed;
  return response.writableFinished ? end.ending : clientLeft.ending;
};

const reasonOf = (exchange: Exchange, error: unknown): ExchangeError => {
  const { signal } = exchange.controller;
  if (signal.aborted) return signal.reason as ExchangeError;
  if (error instanceof ExchangeError) return error;
  return exchange.stage === "relaying" ? brokenAnswer(error, exchange.origin) : ownFault(error);
};

// A fault of our own must still end the one request it hit, and only that.
const ownFault = (error: unknown): ExchangeError => {
  const known = error instanceof AppError ? error : null;
  const message = known?.message ?? "The proxy failed to handle this request.";
  return ownEnding(known?.code ?? "internal", { outcome: "failed", blame: "proxy", message, nextStep: known?.hint ?? "Report it with the request id." });
};
