// One request from its head to whoever answers it. Errors of endpoints are caught here and nowhere else;
// what is forwarded is out of our hands after `forward` was called.
import type { RequestHandler } from "../http/connection-home.ts";
import type { HttpRequest } from "../http/request.ts";
import type { HttpResponse } from "../http/response.ts";
import type { Clock } from "../lib/clock.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import type { Forward } from "../proxy/deps.ts";
import { deniedFor } from "./broken-requests.ts";
import { corsFields, preflightFields } from "./cors.ts";
import { receivedFact } from "./facts.ts";
import type { Way } from "./gate.ts";
import { readInbound } from "./inbound.ts";
import { readBody } from "./read-body.ts";
import type { Peer } from "./rate-limit.ts";
import type { RefusalReports } from "./refusal-reports.ts";
import { refuse } from "./refuse.ts";
import type { Exchange } from "./refuse.ts";
import { respondEmpty, respondError } from "./respond.ts";
import { deny } from "./verdict.ts";
import type { Denied, Head } from "./verdict.ts";

export type HandlerDeps = {
  readonly gate: (head: Head, peer: Peer) => Way | Denied;
  readonly forward: Forward;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly nextId: () => string;
  readonly reports: RefusalReports;
  /** True once the server stops: nothing new is begun. */
  readonly isStopping: () => boolean;
};

type Arrival = Exchange & { readonly head: Head; readonly requestId: string };

/** Who answers the requests of every connection. */
export const createHandler = (deps: HandlerDeps): RequestHandler => {
  const { gate, clock, reports } = deps;

  const turnAway = (arrival: Arrival, denied: Denied): void => {
    reports.refused(arrival.head, arrival.requestId, denied);
    if (denied.code === "upgrade-refused") addFields(arrival.response, ["upgrade", "HTTP/1.1", "connection", "upgrade"]);
    refuse(arrival, { ...denied, requestId: arrival.requestId }, endsConnection(denied, arrival.head));
  };

  return {
    onRequest(request, response) {
      const receivedAt = clock.monotonic();
      const arrival: Arrival = { request, response, head: headOf(request), requestId: deps.nextId() };
      const way = deps.isStopping() ? stopping : gate(arrival.head, request);
      if (!way.ok) turnAway(arrival, way);
      else if (way.to === "preflight") answerPreflight(arrival, way.corsOrigin);
      else if (way.to === "forward") passOn(deps, arrival, { receivedAt, corsOrigin: way.corsOrigin });
      else void answer(deps, arrival, way);
    },
    onFault(fault, response, request) {
      const requestId = deps.nextId();
      const denied = deniedFor(fault);
      reports.refused(request === null ? null : headOf(request), requestId, denied);
      respondError(response, { ...denied, requestId });
    },
  };
};

const stopping = deny("shutting-down", "This proxy is stopping.", "Start it again, then repeat the request.");

// After a doubtful frame the next byte could be anybody's (RFC 9112 section 6.3), and so it is after what would not be HTTP any more.
const endsConnection = ({ code }: Denied, { method }: Head): boolean => code === "bad-request" || code === "upgrade-refused" || method === "TRACE" || method === "CONNECT";

/** The request line and fields of `request`, read once. */
const headOf = ({ method, target, rawHeaders }: HttpRequest): Head => ({ method, target, inbound: readInbound(rawHeaders) });

const answerPreflight = ({ response, head }: Arrival, origin: string): void => {
  addFields(response, preflightFields(origin, head.inbound));
  respondEmpty(response, 204);
};

const passOn = (deps: HandlerDeps, arrival: Arrival, known: { readonly receivedAt: number; readonly corsOrigin: string | null }): void => {
  const { head, request, response, requestId } = arrival;
  const received = receivedFact(head, requestId);
  deps.publish(received);
  goOn(arrival);
  deps.forward(request, response, {
    requestId,
    receivedAt: known.receivedAt,
    sessionId: received.sessionId,
    ...(known.corsOrigin === null ? {} : { answerHeaders: corsFields(known.corsOrigin) }),
  });
};

const answer = async (deps: HandlerDeps, arrival: Arrival, way: Extract<Way, { to: "endpoint" }>): Promise<void> => {
  const { head, request, response, requestId } = arrival;
  if (way.corsOrigin !== null) addFields(response, corsFields(way.corsOrigin));
  goOn(arrival);
  const query = new URLSearchParams(head.target.split("?").slice(1).join("?"));
  const call = { request, response, requestId, access: way.access, query, param: way.param, body: () => readBody(request, deps.clock) };
  try {
    await way.route.endpoint(call);
  } catch (error) {
    fail(deps, arrival, error);
  }
};

const fail = ({ publish }: HandlerDeps, arrival: Arrival, error: unknown): void => {
  const { requestId } = arrival;
  if (error instanceof AppError) {
    const { code, message, hint } = error;
    refuse(arrival, { code, message, requestId, ...(hint === undefined ? {} : { hint }) });
    return;
  }
  const kind = error instanceof Error ? error.name : typeof error;
  publish({ type: "notice", level: "error", code: "internal", message: `An endpoint failed unexpectedly (${kind}).`, hint: null });
  refuse(arrival, { code: "internal", message: "Something failed here unexpectedly.", requestId });
};

// RFC 9110 section 10.1.1: only now is the client asked for the body.
const goOn = ({ head, response }: Arrival): void => {
  if (head.inbound.expect === "100-continue") response.writeContinue();
};

const addFields = (response: HttpResponse, fields: readonly string[]): void => {
  for (let index = 0; index + 1 < fields.length; index += 2) response.addField(fields[index] ?? "", fields[index + 1] ?? "");
};
