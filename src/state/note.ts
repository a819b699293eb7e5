// Which events are worth a line, and the line: what happened, who is to blame, what to do next. One
// plain sentence each; texts of others are inside it as they came.
import type { Event, EventType, RefreshReason } from "../messages/events.ts";
import type { Note } from "./activity.ts";
import { cacheCollapse } from "./select.ts";
import type { AccountRow, AppState, RequestRow, SessionRow } from "./state.ts";
import { wasAnswered } from "./upstream.ts";
import { clockMinute, duration, percent, span } from "../lib/units.ts";

/** What a line may speak of besides the event itself. */
export type Surroundings = {
  /** As it was before the event. */
  readonly before: Pick<AppState, "accounts" | "upstream">;
  /** The event's request after it. */
  readonly request: RequestRow | null;
  readonly session: { readonly before: SessionRow; readonly after: SessionRow } | null;
};

type Of<T extends EventType> = Event & { readonly type: T };
type Writers = { readonly [T in EventType]?: (event: Of<T>, around: Surroundings) => Note | null };

/** The line for `event`; null for everyday facts. */
export const noteOf = (event: Event, around: Surroundings): Note | null => {
  const write = writers[event.type] as ((event: Event, around: Surroundings) => Note | null) | undefined;
  return write === undefined ? null : write(event, around);
};

const info = (text: string): Note => ({ tone: "info", text });
const good = (text: string): Note => ({ tone: "good", text });
const warning = (text: string): Note => ({ tone: "warning", text });
const failure = (text: string): Note => ({ tone: "error", text });

const why: Readonly<Record<RefreshReason, string>> = {
  lead: "ahead of expiry",
  mandatory: "about to expire",
  unauthorized: "after a 401",
  manual: "by hand",
  wake: "after waking up",
  rotate: "because of its age",
};

const known = ({ before }: Surroundings, id: string): AccountRow | undefined => before.accounts.find((account) => account.id === id);
const nameOf = (around: Surroundings, id: string): string => {
  const label = known(around, id)?.label;
  return label === undefined || label === "" ? id : label;
};
const at = (ms: number | null, now: number): string => (ms === null ? "no expiry" : clockMinute(ms, now));
const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

// "request, blame, sentence, id, next step": the order in which a person asks.
const blameLine = (event: Of<"request.finished">): string => {
  const who = (event.blame ?? event.outcome).replace("-", " ");
  const said = event.message ?? event.errorCode ?? `ended as ${event.outcome}`;
  const id = event.upstreamRequestId ?? event.requestId;
  const next = event.nextStep === null ? "" : ` Next: ${sentence(event.nextStep)}`;
  return `${event.status ?? "---"} ${who}: ${sentence(said)} Request ${id}.${next}`;
};

const finished = (event: Of<"request.finished">, { session }: Surroundings): Note | null => {
  if (event.outcome === "ok") return session === null ? null : cacheNote(session);
  if (event.outcome === "client-left" || event.outcome === "shutdown") {
    // Escape in the client is everyday life; a client that waited for long and then left is not.
    return event.longestSilenceMs < 20_000 ? null : warning(`the client left after ${duration(event.longestSilenceMs)} without a byte. Request ${event.upstreamRequestId ?? event.requestId}.`);
  }
  return event.blame === "throttle" || event.blame === "plan-limit" || event.blame === "overload" ? warning(blameLine(event)) : failure(blameLine(event));
};

const cacheNote = ({ before, after }: NonNullable<Surroundings["session"]>): Note | null => {
  const collapsed = before.cacheShares === after.cacheShares ? null : cacheCollapse(after);
  if (collapsed === null || cacheCollapse(before) !== null) return null;
  return warning(`prompt cache of session ${after.id.slice(0, 8)} collapsed: ${percent(collapsed.now)} read, was ${percent(collapsed.before)}. Next: look for changing tools, system prompt or model.`);
};

const limitNote = (event: Of<"limits.updated">, around: Surroundings): Note | null => {
  const { status, window } = event;
  const before = known(around, event.accountId)?.limits.find((limit) => limit.window === window)?.status ?? "allowed";
  if (status === null || status === before || isEveryday(window, status)) return null;
  const text = `${nameOf(around, event.accountId)}: ${window === "" ? "plan" : window} limit ${status.replaceAll("_", " ")}${usedAndReset(event)}`;
  return status === "allowed" ? good(text) : warning(text);
};

// A plan without usage credits says "rejected" here all day long; only their use is worth a line.
const isEveryday = (window: string, status: string): boolean => window === "overage" && status.startsWith("rejected");

const usedAndReset = ({ utilization, resetsAt, at: now }: Of<"limits.updated">): string =>
  `${utilization === null ? "" : `, ${percent(utilization)} used`}${resetsAt === null ? "" : `, resets ${clockMinute(resetsAt, now)}`}`;

