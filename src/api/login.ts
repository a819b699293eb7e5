// The browser's way of a sign-in: GET /login/TOKEN leads to the authorization server's page, and that page sends the
// browser back to GET /callback or /oauth/callback. All are open, because a person types or follows them; what protects
// them is the token, the cookie that it gives, and the state. The listener that lives for one sign-in answers the same.
import type { IncomingMessage } from "node:http";
import { html } from "../lib/html.ts";
import type { Random } from "../lib/random.ts";
import { webAddress } from "../lib/web-address.ts";
import type { CallbackResult, Commands } from "../messages/commands.ts";
import { htmlAnswer, plainHeaders, send } from "../server/respond.ts";
import type { OwnAnswer } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createNonce, document } from "./document.ts";

/** `accountsPage` is a path there, null when there is no such page. */
type Pages = { readonly random: Random; readonly accountsPage: string | null };

/** The short way to the open sign-in, for the opener of a browser (other users see its arguments) and for terminals that break a long link. */
export const createLogin =
  ({ commands, random }: Pick<ApiDeps, "commands" | "random">): Endpoint =>
  ({ request, response, param }) =>
    send(response, linkAnswer(commands, { request, token: param }, { random, accountsPage: "/auth/device" }));

/** Where the authorization server's page sends the browser back to (RFC 9700 section 2.1); the sign-in that made the link checks browser and state. */
export const createCallback =
  ({ commands, random }: Pick<ApiDeps, "commands" | "random">): Endpoint =>
  async ({ request, response, query }) =>
    send(response, (await callbackAnswer(commands, { request, query: query.toString() }, { random, accountsPage: "/auth/device" })).answer);

type Followed = { readonly request: IncomingMessage; readonly token: string };

/** 302 to the page, with the cookie that makes the sign-in this browser's. A preview is no visit: it must not use the link up. */
export const linkAnswer = (commands: Pick<Commands, "openLink">, { request, token }: Followed, pages: Pages): OwnAnswer => {
  if (isPreview(request)) return page({ status: 403, title: "Not opened", message: "This link is for one visit of a browser, not for a preview. Open it." }, pages);
  const found = commands.openLink({ token, cookie: request.headers.cookie ?? null, host: request.headers.host ?? "" });
  if (found.result !== "open") return page({ status: found.result === "used" ? 403 : 404, title: "Not opened", message: found.message }, pages);
  const location = webAddress(found.location);
  if (location === null) return page({ status: 404, title: "Not opened", message: "The sign-in page has no http: or https: address." }, pages);
  const { setCookie } = found;
  return { status: 302, headers: { ...plainHeaders, location, "referrer-policy": "no-referrer", ...(setCookie === null ? {} : { "set-cookie": setCookie }) }, body: "" };
};

// Fetch standard, section 3.2.7 (Sec-Purpose); the others are its forerunners.
const isPreview = ({ headers }: IncomingMessage): boolean =>
  ["sec-purpose", "purpose", "x-purpose", "x-moz"].some((name) => /prefetch|prerender|preview/i.test(String(headers[name] ?? ""))) || (headers["sec-fetch-mode"] ?? "navigate") !== "navigate";

type ComeBack = { readonly request: IncomingMessage; readonly query: string };

/** What became of the way back: the page that says so, and whether nobody has to come back any more. */
export const callbackAnswer = async (
  commands: Pick<Commands, "completeCallback">,
  { request, query }: ComeBack,
  pages: Pages,
): Promise<{ readonly answer: OwnAnswer; readonly isOver: boolean }> => {
  const result = await commands.completeCallback({ query, cookie: request.headers.cookie ?? null });
  return { answer: callbackPage(result, pages), isOver: result.result === "signed-in" || result.result === "failed" || result.result === "lost" };
};

/** What the browser then sees. */
export const callbackPage = (result: CallbackResult, pages: Pages): OwnAnswer => {
  const message = result.result === "signed-in" ? "You can close this page and go back to the terminal." : result.message;
  const isKept = result.result === "retry" || result.result === "foreign";
  return page({ ...looks[result.result], message, ...(isKept ? {} : { script: forgetAddress }) }, pages);
};

const looks = {
  "signed-in": { status: 200, title: "Signed in" },
  confirm: { status: 200, title: "Almost signed in" },
  retry: { status: 502, title: "Not yet signed in" },
  failed: { status: 400, title: "Not signed in" },
  refused: { status: 400, title: "Not signed in" },
  foreign: { status: 403, title: "Not signed in" },
  lost: { status: 409, title: "Not signed in by this browser" },
} as const satisfies Record<CallbackResult["result"], { status: number; title: string }>;

// The code leaves the address bar and the history, used or not. It stays where the page is to be loaded again or its address pasted.
const forgetAddress = `history.replaceState(null, "", location.pathname);`;

const page = ({ status, title, message, script }: { readonly status: number; readonly title: string; readonly message: string; readonly script?: string }, { random, accountsPage }: Pages): OwnAnswer => {
  const nonce = createNonce(random);
  const body = html`<main><h1>${title}</h1><p role="${status === 200 ? "status" : "alert"}">${message}</p>${accountsPage === null ? null : html`<p><a href="${accountsPage}">Accounts</a></p>`}</main>`;
  return htmlAnswer(status, { nonce, html: document({ title, nonce, body, ...(script === undefined ? {} : { script }) }) });
};
