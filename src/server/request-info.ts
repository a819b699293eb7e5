// What the server itself reads from a request's head: one walk over the raw field list. Raw, because
// `request.headers` of node:http shows only the first of two Host fields. Runs for every request.
import type { IncomingMessage } from "node:http";
import type { RawHeaders } from "../lib/http-fields.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { RequestEvent } from "../messages/events.ts";

/** The fields of one head. Counts are of field lines; a text is the last line's value. */
export type RequestFields = {
  hostCount: number;
  host: string;
  originCount: number;
  origin: string | null;
  fetchSite: string | null;
  fetchMode: string | null;
  fetchDest: string | null;
  authorizationCount: number;
  authorization: string | null;
  apiKeyCount: number;
  apiKey: string | null;
  proxyKey: string | null;
  cookie: string | null;
  csrf: string | null;
  contentLength: string | null;
  transferEncoding: string | null;
  /** Lines of Content-Length and Transfer-Encoding together. */
  framingCount: number;
  /** A name that some servers take for one of the framing fields, such as `transfer_encoding`. */
  disguisedFraming: boolean;
  expectCount: number;
  expect: string | null;
  preflightMethod: string | null;
  preflightHeaders: string | null;
  userAgent: string | null;
  sessionId: string | null;
  agentId: string | null;
  parentAgentId: string | null;
};

/** The request line and the fields of one request. `target` is the request line's own text. */
export type RequestInfo = { readonly method: string; readonly target: string; readonly httpVersion: string; readonly fields: RequestFields };

type Take = (fields: RequestFields, value: string) => void;

const takers: ReadonlyMap<string, Take> = new Map<string, Take>([
  ["host", (fields, value) => { fields.hostCount += 1; fields.host = value; }],
  ["origin", (fields, value) => { fields.originCount += 1; fields.origin = value; }],
  ["sec-fetch-site", (fields, value) => { fields.fetchSite = value; }],
  ["sec-fetch-mode", (fields, value) => { fields.fetchMode = value; }],
  ["sec-fetch-dest", (fields, value) => { fields.fetchDest = value; }],
  ["authorization", (fields, value) => { fields.authorizationCount += 1; fields.authorization = value; }],
  ["x-api-key", (fields, value) => { fields.apiKeyCount += 1; fields.apiKey = value; }],
  ["x-claude-oauth-proxy-key", (fields, value) => { fields.proxyKey = value; }],
  ["cookie", (fields, value) => { fields.cookie = fields.cookie === null ? value : `${fields.cookie}; ${value}`; }],
  ["x-csrf-token", (fields, value) => { fields.csrf = value; }],
  ["content-length", (fields, value) => { fields.framingCount += 1; fields.contentLength = value; }],
  ["transfer-encoding", (fields, value) => { fields.framingCount += 1; fields.transferEncoding = value; }],
  ["content_length", (fields) => { fields.disguisedFraming = true; }],
  ["transfer_encoding", (fields) => { fields.disguisedFraming = true; }],
  ["expect", (fields, value) => { fields.expectCount += 1; fields.expect = value.toLowerCase(); }],
  ["access-control-request-method", (fields, value) => { fields.preflightMethod = value; }],
  ["access-control-request-headers", (fields, value) => { fields.preflightHeaders = value; }],
  ["user-agent", (fields, value) => { fields.userAgent = value; }],
  ["x-claude-code-session-id", (fields, value) => { fields.sessionId = value; }],
  ["x-claude-code-agent-id", (fields, value) => { fields.agentId = value; }],
  ["x-claude-code-parent-agent-id", (fields, value) => { fields.parentAgentId = value; }],
]);

/** The request line and fields of `request`, read once. */
export const requestInfoOf = ({ method = "", url = "", httpVersion, rawHeaders }: IncomingMessage): RequestInfo => ({
  method,
  target: url,
  httpVersion,
  fields: readFields(rawHeaders),
});

/** Reads a raw field list. Never throws. */
export const readFields = (raw: RawHeaders): RequestFields => {
  const fields = noFields();
  for (let index = 0; index + 1 < raw.length; index += 2) takers.get((raw[index] ?? "").toLowerCase())?.(fields, raw[index + 1] ?? "");
  return fields;
};

const noFields = (): RequestFields => ({
  hostCount: 0,
  host: "",
  originCount: 0,
  origin: null,
  fetchSite: null,
  fetchMode: null,
  fetchDest: null,
  authorizationCount: 0,
  authorization: null,
  apiKeyCount: 0,
  apiKey: null,
  proxyKey: null,
  cookie: null,
  csrf: null,
  contentLength: null,
  transferEncoding: null,
  framingCount: 0,
  disguisedFraming: false,
  expectCount: 0,
  expect: null,
  preflightMethod: null,
  preflightHeaders: null,
  userAgent: null,
  sessionId: null,
  agentId: null,
  parentAgentId: null,
});

type Received = Extract<RequestEvent, { type: "request.received" }>;

/**
 * The event `request.received` of one request for `/v1/*`: names and sizes from its head, made harmless for a
 * terminal and cut. Never the value of a credential, never the query.
 */
export const receivedEvent = ({ method, target, fields }: RequestInfo, requestId: string): Received => ({
  type: "request.received",
  requestId,
  method: visibleText(method, 20),
  path: visibleText(pathOf(target), 200),
  client: visibleText(firstProduct(fields.userAgent), 60),
  sessionId: shownId(fields.sessionId),
  agentId: shownId(fields.agentId),
  parentAgentId: shownId(fields.parentAgentId),
  bodyBytes: fields.contentLength === null ? null : Number(fields.contentLength),
});

/** The path of `target` for a log: without its query, and without the token of a sign-in link. */
export const shownPath = (target: string, longest: number): string => visibleText(pathOf(target).replace(/\/login\/.*$/s, "/login/…"), longest);

/** The target without its query. */
export const pathOf = (target: string): string => upTo(target, "?");

const upTo = (text: string, sign: string): string => {
  const end = text.indexOf(sign);
  return end === -1 ? text : text.slice(0, end);
};

const shownId = (id: string | null): string | null => (id === null || id === "" ? null : visibleText(id, 100));

// `claude-cli/2.1.197 (external, cli)` → `claude-cli/2.1.197`
const firstProduct = (userAgent: string | null): string => upTo(userAgent ?? "", " ");
