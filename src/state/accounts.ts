// account.*, token.* and limits.*, and how many requests each account was given: one row per account, in the
// order of the store. Events about an account that is not known change nothing.
import type { AccountEvent, Event, LimitsEvent, TokenEvent } from "../messages/events.ts";
import { backOffIn } from "../messages/refresh-fact.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { lastGoodRefreshOf } from "./refreshes.ts";
import type { AccountRow, LimitReading } from "./state.ts";

type Stamped<T> = Readonly<T & { at: number; seq: number }>;

/** Folds one event; the same array when nothing changed. `past` says of a new row when its token was refreshed last. */
export const foldAccounts = (accounts: readonly AccountRow[], event: Event, past: readonly RefreshFact[] = []): readonly AccountRow[] => {
  if (event.type === "account.added") return upsert(accounts, event, past);
  if (event.type === "account.removed") {
    return accounts.some(({ id }) => id === event.accountId) ? accounts.filter(({ id }) => id !== event.accountId) : accounts;
  }
  const id = "accountId" in event ? event.accountId : null;
  const index = id === null ? -1 : accounts.findIndex((account) => account.id === id);
  const before = accounts[index];
  if (before === undefined) return accounts;
  const after = foldAccount(before, event);
  return after === before ? accounts : accounts.with(index, after);
};

/** Adds the requests that were given to accounts, by their ids. */
export const addAssigned = (accounts: readonly AccountRow[], assigned: ReadonlyMap<string, number>): readonly AccountRow[] =>
  accounts.some(({ id }) => assigned.has(id)) ? accounts.map((row) => ({ ...row, requests: row.requests + (assigned.get(row.id) ?? 0) })) : accounts;

const fresh = {
  coolingUntil: null, healthReason: null, refreshing: false, refreshFailures: 0, nextRefreshAt: null, refreshedAt: null,
  lastRefreshReason: null, refreshCount: 0, limits: [], requests: 0,
} as const;

// An account may be announced again (signed in anew, re-read from the file): what was learnt stays.
const upsert = (accounts: readonly AccountRow[], event: Extract<Event, { type: "account.added" }>, past: readonly RefreshFact[]): readonly AccountRow[] => {
  const { accountId: id, kind, label, enabled, priority, expiresAt, renewable, health, lastError } = event;
  const index = accounts.findIndex((account) => account.id === id);
  const known = accounts[index];
  const announced = { id, kind, label, enabled, priority, expiresAt, renewable, health, lastError };
  if (known === undefined) return [...accounts, { ...fresh, ...announced, ...refreshedBefore(past, id, event.at) }];
  return accounts.with(index, { ...known, ...announced, coolingUntil: null, healthReason: null, refreshing: false, refreshFailures: 0, nextRefreshAt: null });
};

const refreshedBefore = (past: readonly RefreshFact[], id: string, now: number) => {
  const last = lastGoodRefreshOf(past, id);
  const backOff = backOffIn(past, id, now);
  return {
    refreshedAt: last?.at ?? null,
    lastRefreshReason: last?.reason ?? null,
    refreshFailures: backOff?.failures ?? 0,
    nextRefreshAt: backOff?.nextTryAt ?? null,
  };
};

const foldAccount = (row: AccountRow, event: Event): AccountRow => {
  if (event.type === "limits.updated") return foldLimits(row, event);
  if (event.type.startsWith("token.")) return foldToken(row, event as Stamped<TokenEvent>);
  return event.type.startsWith("account.") ? foldHealth(row, event as Stamped<AccountEvent>) : row;
};

const foldHealth = (row: AccountRow, event: Stamped<AccountEvent>): AccountRow => {
  switch (event.type) {
    case "account.enabled":
      return { ...row, enabled: true, health: row.health === "disabled" ? "healthy" : row.health };
    case "account.disabled":
      return { ...row, enabled: false, health: "disabled", coolingUntil: null, healthReason: event.reason };
    case "account.changed":
      return { ...row, label: event.label, priority: event.priority };
    case "account.cooling":
      return { ...row, health: event.limited ? "limited" : "cooling", coolingUntil: event.until, healthReason: event.reason };
    case "account.healthy":
      return { ...row, health: "healthy", coolingUntil: null, healthReason: null };
    case "account.needs-login":
      return { ...row, health: "needs-login", coolingUntil: null, healthReason: event.message, lastError: event.message, expiresAt: event.expiresAt, refreshing: false, nextRefreshAt: null };
    default:
      return row;
  }
};

const foldToken = (row: AccountRow, event: Stamped<TokenEvent>): AccountRow => {
  const ended = { refreshing: false, lastRefreshReason: event.reason };
  switch (event.type) {
    case "token.refreshing":
      return { ...row, refreshing: true, lastRefreshReason: event.reason };
    case "token.refreshed":
      return { ...row, ...ended, ...renewed(event.newExpiresAt, event.at), renewable: true, refreshCount: row.refreshCount + 1 };
    case "token.adopted":
      return { ...row, ...ended, ...renewed(event.newExpiresAt, event.at), renewable: event.renewable };
    case "token.refresh-failed":
      return { ...row, ...ended, refreshFailures: event.failures, nextRefreshAt: event.nextTryAt, lastError: event.message };
  }
};

const renewed = (expiresAt: number | null, at: number) => ({ expiresAt, refreshedAt: at, refreshFailures: 0, nextRefreshAt: null, lastError: null });

const foldLimits = (row: AccountRow, event: Stamped<LimitsEvent>): AccountRow => {
  const { window, status, utilization, resetsAt, representative, at } = event;
  const reading: LimitReading = { window, status, utilization, resetsAt, representative, readAt: at };
  const index = row.limits.findIndex((limit) => limit.window === window);
  // A server that invents window names must not make the row grow without bound.
  if (index === -1) return { ...row, limits: [...row.limits, reading].slice(-20) };
  return { ...row, limits: row.limits.with(index, reading) };
};
