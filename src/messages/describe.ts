// What an event says in words: the one table behind the lines of the log and the Events pane. Texts from outside are in
// it as they came; who shows a line makes them harmless for a terminal.
import { clockMinute, duration, exactDuration, percent, span } from "../lib/units.ts";
import type { Event, EventType, RefreshReason } from "./events.ts";

export type Tone = "info" | "good" | "warning" | "error";

/** `text` is one plain sentence: what happened, who is to blame, what to do next. `details` are the figures behind it, empty for none. */
export type Description = { readonly tone: Tone; readonly text: string; readonly details: string };

/** What a sentence says of things around the event. */
export type DescribeContext = {
  /** What the reader calls the account; `label` is the one in the event. */
  readonly nameOf: (accountId: string, label?: string) => string;
  /** How to sign in to the account from where the sentence is read: a key or a command. */
  readonly signIn: (accountId: string) => string;
  /** Method and path of the event's request, null where they are not to be part of the sentence. */
  readonly request: string | null;
  /** Since when the upstream has not been reached, before this event; null while it answers. */
  readonly outage: { readonly since: number; readonly failures: number } | null;
};

type Of<T extends EventType> = Event & { readonly type: T };

/** Describes any event. Times are local, and short because the line has its own. */
export const describe = (event: Event, context: DescribeContext): Description =>
  (descriptions[event.type] as (event: Event, context: DescribeContext) => Description)(event, context);

/** True for an attempt that was given up because of its answer (401, a status of `retry.statuses`), not for want of one. */
export const wasAnswered = ({ code }: Of<"attempt.failed">): boolean => code === "unauthorized" || code.startsWith("http-");

const toned =
  (tone: Tone) =>
  (text: string, ...details: readonly (string | null)[]): Description => ({ tone, text, details: listed(details) });

const info = toned("info");
const good = toned("good");
const warning = toned("warning");
const failure = toned("error");

