// The browser's way of a sign-in: GET /login leads to the authorization server's page, and that page sends
// the browser back to GET /callback or /oauth/callback. All are open, because a person types or follows them.
import { html } from "../lib/html.ts";
import type { Random } from "../lib/random.ts";
import type { CallbackResult } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { htmlAnswer, respondEmpty, send } from "../server/respond.ts";
import type { OwnAnswer } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createNonce, document } from "./document.ts";

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

/** Where the authorization server's page sends the browser back to. `state` is the protection (RFC 9700 section 2.1); the sign-in that made it checks it. */
export const createCallback =
  ({ commands, random }: Pick<ApiDeps, "commands" | "random">): Endpoint =>
  async ({ response, query }) =>
    send(response, callbackPage(await commands.completeCallback(query.toString()), { random, accountsPage: "/auth/device" }));

/** What the browser then sees, here and on the listener that lives for one sign-in. `accountsPage` is a path there, null when there is no such page. */
export const callbackPage = (result: CallbackResult, { random, accountsPage }: { readonly random: Random; readonly accountsPage: string | null }): OwnAnswer => {
  const nonce = createNonce(random);
  const { status, title } = looks[result.result];
  const isDone = result.result === "signed-in";
  const message = isDone ? "You can close this page and go back to the terminal." : result.message;
  const body = html`<main><h1>${title}</h1><p role="${isDone ? "status" : "alert"}">${message}</p>${accountsPage === null ? null : html`<p><a href="${accountsPage}">Accounts</a></p>`}</main>`;
  return htmlAnswer(status, { nonce, html: document({ title, nonce, body, ...(result.result === "retry" ? {} : { script: forgetAddress }) }) });
};

const looks = {
  "signed-in": { status: 200, title: "Signed in" },
  retry: { status: 502, title: "Not yet signed in" },
  failed: { status: 400, title: "Not signed in" },
  refused: { status: 400, title: "Not signed in" },
} as const satisfies Record<CallbackResult["result"], { status: number; title: string }>;

// The code leaves the address bar and the history, used or not; a page that is to be loaded again keeps it.
const forgetAddress = `history.replaceState(null, "", location.pathname);`;
