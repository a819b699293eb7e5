// Folds events into the state. Pure: the same state and events give the same state, the same object comes back when
// nothing changed, and nothing outside is touched.
import { wasAnswered } from "../messages/describe.ts";
import type { Event } from "../messages/events.ts";
import { addAssigned, foldAccounts } from "./accounts.ts";
import { closeActivity, foldActivity, openActivity } from "./activity.ts";
import type { ActivityDraft, Surroundings } from "./activity.ts";
import { foldRefreshes } from "./refreshes.ts";
import { isTraffic } from "./request-row.ts";
import type { TrafficEvent } from "./request-row.ts";
import { closeRequests, foldRequest, openRequests } from "./requests.ts";
import type { Change, RequestsDraft } from "./requests.ts";
import { closeSessions, foldSession, openSessions } from "./sessions.ts";
import type { SessionsDraft } from "./sessions.ts";
import type { AppState, LoginState, ServerState, UpstreamState } from "./state.ts";

/** The slices that are small enough to be copied for each event. */
type Small = Pick<AppState, "server" | "accounts" | "refreshes" | "login" | "upstream">;

type Draft = {
  readonly before: AppState;
  small: Small;
  requests: RequestsDraft | null;
  sessions: SessionsDraft | null;
  /** Requests given to accounts, by the accounts' ids. */
  readonly assigned: Map<string, number>;
  readonly activity: ActivityDraft;
};

/** The state after one event. */
export const reduce = (state: AppState, event: Event): AppState => reduceAll(state, [event]);

/** The state after many events: equal to `reduce` one by one, at a hundredth of the cost for a busy proxy. */
export const reduceAll = (state: AppState, events: readonly Event[]): AppState => {
  const { server, accounts, refreshes, login, upstream } = state;
  const draft: Draft = {
    before: state,
    small: { server, accounts, refreshes, login, upstream },
    requests: null,
    sessions: null,
    assigned: new Map(),
    activity: openActivity(state.activity),
  };
  for (const event of events) fold(draft, event);
  return close(draft);
};

const fold = (draft: Draft, event: Event): void => {
  const before = draft.small;
  if (isTraffic(event)) return foldTraffic(draft, event, before);
  foldSmall(draft, event);
  foldActivity(draft.activity, event, { before, request: null, session: null });
};

// Requests are counted first: the event may remove the very account.
const foldSmall = (draft: Draft, event: Event): void => {
  const small = countAssigned(draft);
  switch (event.type.split(".")[0]) {
    case "server":
    case "config":
      draft.small = { ...small, server: foldServer(small.server, event) };
      break;
    case "account":
    case "token":
    case "limits":
      draft.small = { ...small, accounts: foldAccounts(small.accounts, event, small.refreshes), refreshes: foldRefreshes(small.refreshes, event) };
      break;
    case "login":
      draft.small = { ...small, login: foldLogin(small.login, event) };
      break;
    default:
  }
};

const countAssigned = (draft: Draft): Small => {
  if (draft.assigned.size === 0) return draft.small;
  draft.small = { ...draft.small, accounts: addAssigned(draft.small.accounts, draft.assigned) };
  draft.assigned.clear();
  return draft.small;
};

const foldTraffic = (draft: Draft, event: TrafficEvent, before: Small): void => {
  if (event.type === "request.assigned" && event.accountId !== null) draft.assigned.set(event.accountId, (draft.assigned.get(event.accountId) ?? 0) + 1);
  // An answer of a healthy upstream allocates nothing.
  const upstream = foldUpstream(before.upstream, event);
  if (upstream !== before.upstream) draft.small = { ...before, upstream };
  draft.requests ??= openRequests(draft.before.requests);
  const change = foldRequest(draft.requests, event);
  // A fact about a request that is gone, or already closed, is not news.
  if (change === null && event.type !== "request.rejected") return;
  const session = change === null ? null : foldSessions(draft, change, event.at);
  foldActivity(draft.activity, event, { before, request: change?.row ?? null, session });
};

const foldSessions = (draft: Draft, change: Change, at: number): Surroundings["session"] => {
  if (change.row.sessionId === null) return null;
  draft.sessions ??= openSessions(draft.before.sessions);
  return foldSession(draft.sessions, change, at);
};

const close = (draft: Draft): AppState => {
  const { before, requests, sessions, activity } = draft;
  const after: AppState = {
    ...countAssigned(draft),
    requests: requests === null ? before.requests : closeRequests(requests),
    sessions: sessions === null ? before.sessions : closeSessions(sessions),
    activity: closeActivity(activity),
  };
  const keys = Object.keys(after) as (keyof AppState)[];
  return keys.every((key) => after[key] === before[key]) ? before : after;
};

/** Is the proxy up, where, since when, until when. The same object when `event` says nothing new about it. */
export const foldServer = (server: ServerState, event: Event): ServerState => {
  switch (event.type) {
    case "server.listening": {
      const { url, host, port, mode, version, at } = event;
      return { status: "running", url, host, port, mode, version, startedAt: at, stopDeadline: null };
    }
    case "server.stopping":
      return { ...server, status: "stopping", stopDeadline: event.at + event.drainSeconds * 1000 };
    case "server.stopped":
      return { ...server, status: "stopped", stopDeadline: null };
    case "config.loaded":
      return server.mode === event.mode ? server : { ...server, mode: event.mode };
    default:
      return server;
  }
};

/** How far the open sign-in has come. An event of an attempt that is no longer the open one changes nothing. */
export const foldLogin = (login: LoginState, event: Event): LoginState => {
  if (event.type === "login.started") {
    return { attemptId: event.attemptId, kind: event.kind, step: "code", expiresAt: event.expiresAt, message: null };
  }
  if (!("attemptId" in event) || event.attemptId !== login.attemptId) return login;
  switch (event.type) {
    case "login.waiting":
      return login.step === event.step ? login : { ...login, step: event.step };
    case "login.succeeded":
      return { ...login, step: "succeeded", message: null };
    case "login.failed":
      return { ...login, step: "failed", message: event.message };
    default:
      return login;
  }
};

const reachable: UpstreamState = { failingSince: null, failures: 0, code: null, message: null };

/**
 * Is the upstream reachable. A run of failed attempts starts with the first and ends with the first response of any
 * status: an error answer is still an answer.
 */
export const foldUpstream = (upstream: UpstreamState, event: Event): UpstreamState => {
  if (event.type !== "response.started" && event.type !== "attempt.failed") return upstream;
  if (event.type === "response.started" || wasAnswered(event)) return upstream.failingSince === null ? upstream : reachable;
  const { code, message, at } = event;
  return { failingSince: upstream.failingSince ?? at, failures: upstream.failures + 1, code, message };
};
