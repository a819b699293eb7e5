// What the program says about itself: /health and /api/status, and the small requests with which clients
// probe a base URL. Nothing here is forwarded or counted as traffic.
import { namesOwnAddress } from "../lib/host.ts";
import { html } from "../lib/html.ts";
import { nonceHeader, proofHeader } from "../lib/key-proof.ts";
import { AppError } from "../messages/errors.ts";
import { respondEmpty, respondHtml, respondJson, respondText } from "../server/respond.ts";
import type { AppState } from "../state/state.ts";
import { viewAccount } from "./account-view.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createNonce, document } from "./document.ts";

/** GET /health, open to every caller who reaches the port: 200 `ok`, or 503 `sign-in-needed` when a request would get that too. */
export const createHealth = (deps: Pick<ApiDeps, "commands" | "store" | "clock" | "version" | "mode" | "refreshLeadSeconds">): Endpoint => {
  const { commands, store, clock, version, mode } = deps;
  const startedAt = clock.monotonic();
  return ({ response, access }) => {
    const { accounts, requests } = store.snapshot();
    const ready = commands.canServe();
    respondJson(response, ready ? 200 : 503, {
      status: ready ? "ok" : "sign-in-needed",
      version,
      uptime_seconds: Math.floor((clock.monotonic() - startedAt) / 1000),
      mode,
      accounts: accounts.map((row) => viewAccount(deps, row, access !== "none")),
      in_flight: requests.inFlight,
      requests_total: requests.total,
    });
  };
};

/** GET /api/status: the `AppState` that `claude-oauth-proxy status` shows, with its long lists cut. It holds no secret, because events hold none. */
export const createStatus =
  ({ store }: Pick<ApiDeps, "store">): Endpoint =>
  ({ response }) =>
    respondJson(response, 200, cutState(store.snapshot()));

/** How much of each list goes out: the newest. Open requests always do. */
const most = { finished: 50, sessions: 50, activity: 100, refreshes: 100 } as const;

const cutState = (state: AppState): AppState => ({
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

/**
 * `root`: Claude Code sends `HEAD /` first; a person's browser gets a page with the way on.
 * `hello`: `HEAD /api/hello`, the documented warm-up; with a challenge it proves that this proxy knows the local key. `discard`: telemetry of old versions, thrown away.
 */
export const createProbes = ({ version, random, proveKey }: Pick<ApiDeps, "version" | "random" | "proveKey">): Record<"root" | "hello" | "discard", Endpoint> => ({
  root({ request, response }) {
    if (request.headers.accept?.includes("text/html") !== true) return respondText(response, 200, `claude-oauth-proxy ${version}\nSign-in page: /auth/device\n`);
    const nonce = createNonce(random);
    const body = html`<main><h1>claude-oauth-proxy</h1><p>Version ${version}. <a href="/auth/device">Sign-in and accounts</a> · <a href="/health">Health</a></p></main>`;
    respondHtml(response, 200, { nonce, html: document({ title: "claude-oauth-proxy", nonce, body }) });
  },
  hello({ request, response }) {
    const nonce = request.headers[nonceHeader];
    if (typeof nonce !== "string") return respondJson(response, 200, { ok: true });
    const { host = "" } = request.headers;
    const proof = namesOwnAddress(host, request.socket.localAddress ?? "") ? proveKey({ host, nonce, proof: String(request.headers[proofHeader] ?? "") }) : null;
    if (proof === null) throw new AppError({ code: "local-key", message: "The proof of the local key is wrong.", hint: "It is another key, or another name of this port." });
    respondJson(response, 200, { ok: true, proof });
  },
  discard: ({ response }) => respondEmpty(response, 204),
});
