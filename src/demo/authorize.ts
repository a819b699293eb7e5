// The authorize endpoint: checks the link, shows the consent page, takes the decision, sends the browser on. A
// decision needs the page's own token and cookie, so that no other site can press the button. Everything that
// came from a query is escaped: any site can write the link that opens this page.
import { html, type Html } from "../lib/html.ts";
import { base64url, type Random } from "../lib/random.ts";
import { sameText } from "../lib/secret.ts";
import { bytesReply, headerOf, type Header, type Reply, type SimulatedRequest } from "./reply.ts";
import type { Tokens } from "./tokens.ts";
import { clientId, findUser, isRegisteredRedirect, knownScopes, users, type SimulatedUser } from "./users.ts";

type Pending = { readonly asked: AuthorizeRequest; readonly csrf: string; readonly cookie: string };

const cookieName = "simulated_anthropic_session";
/** Abandoned pages are forgotten, oldest first. */
const pendingLimit = 1000;

/** Serves one authorize address; `baseUrl` is known only after the socket is bound. */
export const createAuthorize = (deps: { readonly tokens: Tokens; readonly random: Random; readonly baseUrl: () => string }) => {
  const pages = new Map<string, Pending>();
  const draw = (): string => base64url(deps.random(24));

  const allow = (asked: AuthorizeRequest, userId: string | null): Reply => {
    const code = deps.tokens.addCode({ ...asked, user: findUser(userId) });
    return seeOther(asked.redirectUri, { code, state: asked.state });
  };

  const ask = (asked: AuthorizeRequest, { path, query }: SimulatedRequest): Reply => {
    const handle = draw();
    const pending = { asked, csrf: draw(), cookie: draw() };
    pages.set(handle, pending);
    for (const oldest of pages.keys()) if (pages.size > pendingLimit) pages.delete(oldest);
    const cookie = `${cookieName}=${pending.cookie}; HttpOnly; SameSite=Strict; Path=${path}`;
    return consentPage(asked, findUser(query.get("login_hint")), { handle, csrf: pending.csrf, action: path }, cookie);
  };

  const show = (request: SimulatedRequest): Reply => {
    const check = checkAuthorizeRequest(request.query, deps.baseUrl());
    if (!check.ok) return errorPage(400, check.message, wantsHtml(request));
    // Without a browser no person can press the button: `curl -sL` gets its code at once.
    return wantsHtml(request) ? ask(check.request, request) : allow(check.request, request.query.get("login_hint"));
  };

  const decide = (request: SimulatedRequest): Reply => {
    const form = new URLSearchParams(request.body.toString("utf8"));
    const handle = form.get("handle") ?? "";
    const pending = pages.get(handle);
    if (pending === undefined) return errorPage(400, "This page is no longer open", wantsHtml(request));
    if (!sameText(form.get("csrf") ?? "", pending.csrf) || !hasCookie(request, pending.cookie)) {
      return errorPage(403, "This decision did not come from our page", wantsHtml(request));
    }
    pages.delete(handle);
    return form.get("decision") === "authorize" ? allow(pending.asked, form.get("user")) : deny(pending.asked);
  };

  return (request: SimulatedRequest): Reply => {
    if (request.method === "POST") return decide(request);
    return request.method === "GET" ? show(request) : errorPage(405, "Method not allowed", wantsHtml(request));
  };
};

/** The hosted redirect: the page from which a person copies `code#state`. */
export const hostedCallback = (request: SimulatedRequest): Reply => {
  const { query } = request;
  const error = query.get("error");
  if (error !== null) return errorPage(400, `${error}: ${query.get("error_description") ?? ""}`, wantsHtml(request));
  const code = query.get("code");
  const state = query.get("state");
  if (code === null || state === null) return errorPage(400, "No code here", wantsHtml(request));
  return codePage(`${code}#${state}`, wantsHtml(request));
};

const wantsHtml = (request: SimulatedRequest): boolean => (headerOf(request, "accept") ?? "").includes("text/html");

const hasCookie = (request: SimulatedRequest, value: string): boolean =>
  (headerOf(request, "cookie") ?? "").split("; ").some((pair) => sameText(pair, `${cookieName}=${value}`));

const seeOther = (uri: string, parameters: Readonly<Record<string, string>>): Reply =>
  bytesReply(302, "text/plain; charset=utf-8", "", [
    ["location", `${uri}?${new URLSearchParams(parameters).toString()}`],
    ["cache-control", "no-store"],
  ]);

