// The browser's way of a sign-in: GET /login leads to the authorization server's page, and that page sends
// the browser back to GET /callback or /oauth/callback. All are open, because a person types or follows them.
import { secret } from "../lib/secret.ts";
import { visibleText } from "../lib/visible-text.ts";
import type { CallbackOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { respondEmpty, respondHtml } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createNonce, document, html } from "./html.ts";

/**
 * The short way to the open sign-in, for terminals that break a long link: 302 to the link that comes back by
 * itself when there is one, because a browser that reaches `/login` reaches `/callback` too. The link holds no
 * secret but the state, which is worth nothing without the verifier.
 */
export const createLogin =
  ({ commands }: Pick<ApiDeps, "commands">): Endpoint =>
  ({ response }) => {
    const attempt = commands.pendingLogin();
    if (attempt === null) throw new AppError({ code: "not-found", message: "No sign-in is open.", hint: "Start one in the dashboard, with `claude-oauth-proxy login`, or on /auth/device." });
    respondEmpty(response, 302, { location: attempt.browserUrl ?? attempt.authorizeUrl, "referrer-policy": "no-referrer" });
  };

/**
 * Where the authorization server's page sends the browser back to: 200 when signed in, 400 when not. `state`
 * is the protection (RFC 9700 section 2.1); the sign-in that made it checks it.
 */
export const createCallback =
  ({ commands, random }: Pick<ApiDeps, "commands" | "random">): Endpoint =>
  async ({ response, query }) => {
    const outcome = hasDoubles(query) ? doubled : await commands.completeCallback(read(query));
    const nonce = createNonce(random);
    respondHtml(response, outcome.ok ? 200 : 400, { nonce, html: page(outcome, nonce) });
  };

const names = ["code", "state", "error", "error_description"] as const;

// RFC 6749 section 3.1: parameters must not be there twice.
const hasDoubles = (query: URLSearchParams): boolean => names.some((name) => query.getAll(name).length > 1);

const doubled: CallbackOutcome = { ok: false, title: "Sign-in not completed", message: "The address holds a value twice. Start the sign-in again." };

const read = (query: URLSearchParams) => {
  const code = text(query, "code");
  const description = text(query, "error_description");
  return {
    code: code === null ? null : secret(code),
    state: text(query, "state"),
    error: text(query, "error"),
    errorDescription: description === null ? null : visibleText(description),
  };
};

const text = (query: URLSearchParams, name: (typeof names)[number]): string | null => {
  const value = query.get(name);
  return value === null || value === "" ? null : value.slice(0, 4096);
};

// The code leaves the address bar and the history, used or not.
const forgetAddress = `history.replaceState(null, "", location.pathname);`;

const page = ({ ok, title, message }: CallbackOutcome, nonce: string): string =>
  document({
    title,
    nonce,
    script: forgetAddress,
    body: html`<main><h1>${title}</h1><p role="${ok ? "status" : "alert"}">${message}</p><p><a href="/auth/device">Accounts</a></p></main>`,
  });
