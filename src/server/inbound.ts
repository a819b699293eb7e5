// One walk over the raw header list: everything the server itself wants to know of a request. Raw, because
// of two Host fields both count. Runs for every request, so it allocates once.
import { createFieldTable } from "../http/fields.ts";
import type { RawFields } from "../http/fields.ts";

/** What stood in the head. Counts are of field lines; a text is the last line's value. */
export type Inbound = {
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
  /** A name that some servers take for one of the framing fields, such as `transfer_encoding`. */
  disguisedFraming: boolean;
  /** There is an `Upgrade`, and `Connection` names it (RFC 9110 section 7.8). */
  upgrade: boolean;
  asksUpgrade: boolean;
  expect: string | null;
  preflightMethod: string | null;
  preflightHeaders: string | null;
  userAgent: string | null;
  sessionId: string | null;
  agentId: string | null;
  parentAgentId: string | null;
};

type Take = (inbound: Inbound, value: string) => void;

const takers: readonly (readonly [string, Take])[] = [
  ["host", (inbound, value) => { inbound.hostCount += 1; inbound.host = value; }],
  ["origin", (inbound, value) => { inbound.originCount += 1; inbound.origin = value; }],
  ["sec-fetch-site", (inbound, value) => { inbound.fetchSite = value; }],
  ["sec-fetch-mode", (inbound, value) => { inbound.fetchMode = value; }],
  ["sec-fetch-dest", (inbound, value) => { inbound.fetchDest = value; }],
  ["authorization", (inbound, value) => { inbound.authorizationCount += 1; inbound.authorization = value; }],
  ["x-api-key", (inbound, value) => { inbound.apiKeyCount += 1; inbound.apiKey = value; }],
  ["x-claude-oauth-proxy-key", (inbound, value) => { inbound.proxyKey = value; }],
  ["cookie", (inbound, value) => { inbound.cookie = inbound.cookie === null ? value : `${inbound.cookie}; ${value}`; }],
  ["x-csrf-token", (inbound, value) => { inbound.csrf = value; }],
  ["content-length", (inbound, value) => { inbound.contentLength = value; }],
  ["content_length", (inbound) => { inbound.disguisedFraming = true; }],
  ["transfer_encoding", (inbound) => { inbound.disguisedFraming = true; }],
  ["upgrade", (inbound) => { inbound.upgrade = true; }],
  ["connection", (inbound, value) => { inbound.asksUpgrade ||= value !== "keep-alive" && /\bupgrade\b/i.test(value); }],
  ["expect", (inbound, value) => { inbound.expect = value.toLowerCase(); }],
  ["access-control-request-method", (inbound, value) => { inbound.preflightMethod = value; }],
  ["access-control-request-headers", (inbound, value) => { inbound.preflightHeaders = value; }],
  ["user-agent", (inbound, value) => { inbound.userAgent = value; }],
  ["x-claude-code-session-id", (inbound, value) => { inbound.sessionId = value; }],
  ["x-claude-code-agent-id", (inbound, value) => { inbound.agentId = value; }],
  ["x-claude-code-parent-agent-id", (inbound, value) => { inbound.parentAgentId = value; }],
];

const takerOf = createFieldTable(takers);

/** Reads `rawHeaders` (name, value, name, value …) of a request. Never throws. */
export const readInbound = (rawHeaders: RawFields): Inbound => {
  const inbound = emptyInbound();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    takerOf(rawHeaders[index] ?? "")?.(inbound, rawHeaders[index + 1] ?? "");
  }
  return inbound;
};

const emptyInbound = (): Inbound => ({
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
  disguisedFraming: false,
  upgrade: false,
  asksUpgrade: false,
  expect: null,
  preflightMethod: null,
  preflightHeaders: null,
  userAgent: null,
  sessionId: null,
  agentId: null,
  parentAgentId: null,
});
