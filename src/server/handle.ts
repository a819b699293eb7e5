// One request from its head to whoever answers it. Errors of endpoints are caught here and nowhere else;
// what is forwarded is out of our hands after `forward` was called.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { Forward } from "../proxy/deps.ts";
import type { BrokenRequests } from "./broken-requests.ts";
import { headOf } from "./broken-requests.ts";
import { corsFields, preflightFields } from "./cors.ts";
import type { Exchanges } from "./exchanges.ts";
import { receivedFact } from "./facts.ts";
import type { Way } from "./gate.ts";
import { readBody } from "./read-body.ts";
import type { Peer } from "./rate-limit.ts";
import type { RefusalReports } from "./refusal-reports.ts";
import type { Exchange, Refuser } from "./refuse.ts";
import { respondEmpty } from "./respond.ts";
import { deny } from "./verdict.ts";
import type { Denied, Head } from "./verdict.ts";

export type HandlerDeps = {
  readonly gate: (head: Head, peer: Peer) => Way | Denied;
  readonly forward: Forward;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly nextId: () => string;
  readonly exchanges: Exchanges;
  readonly refuser: Refuser;
  readonly reports: RefusalReports;
  readonly broken: BrokenRequests;
  /** True once the server stops: nothing new is begun. */
  readonly isStopping: () => boolean;
};

type Arrival = Exchange & { readonly head: Head; readonly requestId: string };

/** The listener for node:http's `request`, `checkContinue` and `checkExpectation`. */
export const createHandler = (deps: HandlerDeps) => {
  const { gate, clock, exchanges, refuser, reports } = deps;

  const turnAway = (arrival: Arrival, denied: Denied): void => {
    reports.refused(arrival.head, arrival.requestId, denied);
    // After a doubtful frame the next byte could be anybody's (RFC 9112 section 6.3).
    refuser.refuse(arrival, { ...denied, requestId: arrival.requestId }, denied.code === "bad-request" || arrival.head.method === "TRACE");
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    const receivedAt = clock.monotonic();
    const arrival: Arrival = { request, response, head: headOf(request), requestId: deps.nextId() };
    exchanges.add(request, response);
    const way = deps.isStopping() ? stopping : gate(arrival.head, request.socket);
    if (!way.ok) turnAway(arrival, way);
    else if (way.to === "preflight") answerPreflight(arrival, way.corsOrigin);
    else if (way.to === "forward") passOn(deps, arrival, { receivedAt, corsOrigin: way.corsOrigin });
    else void answer(deps, arrival, way);
  };
};

const stopping = deny("shutting-down", "This proxy is stopping.", "Start it again, then repeat the request.");

const answerPreflight = ({ response, head }: Arrival, origin: string): void => {
  setFields(response, preflightFields(origin, head.inbound));
  respondEmpty(response, 204);
};

/**
 * Hands a request to the forwarder. A chunked body is parsed first as far as it has come: the bad chunk
 * of a smuggled request mostly stands in the same packet, and node:http announces the request before it.
 */
const passOn = (deps: HandlerDeps, arrival: Arrival, known: { readonly receivedAt: number; readonly corsOrigin: string | null }): void => {
  const { head, request, response, requestId } = arrival;
  const received = receivedFact(head, requestId);
  deps.publish(received);
  const go = (): void => {
    if (deps.broken.isBroken(request.socket) || request.destroyed) return deps.reports.rejected(requestId, badBody);
    goOn(arrival);
    deps.forward(request, response, {
      requestId,
      receivedAt: known.receivedAt,
      sessionId: received.sessionId,
      ...(known.corsOrigin === null ? {} : { answerHeaders: corsFields(known.corsOrigin) }),
    });
  };
  if (head.inbound.transferEncoding === null) go();
  else setImmediate(go);
};

const badBody = deny("bad-request", "The body broke off or is not well-formed.");

const answer = async (deps: HandlerDeps, arrival: Arrival, way: Extract<Way, { to: "endpoint" }>): Promise<void> => {
  const { head, request, response, requestId } = arrival;
  if (way.corsOrigin !== null) setFields(response, corsFields(way.corsOrigin));
  goOn(arrival);
  const query = new URLSearchParams(head.target.split("?").slice(1).join("?"));
  const call = { request, response, requestId, access: way.access, query, param: way.param, body: () => readBody(request, deps.clock) };
  try {
    await way.route.endpoint(call);
  } catch (error) {
    fail(deps, arrival, error);
  }
};

const fail = ({ refuser, publish }: HandlerDeps, arrival: Arrival, error: unknown): void => {
  const { requestId } = arrival;
  if (error instanceof AppError) {
    const { code, message, hint } = error;
    refuser.refuse(arrival, { code, message, requestId, ...(hint === undefined ? {} : { hint }) });
    return;
  }
  const kind = error instanceof Error ? error.name : typeof error;
  publish({ type: "notice", level: "error", code: "internal", message: `An endpoint failed unexpectedly (${kind}).`, hint: null });
  refuser.refuse(arrival, { code: "internal", message: "Something failed here unexpectedly.", requestId });
};

// RFC 9110 section 10.1.1: only now is the client asked for the body.
const goOn = ({ head, response }: Arrival): void => {
  if (head.inbound.expect === "100-continue" && head.httpVersion === "1.1") response.writeContinue();
};

const setFields = (response: ServerResponse, fields: readonly string[]): void => {
  for (let index = 0; index + 1 < fields.length; index += 2) response.setHeader(fields[index] ?? "", fields[index + 1] ?? "");
};