const descriptions: { readonly [T in EventType]: (event: Of<T>, context: DescribeContext) => Description } = {
  "server.listening": ({ url, mode, version, pid }) => good(`listening on ${url} (${mode}, version ${version}, pid ${pid})`),
  "server.stopping": ({ reason, inFlight, drainSeconds }) => warning(`stopping (${reason}): ${inFlight} open, up to ${drainSeconds}s to finish`),
  "server.stopped": ({ requestsTotal, uptimeSeconds }) => info(`stopped after ${span(uptimeSeconds * 1000)} and ${requestsTotal} requests`),

  "request.received": ({ client, bodyBytes }) => info(`received from ${client || "an unnamed client"}`, bytes(bodyBytes)),
  "request.assigned": ({ accountId, reason }, { nameOf }) => info(`goes to ${accountId === null ? "the upstream with the client's own login" : nameOf(accountId)} (${reason})`),
  "request.rejected": ({ status, code, message }, { request }) => warning(`${status} client: refused here (${code})${request === null ? "" : ` ${request}`}: ${sentence(message)}`),
  "request.finished": (event) => finished(event),
  "attempt.started": ({ attempt, accountId, modelAsked }, { nameOf }) =>
    info(`attempt ${attempt} as ${accountId === null ? "the client" : nameOf(accountId)}${modelAsked === null ? "" : `, model ${modelAsked}`}`),
  "attempt.failed": (event) => {
    const { attempt, code, message } = event;
    return wasAnswered(event) ? info(sentence(message), `attempt ${attempt}`) : failure(`upstream not reached: ${coded(code, message)}`, `attempt ${attempt}`);
  },
  "response.started": ({ at, status, ttfbMs, contentType, upstreamRequestId, retryAfter }, { outage }) => {
    const details = [contentType, upstreamRequestId, retryAfter === null ? null : `retry-after ${retryAfter}`];
    if (outage !== null) return good(`upstream answers again after ${span(at - outage.since)} and ${outage.failures} failed attempts`, ...details);
    return info(`the upstream answered ${status} after ${exactDuration(ttfbMs)}`, ...details);
  },
  "response.progress": ({ phase, bytesOut, outputTokens }) => info(`${phase}, ${bytes(bytesOut)}${outputTokens === null ? "" : `, ${outputTokens} tokens`}`),
  "usage.updated": ({ model, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, stopReason }) =>
    info(`${model ?? "unknown model"}: ${tokens(inputTokens)} tokens in, ${tokens(outputTokens)} out, cache ${tokens(cacheReadTokens)} read, ${tokens(cacheCreationTokens)} written`, stopReason),

  "limits.updated": ({ at, accountId, window, status, utilization, resetsAt }, { nameOf }) => {
    const used = utilization === null ? "" : `, ${percent(utilization)} used`;
    const resets = resetsAt === null ? "" : `, resets ${clockMinute(resetsAt, at)}`;
    const text = `${nameOf(accountId)}: ${window === "" ? "plan" : window} limit ${(status ?? "without a status").replaceAll("_", " ")}${used}${resets}`;
    return status === "allowed" ? good(text) : warning(text);
  },

  "account.added": ({ at, accountId, label, kind, enabled, expiresAt, health }, { nameOf }) =>
    info(`${nameOf(accountId, label)}: ${kind === "oauth" ? `subscription, valid until ${expiry(expiresAt, at)}` : "API key"}${enabled ? "" : ", disabled"}`, label, health),
  "account.removed": ({ accountId, reason }, { nameOf }) => warning(`${nameOf(accountId)}: removed (${reason})`),
  "account.enabled": ({ accountId, reason }, { nameOf }) => good(`${nameOf(accountId)}: enabled (${reason})`),
  "account.disabled": ({ accountId, reason }, { nameOf }) => warning(`${nameOf(accountId)}: disabled (${reason})`),
  "account.changed": ({ accountId, label, priority }, { nameOf }) => info(`${nameOf(accountId)}: now named ${label}, priority ${priority}`),
  "account.cooling": ({ at, accountId, until, reason, limited }, { nameOf }) =>
    warning(`${nameOf(accountId)}: ${limited ? "at its limit" : "resting"} ${until - at < 600_000 ? `for ${span(until - at)}` : `until ${clockMinute(until, at)}`} (${reason})`),
  "account.healthy": ({ accountId }, { nameOf }) => good(`${nameOf(accountId)}: serving again`),
  "account.needs-login": ({ accountId, message }, { nameOf, signIn }) => failure(`${nameOf(accountId)}: sign in again (${signIn(accountId)}): ${sentence(message)}`),

  "token.refreshing": ({ at, accountId, reason, expiresAt }, { nameOf }) => info(`${nameOf(accountId)}: refreshing the token ${reasons[reason]}, valid until ${expiry(expiresAt, at)}`),
  "token.refreshed": ({ at, accountId, reason, durationMs, oldExpiresAt, newExpiresAt }, { nameOf }) =>
    good(`${nameOf(accountId)}: token refreshed ${reasons[reason]} in ${duration(durationMs)}, expiry ${expiry(oldExpiresAt, at)} -> ${expiry(newExpiresAt, at)}`),
  "token.adopted": ({ at, accountId, reason, newExpiresAt, heldBy }, { nameOf }) =>
    good(`${nameOf(accountId)}: took over the token refreshed by ${heldBy === null ? "another process" : `process ${heldBy}`} (${reasons[reason]}), valid until ${expiry(newExpiresAt, at)}`),
  "token.refresh-failed": ({ at, accountId, reason, errorCode, message, failures, nextTryAt }, { nameOf, signIn }) => {
    const next = nextTryAt === null ? `sign in again (${signIn(accountId)}).` : `tries again in ${span(nextTryAt - at)}.`;
    return failure(`${nameOf(accountId)}: refresh ${reasons[reason]} failed ${failures}x: ${coded(errorCode, message)} Next: ${next}`);
  },

  "login.started": ({ at, kind, expiresAt }) => info(`sign-in (${kind}) started, open for ${span(expiresAt - at)}`),
  "login.waiting": ({ step }) => info(loginSteps[step]),
  "login.succeeded": ({ accountId }, { nameOf }) => good(`signed in: ${nameOf(accountId)}`),
  "login.failed": ({ errorCode, message }) => warning(`sign-in failed: ${coded(errorCode, message)}`),

  "config.loaded": ({ mode, strategy, upstream, source }) => info(`settings from ${source}: mode ${mode}, ${strategy}, upstream ${upstream}`),
  "clock.jumped": ({ kind, deltaMs }) =>
    warning(`${kind === "suspend" ? `woke up after ${span(deltaMs)} of sleep` : `the clock went ${kind} by ${span(Math.abs(deltaMs))}`}; tokens are checked again`),
  notice: ({ level, message, hint }) => toned(level)(hint === null ? sentence(message) : `${sentence(message)} Next: ${sentence(hint)}`),
};

