// Folds facts into the picture. Pure: the same state and events give the same picture, the same object
// comes back when nothing changed, and nothing outside is touched.
import type { Event } from "../messages/events.ts";
import { addAssigned, foldAccounts } from "./accounts.ts";
import { appendLine, closeActivity, openActivity } from "./activity.ts";
import type { ActivityDraft } from "./activity.ts";
import { noteOf } from "./note.ts";
import type { Surroundings } from "./note.ts";
import { foldLogin } from "./login.ts";
import { foldRefreshes } from "./refreshes.ts";
import { isTraffic } from "./request-row.ts";
import type { TrafficEvent } from "./request-row.ts";
import { closeRequests, foldRequest, openRequests } from "./requests.ts";
import type { Change, RequestsDraft } from "./requests.ts";
import { foldServer } from "./server.ts";
import { closeSessions, foldSession, openSessions } from "./sessions.ts";
import type { SessionsDraft } from "./sessions.ts";
import type { AppState } from "./state.ts";
import { foldUpstream } from "./upstream.ts";

type Small = Pick<AppState, "server" | "accounts" | "refreshes" | "login" | "upstream">;
type SmallSlice = Exclude<keyof Small, "refreshes">;

type Draft = {
  readonly before: AppState;
  small: Small;
  requests: RequestsDraft | null;
  sessions: SessionsDraft | null;
  /** Requests given to accounts, by the accounts' ids. */
  readonly assigned: Map<string, number>;
  readonly activity: ActivityDraft;
};

/** Which slice an event that is not about one request may change: found by its prefix. */
const slices: Readonly<Record<string, SmallSlice>> = { server: "server", config: "server", account: "accounts", token: "accounts", limits: "accounts", login: "login" };

/** The picture after one event. */
export const reduce = (state: AppState, event: Event): AppState => reduceAll(state, [event]);

/** The picture after many events: equal to `reduce` one by one, at a hundredth of the cost for a busy proxy. */
export const reduceAll = (state: AppState, events: readonly Event[]): AppState => {
  const { server, accounts, refreshes, login, upstream } = state;
  const draft: Draft = { before: state, small: { server, accounts, refreshes, login, upstream }, requests: null, sessions: null, assigned: new Map(), activity: openActivity(state.activity) };
  for (const event of events) fold(draft, event);
  return close(draft);
};

const fold = (draft: Draft, event: Event): void => {
  const before = draft.small;
  if (isTraffic(event)) return foldTraffic(draft, event, before);
  foldSmall(draft, event);
  note(draft, event, { before, request: null, session: null });
};

const note = (draft: Draft, event: Event, around: Surroundings): void => {
  const line = noteOf(event, around);
  if (line !== null) appendLine(draft.activity, event, line);
};

// Counted first: the event may remove the very account.
const settleAssigned = (draft: Draft): Small => {
  if (draft.assigned.size === 0) return draft.small;
  draft.small = { ...draft.small, accounts: addAssigned(draft.small.accounts, draft.assigned) };
  draft.assigned.clear();
  return draft.small;
};

const foldSmall = (draft: Draft, event: Event): void => {
  const small = settleAssigned(draft);
  const slice = slices[event.type.slice(0, event.type.indexOf("."))];
  if (slice === "server") draft.small = { ...small, server: foldServer(small.server, event) };
  else if (slice === "accounts") draft.small = { ...small, accounts: foldAccounts(small.accounts, event, small.refreshes), refreshes: foldRefreshes(small.refreshes, event) };
  else if (slice === "login") draft.small = { ...small, login: foldLogin(small.login, event) };
};

const foldTraffic = (draft: Draft, event: TrafficEvent, before: Small): void => {
  foldAround(draft, event);
  draft.requests ??= openRequests(draft.before.requests);
  const change = foldRequest(draft.requests, event);
  // A fact about a request that is gone, or already closed, is not news.
  if (change === null && event.type !== "request.rejected") return;
  const session = change === null ? null : foldSessions(draft, change, event.at);
  note(draft, event, { before, request: change?.row ?? null, session });
};

// What a request's event says of others.
const foldAround = (draft: Draft, event: TrafficEvent): void => {
  if (event.type === "request.assigned") countAssigned(draft.assigned, event.accountId);
  else if (event.type === "attempt.failed" || event.type === "response.started") draft.small = withUpstream(draft.small, event);
};

const countAssigned = (assigned: Map<string, number>, accountId: string | null): void => {
  if (accountId !== null) assigned.set(accountId, (assigned.get(accountId) ?? 0) + 1);
};

const foldSessions = (draft: Draft, change: Change, at: number): Surroundings["session"] => {
  if (change.row.sessionId === null) return null;
  draft.sessions ??= openSessions(draft.before.sessions);
  return foldSession(draft.sessions, change, at);
};

// An answer of a healthy upstream allocates nothing.
const withUpstream = (small: Small, event: Event): Small => {
  const upstream = foldUpstream(small.upstream, event);
  return upstream === small.upstream ? small : { ...small, upstream };
};

const close = (draft: Draft): AppState => {
  const { before, requests, sessions, activity } = draft;
  const after: AppState = {
    ...settleAssigned(draft),
    requests: requests === null ? before.requests : closeRequests(requests),
    sessions: sessions === null ? before.sessions : closeSessions(sessions),
    activity: closeActivity(activity),
  };
  const keys = Object.keys(after) as (keyof AppState)[];
  return keys.every((key) => after[key] === before[key]) ? before : after;
};
