// One request from its headers to the end of its answer: script, body, endpoint, faults, delivery.
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { base64url, type Random } from "../lib/random.ts";
import { deliver, deliveryOf, type Delivery, type Pace } from "./delivery.ts";
import { applyDeliveryFaults } from "./delivery-faults.ts";
import type { Exchange, Journal } from "./journal.ts";
import type { Limits } from "./messages.ts";
import { grantTypeOf } from "./oauth-endpoints.ts";
import { errorReply, type Reply, type SimulatedRequest } from "./reply.ts";
import { applyReplyFaults, compress, replacement } from "./reply-faults.ts";
import { ownerOf } from "./request-check.ts";
import { paths, type Routes } from "./routes.ts";
import { replacesEndpoint, type Fault, type Script } from "./faults.ts";
import type { Tokens } from "./tokens.ts";
import { findUser } from "./users.ts";

export type ServeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: Tokens;
  readonly limits: Limits;
  readonly journal: Journal;
  readonly script: Script;
  readonly routes: Routes;
  readonly pace: Pace;
  readonly maxBodyBytes: number;
  readonly keepBodyBytes: number;
  /** Which connection, counted from 1, a request came on. */
  readonly connectionOf: (message: IncomingMessage) => number;
};

/** Answers one request; resolves when nothing is left to do for it, and never rejects. */
export const serve = async (deps: ServeDeps, message: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { request, exchange } = open(deps, message);
  response.once("close", () => exchange.closed(response.writableFinished));
  await respond(deps, { message, response, request, exchange }).catch((error: unknown) => respondDefect(response, request.requestId, error));
};

const open = (deps: ServeDeps, message: IncomingMessage): { readonly request: SimulatedRequest; readonly exchange: Exchange } => {
  const { url: target = "", method = "", headers, rawHeaders } = message;
  const [path = "", ...query] = target.split("?");
  const requestId = `req_011${base64url(deps.random(15))}`;
  const exchange = deps.journal.add({
    id: requestId,
    at: deps.clock.now(),
    connection: deps.connectionOf(message),
    method,
    target,
    rawHeaders,
    body: Buffer.alloc(0),
    bodyLength: 0,
    bodySha256: null,
    bodyComplete: false,
    account: ownerOf(deps.tokens, { headers })?.id ?? null,
    status: null,
    responseHeaders: [],
    bytesSent: 0,
    streaming: false,
    finished: false,
    aborted: false,
    leftAtByte: null,
  });
  return { request: { requestId, method, path, query: new URLSearchParams(query.join("?")), headers, body: Buffer.alloc(0) }, exchange };
};

/** A defect of the simulation or of a script is answered with its text, so that no client waits for ever. */
const respondDefect = (response: ServerResponse, requestId: string, error: unknown): void => {
  if (response.headersSent) return void response.destroy();
  const reply = errorReply(requestId, { status: 500, message: `The simulated upstream failed: ${String(error)}` });
  response.writeHead(500, { "content-type": "application/json" });
  response.end(reply.body.kind === "bytes" ? reply.body.bytes : "");
};

type Turn = { readonly message: IncomingMessage; readonly response: ServerResponse; readonly request: SimulatedRequest; readonly exchange: Exchange };

const respond = async (deps: ServeDeps, { message, response, request, exchange }: Turn): Promise<void> => {
  const early = replaced(deps, faultsFor(deps, request, exchange, true), request, exchange);
  if (early !== null) {
    message.resume();
    return deliver(early, response, exchange, deps.clock);
  }
  const body = await receiveBody(message, deps.maxBodyBytes, !deps.pace.fast);
  const kept = Buffer.from(body.bytes.subarray(0, deps.keepBodyBytes));
  deps.journal.keepBody(exchange, { body: kept, bodyLength: body.length, bodySha256: body.sha256, bodyComplete: body.end === "complete" });
  if (body.end === "cut") return;
  if (body.end === "too-large") return deliver(tooLarge(deps, request), response, exchange, deps.clock);
  const whole = { ...request, body: body.bytes };
  if (isTokenCall(whole)) deps.journal.countTokenCall(grantTypeOf(whole));
  await deliver(await deliveryFor(deps, whole, exchange), response, exchange, deps.clock);
};

type ReceivedBody = {
  readonly bytes: Buffer;
  readonly length: number;
  readonly sha256: string | null;
  /** `too-large` is known before the rest was read; `cut` means that the client left. */
  readonly end: "complete" | "too-large" | "cut";
};

/** Never throws. What comes beyond the limit is read and dropped, so that an early answer arrives. */
const receiveBody = async (message: IncomingMessage, limit: number, hashed: boolean): Promise<ReceivedBody> => {
  if (Number(message.headers["content-length"] ?? 0) > limit) {
    message.resume();
    return { bytes: Buffer.alloc(0), length: 0, sha256: null, end: "too-large" };
  }
  const hash = hashed ? createHash("sha256") : null;
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve } = Promise.withResolvers<ReceivedBody["end"]>();
  message.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > limit) return resolve("too-large");
    hash?.update(chunk);
    chunks.push(chunk);
    return undefined;
  });
  message.once("end", () => resolve("complete"));
  message.once("error", () => resolve("cut"));
  message.once("close", () => resolve("cut"));
  const end = await promise;
  return { bytes: Buffer.concat(chunks), length, sha256: end === "complete" ? (hash?.digest("hex") ?? null) : null, end };
};

const tooLarge = (deps: ServeDeps, { requestId }: SimulatedRequest): Delivery =>
  deliveryOf(errorReply(requestId, { status: 413, message: "Request exceeds the maximum size" }, [["request-id", requestId]]), deps.pace);

const isTokenCall = ({ method, path }: SimulatedRequest): boolean => method === "POST" && path === paths.token;

const deliveryFor = async (deps: ServeDeps, request: SimulatedRequest, exchange: Exchange): Promise<Delivery> => {
  const faults = faultsFor(deps, request, exchange, false);
  const instead = replaced(deps, faults, request, exchange);
  if (instead !== null) return instead;
  const reply = executed(deps, request, faults);
  if (faults.length === 0) return deliveryOf(reply, deps.pace);
  return applyDeliveryFaults(deliveryOf(await compress(applyReplyFaults(reply, faults), faults), deps.pace), faults);
};

const faultsFor = ({ script }: ServeDeps, request: SimulatedRequest, { seen }: Exchange, early: boolean): readonly Fault[] => {
  if (script.isEmpty()) return [];
  const grant = !early && isTokenCall(request) ? grantTypeOf(request) : null;
  return script.take({ ...request, account: seen.account, grant }, early);
};

/** Null when no fault replaces the endpoint. */
const replaced = (deps: ServeDeps, faults: readonly Fault[], { requestId }: SimulatedRequest, { seen }: Exchange): Delivery | null => {
  const fault = faults.find(replacesEndpoint);
  if (fault === undefined) return null;
  const planLimitHeaders = (window: "5h" | "7d") => deps.limits.rejected(findUser(seen.account), window);
  return applyDeliveryFaults(replacement(fault, { requestId, pace: deps.pace, planLimitHeaders }), faults);
};

const executed = (deps: ServeDeps, request: SimulatedRequest, faults: readonly Fault[]): Reply => {
  const reply = deps.routes(request, faults.find((fault) => fault.kind === "answer") ?? null);
  return { ...reply, headers: [...reply.headers, ["request-id", request.requestId]] };
};
