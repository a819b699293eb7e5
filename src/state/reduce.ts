// Folds facts into the picture. Pure: the same state and events give the same picture, the same object
// comes back when nothing changed, and nothing outside is touched.
import type { Event, EventType } from "../messages/events.ts";
import { foldAccounts } from "./accounts.ts";
import { appendLine, closeActivity, openActivity } from "./activity.ts";
import type { ActivityDraft } from "./activity.ts";
import { noteOf } from "./note.ts";
import type { Surroundings } from "./note.ts";
import { foldLogin } from "./login.ts";
import { foldRefreshes } from "./refreshes.ts";
import type { TrafficEvent } from "./request-row.ts";
import { closeRequests, foldRequest, openRequests } from "./requests.ts";
import type { RequestsDraft } from "./requests.ts";
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
  readonly activity: ActivityDraft;
};

/** Which slice, besides requests and activity, an event may change: found by its prefix, with the exceptions spelled out. */
const sliceOf = (type: EventType): SmallSlice | null => {
  if (type === "request.assigned") return "accounts";
  if (type === "attempt.failed" || type === "response.started") return "upstream";
  return slices[type.slice(0, type.indexOf("."))] ?? null;
};

const slices: Readonly<Record<string, SmallSlice>> = { server: "server", config: "server", account: "accounts", token: "accounts", limits: "accounts", login: "login" };

/** The picture after one event. */
export const reduce = (state: AppState, event: Event): AppState => reduceAll(state, [event]);

/** The picture after many events: equal to `reduce` one by one, at a hundredth of the cost for a busy proxy. */
export const reduceAll = (state: AppState, events: readonly Event[]): AppState => {
  const { server, accounts, refreshes, login, upstream } = state;
  const draft: Draft = { before: state, small: { server, accounts, refreshes, login, upstream }, requests: null, sessions: null, activity: openActivity(state.activity) };
  for (const event of events) fold(draft, event);
  return close(draft);
};

const fold = (draft: Draft, event: Event): void => {
  const before = draft.small;
  foldSmall(draft, event);
  const traffic = "requestId" in event ? foldTraffic(draft, event) : null;
  // A fact about a request that is gone, or already closed, is not news.
  if (traffic !== null && traffic.request === null && event.type !== "request.rejected") return;
  const note = noteOf(event, { before, request: traffic?.request ?? null, session: traffic?.session ?? null });
  if (note !== null) appendLine(draft.activity, event, note);
};

const foldSmall = (draft: Draft, event: Event): void => {
  const { small } = draft;
  const slice = sliceOf(event.type);
  if (slice === "server") draft.small = { ...small, server: foldServer(small.server, event) };
  else if (slice === "accounts") draft.small = withAccounts(small, event);
  else if (slice === "login") draft.small = { ...small, login: foldLogin(small.login, event) };
  else if (slice === "upstream") draft.small = withUpstream(small, event);
};

// The two that the request path touches allocate nothing when nothing changed.
const withAccounts = (small: Small, event: Event): Small => {
  const accounts = foldAccounts(small.accounts, event, small.refreshes);
  const refreshes = foldRefreshes(small.refreshes, event);
  return accounts === small.accounts && refreshes === small.refreshes ? small : { ...small, accounts, refreshes };
};

const withUpstream = (small: Small, event: Event): Small => {
  const upstream = foldUpstream(small.upstream, event);
  return upstream === small.upstream ? small : { ...small, upstream };
};

const foldTraffic = (draft: Draft, event: TrafficEvent): Pick<Surroundings, "request" | "session"> => {
  draft.requests ??= openRequests(draft.before.requests);
  const change = foldRequest(draft.requests, event);
  if (change === null) return { request: null, session: null };
  if (change.after.sessionId === null) return { request: change.after, session: null };
  draft.sessions ??= openSessions(draft.before.sessions);
  return { request: change.after, session: foldSession(draft.sessions, change, event.at) };
};

const close = ({ before, small, requests, sessions, activity }: Draft): AppState => {
  const after: AppState = {
    ...small,
    requests: requests === null ? before.requests : closeRequests(requests),
    sessions: sessions === null ? before.sessions : closeSessions(sessions),
    activity: closeActivity(activity),
  };
  const keys = Object.keys(after) as (keyof AppState)[];
  return keys.every((key) => after[key] === before[key]) ? before : after;
};
