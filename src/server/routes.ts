// Which handler answers which endpoint. `/v1/*` is not among them: that is forwarded.
import { createAccounts } from "../api/accounts.ts";
import type { ApiDeps, Endpoint } from "../api/call.ts";
import { createEvents } from "../api/events.ts";
import { createCallback, createLogin } from "../api/login.ts";
import { createMetrics } from "../api/metrics.ts";
import { createOpenApi } from "../api/openapi.ts";
import { createPage } from "../api/page.ts";
import { createAuth, createOauth } from "../api/sign-in.ts";
import { createHealth, createProbes, createStatus } from "../api/status.ts";
import { endpoints } from "./endpoints.ts";
import type { EndpointName, EndpointSpec } from "./endpoints.ts";

export type Route = Pick<EndpointSpec, "needs" | "limited"> & { readonly endpoint: Endpoint };

type Found = { readonly route: Route; readonly param: string } | { readonly allow: string } | { readonly missing: true };

/** The route of a path (without query) and a method; `allow` lists the methods when this one is not among them. */
export type Routes = (method: string, path: string) => Found;

type Methods = Map<string, Route>;

/** The table over the endpoints of `deps`. */
export const createRoutes = (deps: ApiDeps): Routes => {
  const handlers = handlersOf(deps);
  const exact = new Map<string, Methods>();
  const below = new Map<string, Methods>();
  for (const { name, path, methods, needs, ...spec } of endpoints as readonly (EndpointSpec & { readonly name: EndpointName })[]) {
    const [prefix = ""] = path.split("{");
    const table = prefix === path ? exact : below;
    const known = table.get(prefix) ?? new Map<string, Route>();
    table.set(prefix, known);
    for (const method of methods) known.set(method, { needs, endpoint: handlers[name], ...(spec.limited === undefined ? {} : { limited: spec.limited }) });
  }
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

const handlersOf = (deps: ApiDeps): Readonly<Record<EndpointName, Endpoint>> => {
  const probes = createProbes(deps);
  const auth = createAuth(deps);
  const oauth = createOauth(deps);
  const page = createPage(deps);
  const accounts = createAccounts(deps);
  const callback = createCallback(deps);
  return {
    root: probes.root,
    hello: probes.hello,
    discard: probes.discard,
    health: createHealth(deps),
    openapi: createOpenApi(deps),
    status: createStatus(deps),
    metrics: createMetrics(deps),
    events: createEvents(deps),
    page: page.show,
    unlock: page.unlock,
    lock: page.lock,
    deviceStart: auth.start,
    deviceSubmit: auth.submit,
    deviceCancel: auth.cancel,
    login: createLogin(deps),
    callback,
    oauthCallback: callback,
    authStatus: auth.status,
    refresh: auth.refresh,
    logout: auth.logout,
    accounts: accounts.list,
    addAccount: accounts.add,
    changeAccount: accounts.change,
    removeAccount: accounts.remove,
    muxAuthorize: oauth.authorize,
    muxExchange: oauth.exchange,
    muxTokens: oauth.tokens,
    muxRefresh: oauth.refreshToken,
    muxDelete: oauth.deleteToken,
    muxRemove: oauth.removeToken,
    proxyAuthorize: oauth.authorizeLink,
    proxyExchange: oauth.exchangeLink,
  };
};

const pick = (methods: Methods, method: string, param: string): Found => {
  const route = methods.get(method);
  return route === undefined ? { allow: [...methods.keys()].join(", ") } : { route, param };
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
