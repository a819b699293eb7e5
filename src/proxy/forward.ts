// The way of a request, as a table of contents: target, body, credential, attempt; then relay and end.
// It reports every fact once, and a request that was let in ends with exactly one `request.finished`.
import type { Credential, CredentialOutcome } from "../accounts/credential.ts";
import type { HttpResponse } from "../http/response.ts";
import { AppError, meaningOf } from "../messages/errors.ts";
import { giveUpWaiting, startAttempt, tellAssigned } from "./attempt.ts";
import type { Forward, ForwarderDeps, RequestFacts } from "./deps.ts";
import { shutDown, silent } from "./endings.ts";
import { createExchange, finish, isOver } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { settle } from "./lane.ts";
import type { Lane } from "./lane.ts";
import { mapsModels, planModel } from "./model-map.ts";
import { answerOurselves } from "./own-answer.ts";
import { relayBreak } from "./relay.ts";
import { openRequestBody, wholeBody } from "./request-body.ts";
import type { BodyEvents, RequestBody } from "./request-body.ts";
import { checkTarget } from "./target.ts";
import { createWatch } from "./watch.ts";
import type { Lapse } from "./watch.ts";

/** Bodies up to here come in one read: collected they cost one write. Larger ones flow faster than they are gathered. */
const collectBytes = 48 * 1024;

/** Makes the one function that the server hands admitted `/v1/*` requests to. */
export const createForwarder = (deps: ForwarderDeps): Forward => {
  const lane: Lane = {
    ...deps,
    end(exchange, ending) {
      finish(exchange, ending, deps);
      watch.remove(exchange);
    },
  };
  const watch = createWatch({ clock: deps.clock, publish: deps.publish, limits: deps.settings, onLapse: (exchange, lapse) => lapsed(lane, exchange, lapse) });
  const limits = { maxBytes: deps.settings.maxBodyBytes, collectBytes, collectAll: mapsModels(deps.settings.models) };
  const upload: BodyEvents<Exchange> = {
    onReady: (exchange, body) => begin(lane, exchange, body),
    onTooLarge: (exchange) => refuseBody(lane, exchange),
    onProgress(exchange) {
      if (exchange.stage === "awaiting") exchange.aliveAt = deps.clock.monotonic();
    },
  };
  deps.cut?.addEventListener("abort", () => watch.each((exchange) => cutOff(lane, exchange)), { once: true });

  return (request, response, facts) => {
    const verdict = checkTarget(request.target);
    if (!verdict.ok) return reject(lane, response, { facts, code: verdict.code, message: verdict.message });
    const exchange = createExchange({ request, response, facts, path: verdict.path });
    watch.add(exchange);
    response.onClose(() => settle(lane, exchange));
    openRequestBody(exchange, limits, upload);
  };
};

const reject = (lane: Lane, response: HttpResponse, refusal: { readonly facts: RequestFacts; readonly code: "bad-request" | "not-found"; readonly message: string }): void => {
  const { code, message } = refusal;
  const { requestId } = refusal.facts;
  lane.publish({ type: "request.rejected", requestId, status: meaningOf(code).status, code, message });
  lane.respondError(response, { code, message, requestId });
};

const refuseBody = (lane: Lane, exchange: Exchange): void => {
  if (isOver(exchange)) return;
  exchange.call?.abort();
  const message = `The request body is larger than ${lane.settings.maxBodyBytes} bytes.`;
  const hint = "The limit is server.maxBodyBytes.";
  const ending = { outcome: "failed", blame: "client", errorCode: "too-large", message, nextStep: hint } as const;
  if (exchange.stage === "relaying") relayBreak(lane, exchange, ending);
  else answerOurselves(lane, exchange, { code: "too-large", message, hint }, ending);
};

/** One way to serve the request: a body, and the account that was asked for. */
type Choice = { readonly body: RequestBody; readonly accountId: string | null };

const begin = (lane: Lane, exchange: Exchange, body: RequestBody): void => {
  if (isOver(exchange)) return;
  exchange.body = body;
  try {
    assign(lane, exchange, choicesFor(lane, body));
  } catch (error) {
    failInside(lane, exchange, error);
  }
};

const choicesFor = ({ settings }: Lane, body: RequestBody): readonly Choice[] => {
  const asIs = [{ body, accountId: settings.accountId }];
  const content = mapsModels(settings.models) ? body.whole() : null;
  if (content === null) return asIs;
  const plan = planModel(content, settings.models);
  const mapped = plan.routes.map((route) => ({ body: wholeBody(plan.apply(route), body.bytesIn()), accountId: route.account ?? settings.accountId }));
  return mapped.length === 0 ? asIs : mapped;
};

const assign = (lane: Lane, exchange: Exchange, choices: readonly Choice[]): void => {
  const [choice, ...others] = choices;
  if (choice === undefined) return;
  exchange.body = choice.body;
  if (lane.credentials === null) return depart(lane, exchange, null);
  const outcome = lane.credentials.acquire({ sessionId: exchange.facts.sessionId, accountId: choice.accountId });
  if (!(outcome instanceof Promise)) return decide(lane, exchange, { outcome, others });
  outcome.then((later) => decide(lane, exchange, { outcome: later, others })).catch((error: unknown) => failInside(lane, exchange, error));
};

const decide = (lane: Lane, exchange: Exchange, { outcome, others }: { readonly outcome: CredentialOutcome; readonly others: readonly Choice[] }): void => {
  if (isOver(exchange)) return;
  if (outcome.ok) depart(lane, exchange, outcome.credential);
  else if (others.length > 0) assign(lane, exchange, others);
  else refuseWithoutCredential(lane, exchange, outcome);
};

const depart = (lane: Lane, exchange: Exchange, credential: Credential | null): void => {
  tellAssigned(lane, exchange, credential);
  startAttempt(lane, exchange, credential);
};

const refuseWithoutCredential = (lane: Lane, exchange: Exchange, { code, message, retryAfterSeconds }: Extract<CredentialOutcome, { ok: false }>): void => {
  if (retryAfterSeconds !== null) exchange.response.addField("retry-after", String(retryAfterSeconds));
  const hint = retryAfterSeconds === null ? "Sign in: claude-oauth-proxy login." : "Nothing to do: it is tried again by itself.";
  answerOurselves(lane, exchange, { code, message, hint }, { outcome: "failed", blame: "credential", errorCode: code, message, nextStep: hint });
};

// A fault of our own must still end the one request it hit, and only that.
const failInside = (lane: Lane, exchange: Exchange, error: unknown): void => {
  if (isOver(exchange)) return;
  const known = error instanceof AppError ? error : null;
  const code = known?.code ?? "internal";
  const message = known?.message ?? "The proxy failed to handle this request.";
  const hint = known?.hint ?? "Report it with the request id.";
  answerOurselves(lane, exchange, { code, message, hint }, { outcome: "failed", blame: "proxy", errorCode: code, message, nextStep: hint });
};

const lapsed = (lane: Lane, exchange: Exchange, lapse: Lapse): void => {
  if (lapse === "headers-timeout") giveUpWaiting(lane, exchange);
  else relayBreak(lane, exchange, silent);
};

const cutOff = (lane: Lane, exchange: Exchange): void => {
  if (exchange.stage === "relaying") return relayBreak(lane, exchange, shutDown);
  if (exchange.ending !== null) return;
  exchange.call?.abort();
  exchange.timer?.cancel();
  answerOurselves(lane, exchange, { code: "shutting-down", message: shutDown.message ?? "" }, shutDown);
};
