// GET|POST|DELETE /auth/device: the sign-in and accounts page, also through `ssh -L`. GET shows it, POST
// (with the key) opens a browser session, DELETE ends it. The browser stores the key nowhere. The page has
// three states (key wanted, sign-in open, nothing open) and lists the accounts; it never holds a token.
import { html, linkTo } from "../lib/html.ts";
import type { Html } from "../lib/html.ts";
import { isoTime } from "../lib/units.ts";
import type { LoginAttempt } from "../messages/commands.ts";
import type { EventType } from "../messages/events.ts";
import { identityConflict, identityQuestion } from "../messages/identity.ts";
import type { IdentityQuestion } from "../messages/identity.ts";
import { respondHtml, respondJson } from "../server/respond.ts";
import type { AccountRow } from "../state/state.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createNonce, document } from "./document.ts";
import { script } from "./page-script.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "random" | "sessions" | "version" | "mode">;

/** `show` is open to every caller, and asks for the key and shows nothing else until it was entered. A browser that opens the page cannot send the session's token with that request: its script then asks again. */
export const createPage = (deps: Deps): Record<"show" | "unlock" | "lock", Endpoint> => ({
  show({ response, access }) {
    const nonce = createNonce(deps.random);
    const body = pageBody({
      unlocked: access !== "none",
      mode: deps.mode,
      version: deps.version,
      now: deps.clock.now(),
      pending: deps.commands.pendingLogin(),
      accounts: deps.store.snapshot().accounts,
    });
    respondHtml(response, 200, { nonce, html: document({ title: "claude-oauth-proxy", nonce, body, script }) });
  },
  unlock({ response }) {
    const { setCookie, csrf, seconds } = deps.sessions.open();
    response.appendHeader("set-cookie", setCookie);
    respondJson(response, 200, { success: true, csrf, expires_in: seconds });
  },
  lock({ request, response }) {
    response.appendHeader("set-cookie", deps.sessions.close(request.headers.cookie ?? null));
    respondJson(response, 200, { success: true });
  },
});

type PageView = {
  readonly unlocked: boolean;
  readonly mode: "oauth" | "pass-through";
  readonly version: string;
  readonly now: number;
  readonly pending: LoginAttempt | null;
  readonly accounts: readonly AccountRow[];
};

/** Events after which the page looks different. */
const follow: readonly EventType[] = [
  "account.added", "account.removed", "account.enabled", "account.disabled", "account.changed", "account.cooling", "account.healthy", "account.needs-login",
  "token.refreshed", "token.adopted", "token.refresh-failed", "login.started", "login.waiting", "login.succeeded", "login.failed", "notice",
];

const pageBody = (view: PageView): Html => html`<main>
<h1>claude-oauth-proxy</h1>
<p class="soft">Version ${view.version} on this machine.</p>
<noscript><p role="alert">This page needs JavaScript. Without it, use <code>claude-oauth-proxy login</code> in a terminal.</p></noscript>
<p id="say" class="say" role="status" aria-live="polite"></p>
<div id="content" data-unlocked="${yesNo(view.unlocked)}" data-follow="${follow.join(" ")}">
${view.unlocked ? unlocked(view) : locked}
</div>
</main>`;

const yesNo = (value: boolean): string => (value ? "yes" : "no");

const locked = html`<section aria-labelledby="key-title">
<h2 id="key-title">Enter the local key</h2>
<p>It proves that you may use this proxy. <code>claude-oauth-proxy print-key</code> prints it.</p>
<form data-form="unlock">
<label for="key">Local key</label>
<input id="key" name="key" type="password" required autocomplete="off" spellcheck="false">
<div class="row"><button class="main">Continue</button></div>
</form>
</section>`;

const unlocked = (view: PageView): Html => html`${view.mode === "pass-through" ? passThrough : signIn(view)}
<section aria-labelledby="accounts-title">
<h2 id="accounts-title">Accounts</h2>
${accountList(view)}
</section>
<div class="row"><button data-action="lock">Forget the key in this browser</button></div>`;

const passThrough = html`<section><h2>Pass-through mode</h2><p>The client keeps its own login; nothing is stored here, and there is nothing to sign in to.</p></section>`;

const signIn = ({ pending, ...view }: PageView): Html => {
  if (pending === null) return startForm(view);
  return pending.question === null ? codeForm(pending, view.now) : questionForm(pending.attemptId, pending.question);
};

const terms = "https://code.claude.com/docs/en/legal-and-compliance";