const loginSteps = {
  code: "sign-in waits for the code",
  exchange: "sign-in exchanges the code",
  confirm: "sign-in waits for a yes or no: it is of a person who was not here before",
} as const;

const reasons: Readonly<Record<RefreshReason, string>> = {
  lead: "ahead of expiry",
  mandatory: "just before expiry",
  unauthorized: "after a 401",
  manual: "by hand",
  wake: "after waking up",
  rotate: "because of its age",
};

const finished = (event: Of<"request.finished">): Description => {
  const { status, outcome, longestSilenceMs, durationMs, ttfbMs, bytesIn, bytesOut, attempts, upstreamRequestId, requestId, blame } = event;
  const details = [
    exactDuration(durationMs),
    ttfbMs === null ? null : `first byte ${exactDuration(ttfbMs)}`,
    `${bytes(bytesIn)} in`,
    `${bytes(bytesOut)} out`,
    attempts > 1 ? `${attempts} attempts` : null,
  ];
  const about = `Request ${upstreamRequestId ?? requestId}.`;
  if (outcome === "ok") return info(`${status ?? "---"} ok`, ...details, upstreamRequestId);
  if (outcome === "shutdown") return warning(`cut off by the stop of the proxy. ${about}`, ...details);
  if (outcome === "client-left") {
    const waited = longestSilenceMs < longSilenceMs ? "" : ` after ${duration(longestSilenceMs)} without a byte`;
    return warning(`the client left${waited}. ${about}`, ...details);
  }
  const isLimit = blame === "throttle" || blame === "plan-limit" || blame === "overload";
  return (isLimit ? warning : failure)(blameText(event, about), ...details);
};

/** Escape in the client is everyday life; a client that got nothing for this long and then left is not. */
export const longSilenceMs = 20_000;

// Status, blame, sentence, id, next step: the order in which a person asks.
const blameText = ({ status, blame, outcome, message, errorCode, nextStep }: Of<"request.finished">, about: string): string => {
  const who = (blame ?? outcome).replace("-", " ");
  const reason = message ?? errorCode ?? `ended as ${outcome}`;
  return `${status ?? "---"} ${who}: ${sentence(reason)} ${about}${nextStep === null ? "" : ` Next: ${sentence(nextStep)}`}`;
};

const expiry = (at: number | null, now: number): string => (at === null ? "no expiry" : clockMinute(at, now));

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** A code with its sentence, if there is one. */
const coded = (code: string, message: string): string => (message === "" ? `${code}.` : `${code}: ${sentence(message)}`);

const listed = (parts: readonly (string | null)[]): string => parts.filter((part) => part !== null && part !== "").join(", ");

const bytes = (size: number | null): string => (size === null ? "" : `${size} B`);

const tokens = (count: number | null): string => (count === null ? "?" : String(count));
