// Every endpoint once: path, methods, what opens it, and what it is for. The routes, the README's table and
// `/openapi.json` come from here. A new endpoint is an entry here and its handler in `routes.ts`.
import type { Needs } from "./checks.ts";

export type EndpointSpec = {
  readonly name: string;
  /** `{…}` at the end is the rest of the path, decoded. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly needs: Needs;
  /** It is about signing in, so `rateLimit.auth` counts it. */
  readonly limited?: true;
  readonly summary: string;
  /** Members of the JSON body; a question mark at the end of a name: it may be left out. */
  readonly body?: readonly string[];
};

// RFC 9110 section 9.3.2: HEAD is GET without the content; the answer leaves it out.
const readable = ["GET", "HEAD"] as const;

export const endpoints = [
  { name: "root", path: "/", methods: readable, needs: "nothing", summary: "The probe of Claude Code; for a browser the way to the page" },
  { name: "hello", path: "/api/hello", methods: readable, needs: "nothing", summary: "The documented warm-up; with a challenge it proves that this proxy knows the local key" },
  { name: "health", path: "/health", methods: readable, needs: "nothing", summary: "200 while a request would be served, else 503 `sign-in-needed`" },
  { name: "discard", path: "/api/event_logging/{path}", methods: ["POST"], needs: "forwarding", summary: "Telemetry of clients: answered 204 and thrown away" },
  { name: "openapi", path: "/openapi.json", methods: readable, needs: "key", summary: "This description, as OpenAPI 3.1" },
  { name: "status", path: "/api/status", methods: readable, needs: "key", summary: "The whole state as JSON" },
  { name: "metrics", path: "/metrics", methods: readable, needs: "key", summary: "Counts in the Prometheus text format" },
  { name: "events", path: "/events", methods: ["GET"], needs: "page", summary: "Every event as it happens, as server-sent events" },
  { name: "page", path: "/auth/device", methods: readable, needs: "nothing", summary: "The sign-in and accounts page; shows nothing before the key was entered" },
  { name: "unlock", path: "/auth/device", methods: ["POST"], needs: "key", limited: true, summary: "Opens a browser session for the page" },
  { name: "lock", path: "/auth/device", methods: ["DELETE"], needs: "page", summary: "Ends the browser session" },
  { name: "deviceStart", path: "/auth/device/start", methods: ["POST"], needs: "page", limited: true, summary: "Starts a sign-in", body: ["kind?", "account_id?"] },
  { name: "deviceSubmit", path: "/auth/device/submit", methods: ["POST"], needs: "page", limited: true, summary: "Finishes a sign-in with the pasted code; a person who is new here is a 409 whose `confirm` says yes when it comes back", body: ["code?", "attempt_id?", "confirm?"] },
  { name: "deviceCancel", path: "/auth/device/cancel", methods: ["POST"], needs: "page", summary: "Gives a sign-in up", body: ["attempt_id"] },
  // Not for HEAD: a link preview must not use up link or code.
  { name: "login", path: "/login/{token}", methods: ["GET"], needs: "nothing", summary: "The one-time link of the open sign-in; gives the cookie that the callback needs" },
  { name: "callback", path: "/callback", methods: ["GET"], needs: "nothing", summary: "Where the authorize page sends the browser back to; 403 without the cookie" },
  { name: "oauthCallback", path: "/oauth/callback", methods: ["GET"], needs: "nothing", summary: "The same, as claude-proxy named it" },
  { name: "authStatus", path: "/auth/status", methods: readable, needs: "page", summary: "Whether an account is signed in" },
  { name: "refresh", path: "/auth/refresh", methods: ["POST"], needs: "page", limited: true, summary: "Refreshes a token now", body: ["account_id?"] },
  { name: "logout", path: "/auth/logout", methods: ["POST"], needs: "page", limited: true, summary: "Signs accounts out; without an account_id all browser sessions end too", body: ["account_id?", "all?"] },
  { name: "accounts", path: "/api/accounts", methods: readable, needs: "page", summary: "Every account, without tokens" },
  { name: "addAccount", path: "/api/accounts", methods: ["POST"], needs: "page", limited: true, summary: "Adds an API key", body: ["api_key", "id?", "label?"] },
  { name: "changeAccount", path: "/api/accounts/{id}", methods: ["PATCH"], needs: "page", summary: "Changes label, priority or whether it serves", body: ["label?", "priority?", "enabled?"] },
  { name: "removeAccount", path: "/api/accounts/{id}", methods: ["DELETE"], needs: "page", summary: "Signs an account out and forgets it" },
  { name: "muxAuthorize", path: "/api/oauth/authorize", methods: ["POST"], needs: "key", limited: true, summary: "Starts a sign-in, as in claude-code-mux", body: ["oauth_type?"] },
  { name: "muxExchange", path: "/api/oauth/exchange", methods: ["POST"], needs: "key", limited: true, summary: "Finishes it with the pasted code, or with `confirm` as above", body: ["code?", "verifier", "provider_id?", "confirm?"] },
  { name: "muxTokens", path: "/api/oauth/tokens", methods: readable, needs: "key", summary: "Expiry of every account, without tokens" },
  { name: "muxRefresh", path: "/api/oauth/tokens/refresh", methods: ["POST"], needs: "key", limited: true, summary: "Refreshes a token now", body: ["provider_id"] },
  { name: "muxDelete", path: "/api/oauth/tokens/delete", methods: ["POST"], needs: "key", limited: true, summary: "Signs an account out", body: ["provider_id"] },
  { name: "muxRemove", path: "/api/oauth/tokens/{provider_id}", methods: ["DELETE"], needs: "key", summary: "Signs an account out" },
  { name: "proxyAuthorize", path: "/oauth/authorize", methods: ["GET"], needs: "key", limited: true, summary: "Starts a sign-in, as in claude-proxy" },
  { name: "proxyExchange", path: "/oauth/exchange", methods: ["POST"], needs: "key", limited: true, summary: "Finishes it with the code, or with `confirm` as above", body: ["code?", "state?", "code_verifier", "confirm?"] },
] as const satisfies readonly EndpointSpec[];

export type EndpointName = (typeof endpoints)[number]["name"];

/** What opens a path, in words. */
export const needsInWords: Readonly<Record<Needs, string>> = {
  nothing: "nothing",
  key: "the local key",
  page: "the local key, or a browser session of the page",
  forwarding: "the local key, unless `auth.required` is false",
};
