// What is told of a request when it comes in: names and sizes from its head, made harmless for a terminal
// and cut. Never a value of a credential, never the query.
import { visibleText } from "../lib/visible-text.ts";
import type { RequestEvent } from "../messages/events.ts";
import type { Head } from "./verdict.ts";

type Received = Extract<RequestEvent, { type: "request.received" }>;

/** The fact `request.received` of one request for `/v1/*`. */
export const receivedFact = ({ method, target, inbound }: Head, requestId: string): Received => ({
  type: "request.received",
  requestId,
  method: visibleText(method, 20),
  path: visibleText(pathOf(target), 200),
  client: visibleText(firstProduct(inbound.userAgent), 60),
  sessionId: shown(inbound.sessionId),
  agentId: shown(inbound.agentId),
  parentAgentId: shown(inbound.parentAgentId),
  bodyBytes: bytesOf(inbound.contentLength),
});

/** The target without its query. */
export const pathOf = (target: string): string => upTo(target, "?");

const upTo = (text: string, sign: string): string => {
  const end = text.indexOf(sign);
  return end === -1 ? text : text.slice(0, end);
};

const shown = (id: string | null): string | null => (id === null || id === "" ? null : visibleText(id, 100));

// `claude-cli/2.1.197 (external, cli)` → `claude-cli/2.1.197`
const firstProduct = (userAgent: string | null): string => upTo(userAgent ?? "", " ");

const bytesOf = (contentLength: string | null): number | null => (contentLength === null ? null : Number(contentLength));