const jumped = ({ kind, deltaMs }: Of<"clock.jumped">): Note =>
  warning(kind === "suspend" ? `woke up after ${span(deltaMs)} of sleep; tokens are checked again` : `the clock went ${kind} by ${span(Math.abs(deltaMs))}; tokens are checked again`);

const writers: Writers = {
  "server.listening": ({ url, mode }) => good(`listening on ${url}, mode ${mode}`),
  "server.stopping": ({ reason, inFlight, drainSeconds }) => warning(`stopping (${reason}): ${inFlight} open, up to ${drainSeconds}s to finish`),
  "server.stopped": ({ requestsTotal, uptimeSeconds }) => info(`stopped after ${span(uptimeSeconds * 1000)} and ${requestsTotal} requests`),
  "request.rejected": ({ status, code, message }, { request }) =>
    warning(`${status} client: refused here (${code})${request === null ? "" : ` ${request.method} ${request.path}`}: ${sentence(message)}`),
  "request.finished": finished,
  "attempt.failed": ({ code, message }, { before }) => {
    if (wasAnswered(code)) return info(sentence(message));
    return before.upstream.failingSince === null ? failure(`upstream not reached: ${code}: ${sentence(message)}`) : null;
  },
  "response.started": ({ at: now }, { before: { upstream } }) =>
    upstream.failingSince === null ? null : good(`upstream answers again after ${span(now - upstream.failingSince)} and ${upstream.failures} failed attempts`),
  "limits.updated": limitNote,
  "account.added": ({ accountId, label, kind, enabled, expiresAt, at: now }) =>
    info(`${label === "" ? accountId : label}: ${kind === "oauth" ? `subscription, valid until ${at(expiresAt, now)}` : "API key"}${enabled ? "" : ", disabled"}`),
  "account.removed": ({ accountId, reason }, around) => warning(`${nameOf(around, accountId)}: removed (${reason})`),
  "account.enabled": ({ accountId, reason }, around) => good(`${nameOf(around, accountId)}: enabled (${reason})`),
  "account.disabled": ({ accountId, reason }, around) => warning(`${nameOf(around, accountId)}: disabled (${reason})`),
  "account.changed": ({ accountId, label, priority }, around) => info(`${nameOf(around, accountId)}: now named ${label}, priority ${priority}`),
  "account.cooling": ({ accountId, until, reason, limited, at: now }, around) =>
    warning(`${nameOf(around, accountId)}: ${limited ? "at its limit" : "resting"} ${until - now < 600_000 ? `for ${span(until - now)}` : `until ${at(until, now)}`} (${reason})`),
  "account.healthy": ({ accountId }, around) => ((known(around, accountId)?.health ?? "healthy") === "healthy" ? null : good(`${nameOf(around, accountId)}: serving again`)),
  "account.needs-login": ({ accountId, message }, around) => failure(`${nameOf(around, accountId)}: sign in again (key l): ${sentence(message)}`),
  "token.refreshed": ({ accountId, reason, durationMs, oldExpiresAt, newExpiresAt, at: now }, around) =>
    good(`${nameOf(around, accountId)}: token refreshed ${why[reason]} in ${duration(durationMs)}, expiry ${at(oldExpiresAt, now)} -> ${at(newExpiresAt, now)}`),
  "token.adopted": ({ accountId, reason, newExpiresAt, heldBy, at: now }, around) =>
    good(`${nameOf(around, accountId)}: took over the token refreshed by ${heldBy === null ? "another process" : `process ${heldBy}`} (${why[reason]}), valid until ${at(newExpiresAt, now)}`),
  "token.refresh-failed": ({ accountId, reason, errorCode, message, failures, nextTryAt, at: now }, around) =>
    failure(`${nameOf(around, accountId)}: refresh ${why[reason]} failed ${failures}x: ${errorCode}: ${sentence(message)} Next: ${nextTryAt === null ? "sign in again (key l)." : `tries again in ${span(nextTryAt - now)}.`}`),
  "login.started": ({ kind, expiresAt, at: now }) => info(`sign-in (${kind}) started, open for ${span(expiresAt - now)}`),
  "login.succeeded": ({ accountId }, around) => good(`signed in: ${nameOf(around, accountId)}`),
  "login.failed": ({ errorCode, message }) => warning(`sign-in failed: ${errorCode}: ${sentence(message)}`),
  "config.loaded": ({ mode, strategy, upstream, source }) => info(`settings from ${source}: mode ${mode}, ${strategy}, upstream ${upstream}`),
  "clock.jumped": jumped,
  notice: ({ level, message, hint }) => ({ tone: level, text: hint === null ? sentence(message) : `${sentence(message)} Next: ${sentence(hint)}` }),
};
