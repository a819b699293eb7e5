// One line of the refresh timeline: what an event says of a refresh, in one shape for the file that keeps
// it over restarts and for the state of the running program. Never a token.
import type { Event, RefreshReason, TokenEvent } from "./events.ts";

/** Times are wall milliseconds. */
export type RefreshFact = {
  readonly at: number;
  readonly accountId: string;
  readonly outcome: "refreshed" | "adopted" | "failed" | "needs-login";
  readonly reason: RefreshReason | null;
  readonly durationMs: number | null;
  readonly oldExpiresAt: number | null;
  readonly newExpiresAt: number | null;
  /** Pid of the process whose refresh was adopted. */
  readonly heldBy: number | null;
  readonly errorCode: string | null;
  readonly message: string | null;
  readonly failures: number | null;
  readonly nextTryAt: number | null;
};

/** How many lines of the timeline are kept, oldest gone first: in the file and in the state. */
export const refreshLimit = 500;

/** What a failed refresh leaves behind. Wall milliseconds. */
export type RefreshNote = { readonly failures: number; readonly nextTryAt: number; readonly errorCode: string; readonly message: string };

/** A wall clock that was wrong in an earlier process must not lock an account out for a year. */
const longestBackOffMs = 3600_000;

/** The back-off that `facts` (oldest first) leave `accountId` in: its last line, if that is a failure that is tried again. */
export const backOffIn = (facts: readonly RefreshFact[], accountId: string, now: number): RefreshNote | null => {
  const last = facts.findLast((fact) => fact.accountId === accountId);
  if (last?.outcome !== "failed" || last.nextTryAt === null) return null;
  const { failures, nextTryAt, errorCode, message } = last;
  return { failures: failures ?? 1, nextTryAt: Math.min(nextTryAt, now + longestBackOffMs), errorCode: errorCode ?? "unknown", message: message ?? "" };
};

const nothing = {
  reason: null, durationMs: null, oldExpiresAt: null, newExpiresAt: null, heldBy: null,
  errorCode: null, message: null, failures: null, nextTryAt: null,
};

/** Null for an event that is no outcome of a refresh. */
export const refreshFactOf = (event: Event): RefreshFact | null => {
  switch (event.type) {
    case "token.refreshed":
    case "token.adopted":
    case "token.refresh-failed":
      return { ...nothing, at: event.at, accountId: event.accountId, reason: event.reason, ...outcomeOf(event) };
    case "account.needs-login":
      return { ...nothing, at: event.at, accountId: event.accountId, outcome: "needs-login", message: event.message.slice(0, 300) };
    default:
      return null;
  }
};

const outcomeOf = (event: Exclude<TokenEvent, { type: "token.refreshing" }>): Partial<RefreshFact> & Pick<RefreshFact, "outcome"> => {
  switch (event.type) {
    case "token.refreshed":
      return { outcome: "refreshed", durationMs: event.durationMs, oldExpiresAt: event.oldExpiresAt, newExpiresAt: event.newExpiresAt };
    case "token.adopted":
      return { outcome: "adopted", newExpiresAt: event.newExpiresAt, heldBy: event.heldBy };
    default: {
      const { errorCode, failures, nextTryAt } = event;
      return { outcome: "failed", errorCode, message: event.message.slice(0, 300), failures, nextTryAt };
    }
  }
};
