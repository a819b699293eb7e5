// The authorize endpoint: shows the consent page, takes the decision, sends the browser on. A decision
// needs the page's own token and cookie, so that no other site can press the button.
import { base64url, type Random } from "../lib/random.ts";
import { sameText } from "../lib/secret.ts";
import { codePage, consentPage, errorPage } from "./authorize-page.ts";
import { checkAuthorizeRequest, type AuthorizeRequest } from "./authorize-request.ts";
import type { Ledger } from "./ledger.ts";
import { findPerson } from "./people.ts";
import { bytesReply, headerOf, type Arrived, type Reply } from "./reply.ts";

type Pending = { readonly request: AuthorizeRequest; readonly csrf: string; readonly cookie: string };

const cookieName = "simulated_anthropic_session";
/** Abandoned pages are forgotten, oldest first. */
const pendingLimit = 1000;

const wantsHtml = (arrived: Arrived): boolean => (headerOf(arrived, "accept") ?? "").includes("text/html");

const seeOther = (uri: string, parameters: Readonly<Record<string, string>>): Reply =>
  bytesReply(302, "text/plain; charset=utf-8", "", [
    ["location", `${uri}?${new URLSearchParams(parameters).toString()}`],
    ["cache-control", "no-store"],
  ]);

const deny = ({ redirectUri, state }: AuthorizeRequest): Reply =>
  seeOther(redirectUri, { error: "access_denied", error_description: "The user denied the request", state });

/** Serves one authorize address; `baseUrl` is known only after the socket is bound. */
export const createAuthorize = (deps: { readonly ledger: Ledger; readonly random: Random; readonly baseUrl: () => string }) => {
  const pages = new Map<string, Pending>();
  const draw = (): string => base64url(deps.random(24));

  const allow = (request: AuthorizeRequest, personId: string | null): Reply => {
    const code = deps.ledger.addCode({ ...request, person: findPerson(personId) });
    return seeOther(request.redirectUri, { code, state: request.state });
  };

  const ask = (request: AuthorizeRequest, arrived: Arrived): Reply => {
    const handle = draw();
    const pending = { request, csrf: draw(), cookie: draw() };
    pages.set(handle, pending);
    for (const oldest of pages.keys()) if (pages.size > pendingLimit) pages.delete(oldest);
    const form = { handle, csrf: pending.csrf, action: arrived.path };
    const cookie = `${cookieName}=${pending.cookie}; HttpOnly; SameSite=Strict; Path=${arrived.path}`;
    return consentPage(request, findPerson(arrived.query.get("login_hint")), form, cookie);
  };

  const show = (arrived: Arrived): Reply => {
    const check = checkAuthorizeRequest(arrived.query, deps.baseUrl());
    if (!check.ok) return errorPage(400, check.message, wantsHtml(arrived));
    // Without a browser there is nobody to press the button: `curl -sL` gets its code at once.
    return wantsHtml(arrived) ? ask(check.request, arrived) : allow(check.request, arrived.query.get("login_hint"));
  };

  const decide = (arrived: Arrived): Reply => {
    const form = new URLSearchParams(arrived.body.toString("utf8"));
    const handle = form.get("handle") ?? "";
    const pending = pages.get(handle);
    if (pending === undefined) return errorPage(400, "This page is no longer open", wantsHtml(arrived));
    if (!sameText(form.get("csrf") ?? "", pending.csrf) || !hasCookie(arrived, pending.cookie)) {
      return errorPage(403, "This decision did not come from our page", wantsHtml(arrived));
    }
    pages.delete(handle);
    return form.get("decision") === "authorize" ? allow(pending.request, form.get("person")) : deny(pending.request);
  };

  return (arrived: Arrived): Reply => {
    if (arrived.method === "POST") return decide(arrived);
    return arrived.method === "GET" ? show(arrived) : errorPage(405, "Method not allowed", wantsHtml(arrived));
  };
};

const hasCookie = (arrived: Arrived, value: string): boolean =>
  (headerOf(arrived, "cookie") ?? "").split("; ").some((pair) => sameText(pair, `${cookieName}=${value}`));

/** The hosted redirect: the page a person copies `code#state` from. */
export const hostedCallback = (arrived: Arrived): Reply => {
  const { query } = arrived;
  const error = query.get("error");
  if (error !== null) return errorPage(400, `${error}: ${query.get("error_description") ?? ""}`, wantsHtml(arrived));
  const code = query.get("code");
  const state = query.get("state");
  if (code === null || state === null) return errorPage(400, "No code here", wantsHtml(arrived));
  return codePage(`${code}#${state}`, wantsHtml(arrived));
};