// Shown before the first sign-in, and confirmed once.
const consent = html`<p>Anthropic's ${linkTo(terms, "published terms")} say that signing in with a subscription is meant for Anthropic's own applications.
This is a tool of your own, on your own machine. An API key, or the pass-through mode, is the way without that question.</p>
<label class="check" for="agree"><input id="agree" type="checkbox" required> <span>I have read this and want to sign in with my own account.</span></label>`;

const startForm = ({ accounts }: Pick<PageView, "accounts">): Html => html`<section aria-labelledby="start-title">
<h2 id="start-title">${accounts.length === 0 ? "Sign in" : "Add an account"}</h2>
<form data-form="begin">
${accounts.length === 0 ? consent : null}
<button class="main">Start a sign-in</button>
</form>
</section>`;

const codeForm = (attempt: LoginAttempt, now: number): Html => html`<section aria-labelledby="code-title">
<h2 id="code-title">Finish the sign-in</h2>
<ol>
<li>${linkTo(attempt.authorizeUrl, "Open the sign-in page")}, sign in, press Authorize. It works on any machine.</li>
<li>The page shows a code like <code>abc…#9f3c…</code>. Copy all of it, with the # part, and paste it here.</li>
</ol>
<form data-form="submit" data-attempt="${attempt.attemptId}">
<label for="code">Code</label>
<input id="code" name="code" type="password" required autocomplete="off" spellcheck="false">
<div class="row"><button class="main">Sign in</button><button type="button" data-action="cancel" data-attempt="${attempt.attemptId}">Cancel</button></div>
</form>
${withoutCode(attempt)}
<p class="soft">Open for ${minutesLeft(attempt.expiresAt, now)}.</p>
</section>`;

const withoutCode = ({ shortUrl, returns }: LoginAttempt): Html | null => {
  if (!returns) return null;
  return shortUrl === null
    ? html`<p class="soft">Signing in without a code is closed: somebody tried ten wrong links. <button type="button" data-action="start">Start again</button></p>`
    : html`<p class="soft">Or ${linkTo(shortUrl, "sign in without a code")}: this browser then comes back by itself.</p>`;
};

/** Granted already: a new person is added, and an account given to another, only after a yes. */
const questionForm = (attemptId: string, question: IdentityQuestion): Html => html`<section aria-labelledby="question-title">
<h2 id="question-title">${identityQuestion(question)}</h2>
<p>${identityConflict(question)} With no, the sign-in is given back to the server and nothing is changed here.</p>
<div class="row"><button class="main" data-action="accept" data-attempt="${attemptId}" data-confirm="${question.confirm}">Yes</button><button data-action="decline" data-attempt="${attemptId}">No</button></div>
</section>`;

const minutesLeft = (expiresAt: number, now: number): string => {
  const minutes = Math.max(0, Math.ceil((expiresAt - now) / 60_000));
  return minutes === 1 ? "one more minute" : `${minutes} more minutes`;
};

const accountList = ({ accounts }: PageView): Html =>
  accounts.length === 0 ? html`<p>No account yet.</p>` : html`<ul class="accounts">${accounts.map(accountItem)}</ul>`;

const healthWords: Readonly<Record<AccountRow["health"], string>> = {
  healthy: "healthy",
  cooling: "pausing after errors",
  limited: "at a limit",
  disabled: "disabled",
  "needs-login": "sign-in needed",
};

const accountItem = (row: AccountRow): Html => html`<li data-account="${row.id}">
<div><span class="name">${row.label}</span> <span class="health" data-health="${row.health}">${healthWords[row.health]}</span></div>
<div class="soft">${row.kind === "oauth" ? "subscription" : "API key"} · ${row.id}${expiry(row)}</div>
${row.lastError === null ? null : html`<div class="soft">Last error: ${row.lastError}</div>`}
<div class="row">${buttons(row)}</div>
</li>`;

const expiry = (row: AccountRow): Html | null => {
  const time = row.kind === "oauth" ? isoTime(row.expiresAt) : null;
  return time === null ? null : html` · token until <time datetime="${time}">${time.slice(0, 16).replace("T", " ")} UTC</time>`;
};

const buttons = (row: AccountRow): readonly Html[] => [
  ...(row.health === "needs-login" ? [button("start", "Sign in again", row)] : []),
  ...(row.kind === "oauth" && row.health !== "needs-login" ? [button("refresh", "Refresh", row)] : []),
  row.enabled ? button("disable", "Disable", row) : button("enable", "Enable", row),
  button("remove", "Sign out", row),
];

const button = (action: string, word: string, { label }: AccountRow): Html => html`<button data-action="${action}" aria-label="${word}: ${label}">${word}</button>`;
