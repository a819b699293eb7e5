// What earlier processes left behind, put into the picture of this one without telling it as news: the
// refresh timeline and its lines of the Events pane. Pure.
import type { Event } from "../messages/events.ts";
import { refreshLimit } from "../messages/refresh-fact.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { noteOf } from "./note.ts";
import type { ActivityLine, AppState } from "./state.ts";
import { clockMinute, clockTime } from "../lib/units.ts";

/** More than a person reads back. */
const mostLines = 100;

/** `state` with `past` (oldest first) before everything it knows. `now` is wall milliseconds. */
export const withPast = (state: AppState, past: readonly RefreshFact[], now: number): AppState => {
  if (past.length === 0) return state;
  const lines = past.slice(-mostLines).flatMap((fact, index, { length }) => lineOf(fact, index - length, now));
  return { ...state, refreshes: [...past, ...state.refreshes].slice(-refreshLimit), activity: [...lines, ...state.activity] };
};

// Numbers below zero: the lines of this process are numbered from one, and a selection goes by number.
const lineOf = (fact: RefreshFact, seq: number, now: number): readonly ActivityLine[] => {
  const event = eventOf(fact, seq);
  const note = noteOf(event, { before: { accounts: [], upstream: { failingSince: null, failures: 0, code: null, message: null } }, request: null, session: null });
  if (note === null) return [];
  const when = Math.abs(now - fact.at) < 20 * 3_600_000 ? clockTime(fact.at) : clockMinute(fact.at, now);
  return [{ seq, at: fact.at, tone: note.tone, type: event.type, text: `before this start (${when}): ${note.text}` }];
};

const eventOf = (fact: RefreshFact, seq: number): Event => {
  const { at, accountId, durationMs, oldExpiresAt, newExpiresAt, heldBy, nextTryAt } = fact;
  const told = { at, seq, accountId, reason: fact.reason ?? "lead", message: fact.message ?? "" } as const;
  switch (fact.outcome) {
    case "refreshed":
      return { ...told, type: "token.refreshed", durationMs: durationMs ?? 0, oldExpiresAt, newExpiresAt };
    case "adopted":
      return { ...told, type: "token.adopted", newExpiresAt, renewable: true, heldBy };
    case "failed":
      return { ...told, type: "token.refresh-failed", errorCode: fact.errorCode ?? "unknown", failures: fact.failures ?? 1, nextTryAt };
    case "needs-login":
      return { ...told, type: "account.needs-login", expiresAt: null };
  }
};
