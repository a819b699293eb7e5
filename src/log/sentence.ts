// What an event says in words. One function for each prefix; the text is made harmless by the caller.
import { assertNever } from "../lib/assert-never.ts";
import type { AccountEvent, AttemptEvent, Event, LimitsEvent, LoginEvent, ProcessEvent, RequestEvent, ResponseEvent, ServerEvent, TokenEvent, UsageEvent } from "../messages/events.ts";
import { dateTime as localTime } from "../lib/units.ts";
import { duration } from "./local-time.ts";

/** One sentence without time and level; `about` is what is known of the request, as `POST /v1/messages`. */
export const sentence = (event: Event, about: string | null): string => {
  const prefix = event.type.split(".")[0];
  switch (prefix) {
    case "server":
      return ofServer(event as ServerEvent);
    case "request":
      return ofRequest(event as RequestEvent, about);
    case "account":
      return ofAccount(event as AccountEvent);
    case "token":
      return ofToken(event as TokenEvent);
    case "login":
      return ofLogin(event as LoginEvent);
    default:
      return ofRest(event);
  }
};

const ofServer = (event: ServerEvent): string => {
  switch (event.type) {
    case "server.listening":
      return `listening on ${event.url} (${event.mode}, version ${event.version}, pid ${event.pid})`;
    case "server.stopping":
      return `stopping (${event.reason}): ${event.inFlight} open, at most ${event.drainSeconds} s`;
    case "server.stopped":
      return `stopped after ${duration(event.uptimeSeconds * 1000)}, ${event.requestsTotal} requests`;
    default:
      return assertNever(event);
  }
};

const ofRequest = (event: RequestEvent, about: string | null): string => {
  const named = about === null ? event.requestId : `${event.requestId} ${about}`;
  switch (event.type) {
    case "request.received":
      return `${event.requestId} ${event.method} ${event.path} from ${event.client || "an unnamed client"}${bytes(event.bodyBytes)}`;
    case "request.rejected":
      return `${named} refused with ${event.status} ${event.code}: ${event.message}`;
    case "request.assigned":
      return `${event.requestId} goes to ${event.accountId ?? "the client's own login"} (${event.reason})`;
    case "request.finished":
      return finished(event, named);
    default:
      return assertNever(event);
  }
};

type Finished = Extract<RequestEvent, { type: "request.finished" }>;

const finished = (event: Finished, named: string): string => {
  const facts = [
    `${named}: ${event.status ?? "no answer"} ${event.outcome} in ${duration(event.durationMs)}`,
    event.ttfbMs === null ? null : `first byte ${duration(event.ttfbMs)}`,
    `${event.bytesIn} B in, ${event.bytesOut} B out`,
    event.attempts > 1 ? `${event.attempts} attempts` : null,
    event.upstreamRequestId,
  ];
  return `${listed(facts)}${blameLine(event)}`;
};

// Who, what, and the one thing to do.
const blameLine = ({ blame, errorCode, message, nextStep }: Finished): string => {
  if (blame === null) return "";
  return ` | ${blame}: ${message ?? errorCode ?? "no reason given"}${nextStep === null ? "" : ` -> ${nextStep}`}`;
};

const ofAccount = (event: AccountEvent): string => {
  const who = `account ${event.accountId}`;
  switch (event.type) {
    case "account.added":
      return `${who} (${event.label}, ${event.kind}) is there, ${event.health}, expires ${time(event.expiresAt)}`;
    case "account.removed":
      return `${who} removed (${event.reason})`;
    case "account.enabled":
    case "account.disabled":
      return `${who} ${event.type.slice("account.".length)} (${event.reason})`;
    case "account.changed":
      return `${who} is now called ${event.label}, priority ${event.priority}`;
    case "account.cooling":
      return `${who} ${event.limited ? "at its limit" : "resting"} until ${time(event.until)}: ${event.reason}`;
    case "account.healthy":
      return `${who} healthy`;
    case "account.needs-login":
      return `${who} needs a new sign-in: ${event.message} -> claude-oauth-proxy login --account ${event.accountId}`;
    default:
      return assertNever(event);
  }
};

