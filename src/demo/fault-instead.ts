// Faults that replace an endpoint: each gives a whole plan, the endpoint never hears of the request.
import type { InsteadFault, RecordedFault } from "./fault.ts";
import { planOf, silentPlan, wirePlan, type Pace, type Plan } from "./plan.ts";
import { bytesReply, errorReply, jsonReply, type Header, type Reply } from "./reply.ts";

/** What a fault may need of the request it hits. */
export type Struck = { readonly requestId: string; readonly pace: Pace; readonly planLimitHeaders: (window: "5h" | "7d") => readonly Header[] };

const messages: Readonly<Record<number, string>> = {
  400: "Invalid request",
  401: "OAuth token has expired. Please obtain a new token or refresh your existing token.",
  403: "OAuth authentication is currently not allowed for this organization.",
  404: "Not found",
  413: "Request exceeds the maximum size",
  429: "This request would exceed your organization's rate limit.",
  500: "Internal server error",
  529: "Overloaded",
};

const bytesOf = (value: string | Uint8Array): Buffer => (typeof value === "string" ? Buffer.from(value) : Buffer.from(value));

const statusReply = (fault: Extract<InsteadFault, { kind: "status" }>, requestId: string): Reply => {
  const { status, body, headers = [] } = fault;
  if (body === undefined) return errorReply(requestId, { status, message: fault.message ?? messages[status] ?? "Simulated error" }, headers);
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return jsonReply(status, body, headers);
  return { status, headers, body: { kind: "bytes", bytes: bytesOf(body) } };
};

const cdnPage = (status: number): Reply =>
  bytesReply(status, "text/html; charset=UTF-8", `<!DOCTYPE html><html><head><title>${status} | simulated edge</title></head><body><h1>Error ${status}</h1><p>Ray ID: 0</p></body></html>`, [
    ["server", "cloudflare"],
  ]);

const recorded = ({ status, headers, chunks, end = "complete" }: RecordedFault): Plan => ({
  ...silentPlan(end),
  status,
  headers,
  head: "ordinary",
  pieces: chunks.map(({ bytes, delayMs = 0 }) => ({ bytes: bytesOf(bytes), waitMs: delayMs })),
});

const throttled = (requestId: string, retryAfterSeconds: number | undefined): Reply =>
  errorReply(requestId, { status: 429, message: "Server is temporarily limiting requests (not your usage limit)" }, retryAfterSeconds === undefined ? [] : [["retry-after", String(retryAfterSeconds)]]);

const replyOf = (fault: InsteadFault, { requestId, planLimitHeaders }: Struck): Reply | null => {
  switch (fault.kind) {
    case "status":
      return statusReply(fault, requestId);
    case "plan-limit":
      return errorReply(requestId, { status: 429, message: "This request would exceed your account's rate limit. Please try again later." }, planLimitHeaders(fault.window ?? "5h"));
    case "throttle":
      return throttled(requestId, fault.retryAfterSeconds);
    case "overloaded":
      return errorReply(requestId, { status: 529, message: "Overloaded" }, [["x-should-retry", "true"]]);
    case "cdn-html":
      return cdnPage(fault.status ?? 503);
    case "redirect":
      return bytesReply(fault.status ?? 302, "text/plain", "", [["location", fault.location]]);
    default:
      return null;
  }
};

const rawPlanOf = (fault: InsteadFault): Plan => {
  switch (fault.kind) {
    case "refuse":
      return silentPlan("reset");
    case "hang-up":
      return silentPlan("close");
    case "never":
      return silentPlan("hold");
    case "one-byte":
      return wirePlan(Buffer.from("H"), "hold");
    case "garbage":
      return wirePlan(Buffer.from("\u0000\u0001garbage, no HTTP\r\n\r\n\u00ff", "latin1"), "close");
    case "unasked-upgrade":
      return wirePlan(Buffer.from("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), "close");
    case "wire":
      return wirePlan(bytesOf(fault.bytes), fault.end ?? "close");
    case "recorded":
      return recorded(fault);
    default:
      throw new TypeError(`no plan for ${fault.kind}`);
  }
};

/** The whole plan of `fault`. */
export const insteadPlan = (fault: InsteadFault, struck: Struck): Plan => {
  const reply = replyOf(fault, struck);
  if (reply === null) return rawPlanOf(fault);
  return planOf({ ...reply, headers: [...reply.headers, ["request-id", struck.requestId]] }, struck.pace);
};

const insteadKinds: ReadonlySet<string> = new Set<InsteadFault["kind"]>([
  "status",
  "plan-limit",
  "throttle",
  "overloaded",
  "cdn-html",
  "redirect",
  "refuse",
  "hang-up",
  "never",
  "one-byte",
  "garbage",
  "unasked-upgrade",
  "wire",
  "recorded",
]);

export const isInstead = (fault: { readonly kind: string }): fault is InsteadFault => insteadKinds.has(fault.kind);
