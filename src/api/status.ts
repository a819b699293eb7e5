// GET /api/status: the picture that `claude-oauth-proxy status` shows of a running proxy. The same state as
// on the dashboard, with its long lists cut; it holds no secret, because events hold none.
import { respondJson } from "../server/respond.ts";
import type { AppState } from "../state/state.ts";
import type { ApiDeps, Endpoint } from "./call.ts";

/** How much of each list goes out. */
const most = { finished: 50, sessions: 50, activity: 100, refreshes: 100 } as const;

/** Answers with an `AppState`: every open request, and the newest of what is over. */
export const createStatus =
  ({ store }: Pick<ApiDeps, "store">): Endpoint =>
  ({ response }) =>
    respondJson(response, 200, cutState(store.snapshot()));

/** `state` with at most 50 finished requests, 50 sessions, 100 refreshes and 100 activity lines. */
export const cutState = (state: AppState): AppState => ({
  ...state,
  requests: { ...state.requests, rows: openAndNewest(state.requests.rows) },
  sessions: state.sessions.slice(0, most.sessions),
  refreshes: state.refreshes.slice(-most.refreshes),
  activity: state.activity.slice(-most.activity),
});

const openAndNewest = (rows: AppState["requests"]["rows"]): AppState["requests"]["rows"] => {
  let finished = 0;
  return rows.filter(({ outcome }) => {
    if (outcome === null) return true;
    finished += 1;
    return finished <= most.finished;
  });
};
