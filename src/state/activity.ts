// The lines of the Events pane: which events are worth one, newest last, at most 1000. The same sentence again and again
// (a client that hammers with a wrong key) is one line with a count.
import { clockMinute, clockTime, percent } from "../lib/units.ts";
import { describe, longSilenceMs, wasAnswered } from "../messages/describe.ts";
import type { DescribeContext, Tone } from "../messages/describe.ts";
import type { Event, EventType } from "../messages/events.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { cacheCollapse } from "./select.ts";
import type { ActivityLine, AppState, RequestRow, SessionRow } from "./state.ts";

export const maxLines = 1000;

/** What one event is about. */
export type Surroundings = {
  /** As it was before the event. */
  readonly before: Pick<AppState, "accounts" | "upstream">;
  /** The event's request after it. */
  readonly request: RequestRow | null;
  /** The request's session when the event changed it. */
  readonly session: { readonly before: SessionRow; readonly after: SessionRow } | null;
};

/** Mutable while one batch is folded; `lines` is null until the first new one. */
export type ActivityDraft = { readonly before: readonly ActivityLine[]; lines: ActivityLine[] | null };

export const openActivity = (before: readonly ActivityLine[]): ActivityDraft => ({ before, lines: null });

/** Adds the line for `event`, if it is worth one. */
export const foldActivity = (draft: ActivityDraft, event: Event, around: Surroundings): void => {
  const collapsed = event.type === "request.finished" && around.session !== null ? cacheWarning(around.session) : null;
  if (collapsed !== null) append(draft, event, { tone: "warning", text: collapsed });
  else if (isNews(event, around)) append(draft, event, describe(event, contextOf(around)));
};

export const closeActivity = ({ before, lines }: ActivityDraft): readonly ActivityLine[] => {
  if (lines === null) return before;
  return lines.length > maxLines ? lines.slice(-maxLines) : lines;
};

const append = (draft: ActivityDraft, { seq, at, type }: Event, { tone, text }: { readonly tone: Tone; readonly text: string }): void => {
  draft.lines ??= [...draft.before];
  const last = draft.lines.at(-1);
  const times = last === undefined || last.type !== type ? 0 : timesSaid(last.text, text);
  if (times === 0) draft.lines.push({ seq, at, tone, type, text });
  else draft.lines[draft.lines.length - 1] = { seq, at, tone, type, text: `${text} (x${times + 1})` };
};

const timesSaid = (earlier: string, text: string): number => {
  if (!earlier.startsWith(text)) return 0;
  if (earlier.length === text.length) return 1;
  return Number(/^ \(x(\d+)\)$/.exec(earlier.slice(text.length))?.[1] ?? 0);
};

const everyday: ReadonlySet<EventType> = new Set<EventType>([
  "request.received", "request.assigned", "attempt.started", "response.progress", "usage.updated", "token.refreshing", "login.waiting",
]);

const isNews = (event: Event, { before }: Surroundings): boolean => {
  switch (event.type) {
    case "request.finished":
      if (event.outcome === "client-left" || event.outcome === "shutdown") return event.longestSilenceMs >= longSilenceMs;
      return event.outcome !== "ok";
    // The first failure of an outage, and its end.
    case "attempt.failed":
      return wasAnswered(event) || before.upstream.failingSince === null;
    case "response.started":
      return before.upstream.failingSince !== null;
    case "limits.updated":
      return isNewLimit(event, before);
    case "account.healthy":
      return (accountIn(before, event.accountId)?.health ?? "healthy") !== "healthy";
    default:
      return !everyday.has(event.type);
  }
};

const accountIn = ({ accounts }: Surroundings["before"], id: string) => accounts.find((account) => account.id === id);

const isNewLimit = ({ accountId, window, status }: Extract<Event, { type: "limits.updated" }>, before: Surroundings["before"]): boolean => {
  const known = accountIn(before, accountId)?.limits.find((limit) => limit.window === window)?.status ?? "allowed";
  // A plan without usage credits says "rejected" here all day long; only their use is worth a line.
  const isEveryday = window === "overage" && status?.startsWith("rejected") === true;
  return status !== null && status !== known && !isEveryday;
};

const contextOf = ({ before, request }: Surroundings): DescribeContext => ({
  nameOf: (id, label) => label || accountIn(before, id)?.label || id,
  signIn: () => "key l",
  request: request === null ? null : `${request.method} ${request.path}`,
  outage: before.upstream.failingSince === null ? null : { since: before.upstream.failingSince, failures: before.upstream.failures },
});

// Only with the answer that makes the cache collapse.
const cacheWarning = ({ before, after }: NonNullable<Surroundings["session"]>): string | null => {
  const collapsed = before.cacheShares === after.cacheShares ? null : cacheCollapse(after);
  if (collapsed === null || cacheCollapse(before) !== null) return null;
  const shares = `${percent(collapsed.now)} read, was ${percent(collapsed.before)}`;
  return `prompt cache of session ${after.id.slice(0, 8)} collapsed: ${shares}. Next: look for changing tools, system prompt or model.`;
};

/** More than a person reads back. */
const mostPastLines = 100;

/** The lines for what earlier processes left in the refresh timeline, oldest first. `now` is wall milliseconds. */
export const pastLines = (past: readonly RefreshFact[], now: number): readonly ActivityLine[] =>
  past.slice(-mostPastLines).map((fact, index, { length }) => {
    // Below zero: the lines of this process are numbered from one, and a selection goes by number.
    const event = eventOf(fact, index - length);
    const { tone, text } = describe(event, { nameOf: (id) => id, signIn: () => "key l", request: null, outage: null });
    const when = Math.abs(now - fact.at) < 20 * 3_600_000 ? clockTime(fact.at) : clockMinute(fact.at, now);
    return { seq: event.seq, at: fact.at, tone, type: event.type, text: `before this start (${when}): ${text}` };
  });

const eventOf = (fact: RefreshFact, seq: number): Event => {
  const { at, accountId, durationMs, oldExpiresAt, newExpiresAt, heldBy, nextTryAt } = fact;
  const common = { at, seq, accountId, reason: fact.reason ?? "lead", message: fact.message ?? "" } as const;
  switch (fact.outcome) {
    case "refreshed":
      return { ...common, type: "token.refreshed", durationMs: durationMs ?? 0, oldExpiresAt, newExpiresAt };
    case "adopted":
      return { ...common, type: "token.adopted", newExpiresAt, renewable: true, heldBy };
    case "failed":
      return { ...common, type: "token.refresh-failed", errorCode: fact.errorCode ?? "unknown", failures: fact.failures ?? 1, nextTryAt };
    case "needs-login":
      return { ...common, type: "account.needs-login", expiresAt: null };
  }
};