// RFC 6749 section 4.1.2.1
const deny = ({ redirectUri, state }: AuthorizeRequest): Reply =>
  seeOther(redirectUri, { error: "access_denied", error_description: "The user denied the request", state });

export type AuthorizeRequest = {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly state: string;
  readonly scopes: readonly string[];
};

export type AuthorizeCheck = { readonly ok: true; readonly request: AuthorizeRequest } | { readonly ok: false; readonly message: string };

/** RFC 7636 section 4.2: 32 bytes in base64url without padding. */
const challengeShape = /^[A-Za-z0-9_-]{43}$/;

const singles = ["client_id", "response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method", "state"] as const;

/**
 * Reads the query as strictly as the real page. Every fault is a sentence for the error page, never a redirect,
 * because a redirect is only safe once the client has been checked. `baseUrl` decides which hosted redirect is
 * registered.
 */
export const checkAuthorizeRequest = (query: URLSearchParams, baseUrl: string): AuthorizeCheck => {
  const value = (name: string): string => query.get(name) ?? "";
  const scopes = value("scope").split(" ").filter((scope) => scope !== "");
  const unknown = scopes.find((scope) => !knownScopes.has(scope));
  const faults: readonly (readonly [boolean, string])[] = [
    [singles.some((name) => query.getAll(name).length > 1), "A parameter is given twice"],
    [value("client_id") !== clientId, "Unknown client_id"],
    [!isRegisteredRedirect(value("redirect_uri"), baseUrl), "redirect_uri not supported by client"],
    [value("response_type") !== "code", "response_type must be code"],
    [scopes.length === 0, "Missing scope"],
    [unknown !== undefined, `Unknown scope: ${unknown ?? ""}`],
    [value("code_challenge_method") !== "S256", "code_challenge_method must be S256"],
    [!challengeShape.test(value("code_challenge")), "code_challenge must be 43 base64url characters"],
    [value("state") === "", "Missing state parameter"],
  ];
  const fault = faults.find(([wrong]) => wrong);
  if (fault !== undefined) return { ok: false, message: fault[1] };
  return {
    ok: true,
    request: { clientId, redirectUri: value("redirect_uri"), challenge: value("code_challenge"), state: value("state"), scopes },
  };
};

type Form = { readonly handle: string; readonly csrf: string; readonly action: string };

/** Asks the person; both buttons post back to the address of the page. */
const consentPage = (asked: AuthorizeRequest, chosen: SimulatedUser, form: Form, cookie: string): Reply =>
  page(
    200,
    "Claude Code would like to connect to your Claude account",
    html`<p>Signed in as <strong>${chosen.name}</strong> (${chosen.email}), ${chosen.organization.name}.</p>
<p>It asks for:</p><ul>${asked.scopes.map((scope) => html`<li>${scope}</li>`)}</ul>
<form method="post" action="${form.action}">
<input type="hidden" name="handle" value="${form.handle}"><input type="hidden" name="csrf" value="${form.csrf}">
<p><label>Account <select name="user">${users.map((user) => choice(user, user.id === chosen.id))}</select></label></p>
<p><button name="decision" value="authorize">Authorize</button> <button name="decision" value="deny">Deny</button></p></form>`,
    [["set-cookie", cookie]],
  );

const choice = ({ id, name, email }: SimulatedUser, isChosen: boolean): Html =>
  html`<option value="${id}"${isChosen ? html` selected` : null}>${`${name} <${email}>`}</option>`;

/** Shows `code#state` for pasting; the bare line for a reader that is no browser. */
const codePage = (text: string, asHtml: boolean): Reply =>
  asHtml ? page(200, "Authentication code", html`<p>Paste this into the program that asked for it:</p><p><code id="code">${text}</code></p>`) : plain(200, text);

const errorPage = (status: number, message: string, asHtml: boolean): Reply =>
  asHtml ? page(status, "Invalid OAuth request", html`<p id="error">${message}</p>`) : plain(status, message);

const safety: readonly Header[] = [
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
];

const plain = (status: number, text: string): Reply => bytesReply(status, "text/plain; charset=utf-8", `${text}\n`, safety);

const page = (status: number, title: string, content: Html, headers: readonly Header[] = []): Reply => {
  const whole = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}code{overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1rem}</style></head>
<body><h1>${title}</h1><p><em>Simulated Anthropic: no real account is involved.</em></p>${content}</body></html>`;
  return bytesReply(status, "text/html; charset=utf-8", whole.toString(), [...safety, ...headers]);
};
