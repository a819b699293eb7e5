// The sign-in calls of anthropic-oauth-proxy: /auth/device/start, /auth/device/submit, /auth/status,
// /auth/refresh, /auth/logout, and /auth/device/cancel beside them. No token ever goes to the browser.
import { isoTime } from "../lib/iso-time.ts";
import { secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { neededText, textField } from "../server/read-body.ts";
import { respondJson } from "../server/respond.ts";
import { canServe, viewAccount } from "./account-view.ts";
import type { ApiDeps, Call, Endpoint } from "./call.ts";
import { refreshed, signedIn } from "./submitted.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "mode" | "refreshLeadSeconds" | "sessions">;

type AuthEndpoints = { start: Endpoint; submit: Endpoint; cancel: Endpoint; status: Endpoint; refresh: Endpoint; logout: Endpoint };

/** `account_id` may be left out wherever one account is meant and only one is there. */
export const createAuth = (deps: Deps): AuthEndpoints => ({
  start: (call) => start(deps, call),
  submit: (call) => submit(deps, call),
  async cancel({ response, body }) {
    deps.commands.cancelLogin(neededText(await body(), "attempt_id"));
    respondJson(response, 200, { success: true });
  },
  status: (call) => status(deps, call),
  async refresh({ response, body }) {
    const expiresAt = refreshed(await deps.commands.refresh(textField(await body(), "account_id") ?? null));
    respondJson(response, 200, { success: true, expires_at: isoTime(expiresAt) });
  },
  logout: (call) => logout(deps, call),
});

const start = async ({ commands, clock }: Deps, { response, body }: Call): Promise<void> => {
  const fields = await body();
  const accountId = textField(fields, "account_id");
  const attempt = await commands.startLogin({ kind: loginKind(textField(fields, "kind")), ...(accountId === undefined ? {} : { accountId }) });
  respondJson(response, 200, {
    auth_url: attempt.authorizeUrl,
    attempt_id: attempt.attemptId,
    expires_in: Math.max(0, Math.round((attempt.expiresAt - clock.now()) / 1000)),
    browser_url: attempt.browserUrl,
  });
};

const submit = async ({ commands }: Deps, { response, body }: Call): Promise<void> => {
  const fields = await body();
  const pasted = secret(neededText(fields, "code"));
  const { accountId, expiresAt } = signedIn(await commands.submitCode(pasted, textField(fields, "attempt_id") ?? null));
  respondJson(response, 200, { success: true, message: "Signed in.", account_id: accountId, expires_at: isoTime(expiresAt) });
};

const status = ({ commands, store, clock, mode, refreshLeadSeconds }: Deps, { response }: Call): void => {
  const { accounts, refreshes } = store.snapshot();
  const pending = commands.pendingLogin();
  const options = { refreshes, now: clock.now(), refreshLeadSeconds, keyShown: true };
  respondJson(response, 200, {
    authenticated: mode === "pass-through" || canServe(accounts),
    accounts: accounts.map((row) => viewAccount(row, options)),
    pending: pending === null ? null : { attempt_id: pending.attemptId, auth_url: pending.authorizeUrl, expires_at: isoTime(pending.expiresAt) },
  });
};

const logout = async ({ commands, sessions, store }: Deps, { response, body }: Call): Promise<void> => {
  const fields = await body();
  const accountId = textField(fields, "account_id") ?? null;
  const names = store.snapshot().accounts.map(({ id }) => id);
  // This call is older than several accounts: it must not cost the others their sign-in by surprise.
  if (accountId === null && names.length > 1 && fields["all"] !== true) {
    throw new AppError({ code: "conflict", message: `There are ${names.length} accounts: ${names.join(", ")}.`, hint: 'Name one as "account_id", or send "all": true.' });
  }
  const { removed } = await commands.logout(accountId);
  // Without a name the whole sign-in ends, the browser's part of it too.
  if (accountId === null) response.addField("set-cookie", sessions.forget);
  respondJson(response, 200, { success: true, removed });
};

/** `max` unless said otherwise. Throws `bad-request` for a word that is neither. */
export const loginKind = (word: string | undefined): "max" | "console" => {
  if (word === undefined || word === "max" || word === "console") return word ?? "max";
  throw new AppError({ code: "bad-request", message: 'The kind of sign-in is "max" or "console".' });
};
