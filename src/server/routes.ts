// The table of our own endpoints: path and method → who answers, who may call, what is counted as sign-in.
// `/v1/*` is not in it: that is forwarded.
import { createAccounts } from "../api/accounts.ts";
import type { ApiDeps, Endpoint } from "../api/call.ts";
import { createEvents } from "../api/events.ts";
import { createCallback, createLogin } from "../api/login.ts";
import { createMetrics } from "../api/metrics.ts";
import { createPage } from "../api/page.ts";
import { createAuth, createOauth } from "../api/sign-in.ts";
import { createHealth, createProbes, createStatus } from "../api/status.ts";
import type { Needs } from "./checks.ts";

export type Route = {
  readonly endpoint: Endpoint;
  readonly needs: Needs;
  /** Counts against `rateLimit.auth`. */
  readonly limited: boolean;
};

type Found = { readonly route: Route; readonly param: string } | { readonly allow: string } | { readonly missing: true };

/** The route of a path (without query) and a method; `allow` lists the methods when this one is not among them. */
export type Routes = (method: string, path: string) => Found;

type Methods = Readonly<Record<string, Route>>;

const open = (endpoint: Endpoint): Route => ({ endpoint, needs: "nothing", limited: false });
const keyed = (endpoint: Endpoint): Route => ({ endpoint, needs: "key", limited: false });
/** Called by our page too. */
const paged = (endpoint: Endpoint): Route => ({ endpoint, needs: "page", limited: false });
/** About signing in, so counted. */
const limited = (route: Route): Route => ({ ...route, limited: true });

/** The table over the endpoints of `deps`. */
export const createRoutes = (deps: ApiDeps): Routes => {
  const exact = new Map<string, Methods>(Object.entries({ ...programRoutes(deps), ...signInRoutes(deps) }));
  const below = Object.entries(prefixRoutes(deps));
  return (method, path) => {
    const methods = exact.get(path);
    if (methods !== undefined) return pick(methods, method, "");
    for (const [prefix, under] of below) {
      const param = path.startsWith(prefix) ? decoded(path.slice(prefix.length)) : null;
      if (param !== null) return pick(under, method, param);
    }
    return { missing: true };
  };
};

const programRoutes = (deps: ApiDeps): Record<string, Methods> => {
  const probes = createProbes(deps);
  return {
    "/": readable(open(probes.root)),
    "/api/hello": readable(open(probes.hello)),
    "/health": readable(open(createHealth(deps))),
    "/metrics": readable(keyed(createMetrics(deps))),
    "/events": { GET: paged(createEvents(deps)) },
    "/api/status": readable(keyed(createStatus(deps))),
  };
};

const signInRoutes = (deps: ApiDeps): Record<string, Methods> => {
  const auth = createAuth(deps);
  const oauth = createOauth(deps);
  const page = createPage(deps);
  const accounts = createAccounts(deps);
  // Not for HEAD: a link preview must not use up the code.
  const callback = { GET: open(createCallback(deps)) };
  return {
    "/login": readable(open(createLogin(deps))),
    "/callback": callback,
    "/oauth/callback": callback,
    "/auth/device": { ...readable(open(page.show)), POST: limited(keyed(page.unlock)), DELETE: paged(page.lock) },
    "/auth/device/start": { POST: limited(paged(auth.start)) },
    "/auth/device/submit": { POST: limited(paged(auth.submit)) },
    "/auth/device/cancel": { POST: paged(auth.cancel) },
    "/auth/status": readable(paged(auth.status)),
    "/auth/refresh": { POST: limited(paged(auth.refresh)) },
    "/auth/logout": { POST: limited(paged(auth.logout)) },
    "/api/oauth/authorize": { POST: limited(keyed(oauth.authorize)) },
    "/api/oauth/exchange": { POST: limited(keyed(oauth.exchange)) },
    "/api/oauth/tokens": readable(keyed(oauth.tokens)),
    "/api/oauth/tokens/refresh": { POST: limited(keyed(oauth.refreshToken)) },
    "/api/oauth/tokens/delete": { POST: limited(keyed(oauth.deleteToken)) },
    "/oauth/authorize": { GET: limited(keyed(oauth.authorizeLink)) },
    "/oauth/exchange": { POST: limited(keyed(oauth.exchangeLink)) },
    "/api/accounts": { ...readable(paged(accounts.list)), POST: limited(paged(accounts.add)) },
  };
};

const prefixRoutes = (deps: ApiDeps): Record<string, Methods> => {
  const accounts = createAccounts(deps);
  const oauth = createOauth(deps);
  const probes = createProbes(deps);
  return {
    "/api/accounts/": { PATCH: paged(accounts.change), DELETE: paged(accounts.remove) },
    "/api/oauth/tokens/": { DELETE: keyed(oauth.removeToken) },
    "/api/event_logging/": { POST: { endpoint: probes.discard, needs: "forwarding", limited: false } },
  };
};

// RFC 9110 section 9.3.2: HEAD is GET without the content; the answer leaves it out.
const readable = (route: Route): Methods => ({ GET: route, HEAD: route });

const pick = (methods: Methods, method: string, param: string): Found => {
  const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
  return route === undefined ? { allow: Object.keys(methods).join(", ") } : { route, param };
};

// Null for what names nothing: an empty or badly encoded rest.
const decoded = (rest: string): string | null => {
  if (rest === "") return null;
  try {
    return decodeURIComponent(rest);
  } catch {
    return null;
  }
};
