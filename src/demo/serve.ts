// One request from its headers to the end of its answer: script, body, endpoint, faults, delivery.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { base64url, type Random } from "../lib/random.ts";
import { personOf } from "./credential.ts";
import { deliver } from "./deliver.ts";
import type { Fault } from "./fault.ts";
import { insteadPlan, isInstead } from "./fault-instead.ts";
import { changedReply, codedReply } from "./fault-reply.ts";
import { bentPlan } from "./fault-travel.ts";
import type { Exchange, Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Limits } from "./limits.ts";
import { findPerson } from "./people.ts";
import { planOf, type Pace, type Plan } from "./plan.ts";
import { receiveBody } from "./receive-body.ts";
import { errorReply, type Arrived, type Reply } from "./reply.ts";
import { paths, type Route } from "./route.ts";
import type { Script } from "./script.ts";
import { grantTypeOf } from "./token-endpoint.ts";

export type ServeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly limits: Limits;
  readonly journal: Journal;
  readonly script: Script;
  readonly route: Route;
  readonly pace: Pace;
  readonly maxBodyBytes: number;
  readonly keepBodyBytes: number;
  /** Called once for each token request whose body arrived. */
  readonly onTokenCall: (grant: ReturnType<typeof grantTypeOf>) => void;
  readonly connectionOf: (request: IncomingMessage) => number;
};

const open = (deps: ServeDeps, request: IncomingMessage): { readonly arrived: Arrived; readonly exchange: Exchange } => {
  const target = request.url ?? "";
  const [path = "", ...query] = target.split("?");
  const requestId = `req_011${base64url(deps.random(15))}`;
  const method = request.method ?? "";
  const account = personOf(deps.ledger, { headers: request.headers })?.id ?? null;
  const exchange = deps.journal.add({
    id: requestId,
    at: deps.clock.now(),
    connection: deps.connectionOf(request),
    method,
    target,
    rawHeaders: request.rawHeaders,
    body: Buffer.alloc(0),
    bodyLength: 0,
    bodySha256: null,
    bodyComplete: false,
    account,
    status: null,
    responseHeaders: [],
    bytesSent: 0,
    streaming: false,
    finished: false,
    aborted: false,
    leftAtByte: null,
  });
  const arrived = { requestId, method, path, query: new URLSearchParams(query.join("?")), headers: request.headers, body: Buffer.alloc(0) };
  return { arrived, exchange };
};

const isToken = ({ method, path }: Arrived): boolean => method === "POST" && path === paths.token;

const faultsFor = (deps: ServeDeps, arrived: Arrived, exchange: Exchange, early: boolean): readonly Fault[] => {
  if (deps.script.isEmpty()) return [];
  const grant = !early && isToken(arrived) ? grantTypeOf(arrived) : null;
  return deps.script.take({ ...arrived, account: exchange.seen.account, grant }, early);
};

const struckPlan = (deps: ServeDeps, faults: readonly Fault[], { requestId }: Arrived, exchange: Exchange): Plan | null => {
  const fault = faults.find(isInstead);
  if (fault === undefined) return null;
  const planLimitHeaders = (window: "5h" | "7d") => deps.limits.rejected(findPerson(exchange.seen.account), window);
  return bentPlan(insteadPlan(fault, { requestId, pace: deps.pace, planLimitHeaders }), faults);
};

const executed = (deps: ServeDeps, arrived: Arrived, faults: readonly Fault[]): Reply => {
  const reply = deps.route(arrived, faults.find((fault) => fault.kind === "answer") ?? null);
  return { ...reply, headers: [...reply.headers, ["request-id", arrived.requestId]] };
};

const planFor = async (deps: ServeDeps, arrived: Arrived, exchange: Exchange): Promise<Plan> => {
  const faults = faultsFor(deps, arrived, exchange, false);
  const struck = struckPlan(deps, faults, arrived, exchange);
  if (struck !== null) return struck;
  const reply = executed(deps, arrived, faults);
  if (faults.length === 0) return planOf(reply, deps.pace);
  return bentPlan(planOf(await codedReply(changedReply(reply, faults), faults), deps.pace), faults);
};

const tooLarge = (deps: ServeDeps, { requestId }: Arrived): Plan =>
  planOf(errorReply(requestId, { status: 413, message: "Request exceeds the maximum size" }, [["request-id", requestId]]), deps.pace);

/** A defect of the simulation or of a script is said aloud, never left to hang. */
const confess = (response: ServerResponse, requestId: string, error: unknown): void => {
  if (response.headersSent) return void response.destroy();
  const reply = errorReply(requestId, { status: 500, message: `The simulated upstream failed: ${String(error)}` });
  response.writeHead(500, { "content-type": "application/json" });
  response.end(reply.body.kind === "bytes" ? reply.body.bytes : "");
};

/** Answers one request; resolves when nothing is left to do for it, and never rejects. */
export const serve = async (deps: ServeDeps, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { arrived, exchange } = open(deps, request);
  response.once("close", () => exchange.closed(response.writableFinished));
  await respond(deps, { request, response, arrived, exchange }).catch((error: unknown) => confess(response, arrived.requestId, error));
};

type Turn = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly arrived: Arrived; readonly exchange: Exchange };

const respond = async (deps: ServeDeps, { request, response, arrived, exchange }: Turn): Promise<void> => {
  const early = struckPlan(deps, faultsFor(deps, arrived, exchange, true), arrived, exchange);
  if (early !== null) {
    request.resume();
    return deliver(early, response, exchange, deps.clock);
  }
  const body = await receiveBody(request, deps.maxBodyBytes, !deps.pace.fast);
  const complete = body.end === "complete";
  const kept = Buffer.from(body.bytes.subarray(0, deps.keepBodyBytes));
  deps.journal.keepBody(exchange, { body: kept, bodyLength: body.length, bodySha256: body.sha256, bodyComplete: complete });
  if (body.end === "cut") return;
  if (body.end === "too-large") return deliver(tooLarge(deps, arrived), response, exchange, deps.clock);
  const whole = { ...arrived, body: body.bytes };
  if (isToken(whole)) deps.onTokenCall(grantTypeOf(whole));
  await deliver(await planFor(deps, whole, exchange), response, exchange, deps.clock);
};