const ofToken = (event: TokenEvent): string => {
  const who = `${event.accountId} (${event.reason})`;
  switch (event.type) {
    case "token.refreshing":
      return `refreshing ${who}, expires ${time(event.expiresAt)}`;
    case "token.refreshed":
      return `refreshed ${who} in ${duration(event.durationMs)}, expires ${time(event.newExpiresAt)} (was ${time(event.oldExpiresAt)})`;
    case "token.adopted":
      return `adopted the token of another process for ${who}${event.heldBy === null ? "" : ` (pid ${event.heldBy})`}, expires ${time(event.newExpiresAt)}`;
    case "token.refresh-failed":
      return `refresh of ${who} failed (${event.failures}): ${event.errorCode}: ${event.message}; ${event.nextTryAt === null ? "not tried again" : `next try ${time(event.nextTryAt)}`}`;
    default:
      return assertNever(event);
  }
};

const ofLogin = (event: LoginEvent): string => {
  switch (event.type) {
    case "login.started":
      return `sign-in started (${event.kind}), open until ${time(event.expiresAt)}`;
    case "login.waiting":
      return event.step === "code" ? "sign-in waits for the code" : "sign-in exchanges the code";
    case "login.succeeded":
      return `signed in: account ${event.accountId}`;
    case "login.failed":
      return `sign-in failed: ${event.errorCode}: ${event.message}`;
    default:
      return assertNever(event);
  }
};

type Rest = Exclude<Event, { type: `${"server" | "request" | "account" | "token" | "login"}.${string}` }>;

const ofRest = (event: Event): string => {
  const rest = event as Rest;
  switch (rest.type) {
    case "attempt.started":
    case "attempt.failed":
      return ofAttempt(rest);
    case "response.started":
    case "response.progress":
      return ofResponse(rest);
    case "usage.updated":
      return ofUsage(rest);
    case "limits.updated":
      return ofLimits(rest);
    default:
      return ofProcess(rest);
  }
};

const ofAttempt = (event: AttemptEvent): string =>
  event.type === "attempt.started"
    ? `${event.requestId} attempt ${event.attempt} as ${event.accountId ?? "the client"}${event.modelAsked === null ? "" : `, model ${event.modelAsked}`}`
    : `${event.requestId} attempt ${event.attempt} failed: ${event.code}: ${event.message}`;

const ofResponse = (event: ResponseEvent): string =>
  event.type === "response.started"
    ? listed([`${event.requestId} upstream answered ${event.status} after ${duration(event.ttfbMs)}`, event.contentType, event.upstreamRequestId, event.retryAfter === null ? null : `retry-after ${event.retryAfter}`])
    : `${event.requestId} ${event.phase}, ${event.bytesOut} B${event.outputTokens === null ? "" : `, ${event.outputTokens} tokens`}`;

const ofUsage = (event: UsageEvent): string =>
  listed([
    `${event.requestId} ${event.model ?? "unknown model"}`,
    `${count(event.inputTokens)} tokens in`,
    `${count(event.outputTokens)} out`,
    `cache ${count(event.cacheReadTokens)} read, ${count(event.cacheCreationTokens)} written`,
    event.stopReason,
  ]);

const ofLimits = (event: LimitsEvent): string =>
  listed([
    `limit ${event.window || "overall"} of ${event.accountId}: ${event.status ?? "no status"}`,
    event.utilization === null ? null : `${Math.round(event.utilization * 100)}% used`,
    `resets ${time(event.resetsAt)}`,
  ]);

const ofProcess = (event: ProcessEvent): string => {
  switch (event.type) {
    case "config.loaded":
      return `settings: ${event.mode}, ${event.strategy}, upstream ${event.upstream} (${event.source})`;
    case "clock.jumped":
      return `the clock jumped by ${duration(Math.abs(event.deltaMs))} (${event.kind})`;
    case "notice":
      return `${event.message}${event.hint === null ? "" : ` -> ${event.hint}`}`;
    default:
      return assertNever(event);
  }
};

const listed = (facts: readonly (string | null)[]): string => facts.filter((fact) => fact !== null).join(", ");

const count = (tokens: number | null): string => (tokens === null ? "?" : String(tokens));

const bytes = (size: number | null): string => (size === null ? "" : `, ${size} B`);

const time = (at: number | null): string => (at === null ? "never or unknown" : localTime(at));
