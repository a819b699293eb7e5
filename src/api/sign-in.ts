// The sign-in calls of three older programs, each in its own shape, over the same commands:
// anthropic-oauth-proxy (/auth/*), claude-code-mux (/api/oauth/*) and claude-proxy (/oauth/*). What they call
// `attempt_id`, `verifier` or `code_verifier` is an opaque handle of the attempt: the PKCE verifier never
// leaves the process, so a person who sees the code cannot spend it (RFC 7636 section 1).
import { isoTime } from "../lib/units.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { RefreshOutcome, SubmitOutcome } from "../messages/commands.ts";
import { AppError, meanings } from "../messages/errors.ts";
import type { ErrorCode } from "../messages/errors.ts";
import { identityConflict } from "../messages/identity.ts";
import type { IdentityQuestion } from "../messages/identity.ts";
import { neededText, textField } from "../server/read-body.ts";
import type { JsonBody } from "../server/read-body.ts";
import { respondJson } from "../server/respond.ts";
import { checkedId, viewAccount, viewChanged } from "./account-view.ts";
import type { ApiDeps, Call, Endpoint } from "./call.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "mode" | "refreshLeadSeconds" | "sessions">;

/** /auth/device/{start,submit,cancel} and /auth/{status,refresh,logout}. `account_id` may be left out while there is only one account. */
export const createAuth = (deps: Deps): Record<"start" | "submit" | "cancel" | "status" | "refresh" | "logout", Endpoint> => ({
  async start({ response, body }) {
    const fields = await body();
    const kind = loginKind(fields, "kind");
    const accountId = textField(fields, "account_id");
    const attempt = await deps.commands.startLogin({ kind, ...(accountId === undefined ? {} : { accountId }) });
    respondJson(response, 200, {
      auth_url: attempt.authorizeUrl,
      attempt_id: attempt.attemptId,
      expires_in: Math.max(0, Math.round((attempt.expiresAt - deps.clock.now()) / 1000)),
      browser_url: attempt.returns ? attempt.shortUrl : null,
    });
  },
  async submit({ response, body }) {
    const fields = await body();
    const { accountId, expiresAt } = await submit(deps, fields, { attemptId: textField(fields, "attempt_id") ?? null, pasted: () => secret(neededText(fields, "code")) });
    respondJson(response, 200, { success: true, message: "Signed in.", account_id: accountId, expires_at: isoTime(expiresAt) });
  },
  async cancel({ response, body }) {
    deps.commands.cancelLogin(neededText(await body(), "attempt_id"));
    respondJson(response, 200, { success: true });
  },
  status({ response }) {
    const { accounts } = deps.store.snapshot();
    const pending = deps.commands.pendingLogin();
    respondJson(response, 200, {
      authenticated: deps.commands.canServe(),
      accounts: accounts.map((row) => viewAccount(deps, row)),
      pending: pending === null ? null : { attempt_id: pending.attemptId, auth_url: pending.authorizeUrl, expires_at: isoTime(pending.expiresAt), ...(pending.question === null ? {} : questionFields(pending.question)) },
    });
  },
  async refresh({ response, body }) {
    const expiresAt = refreshed(await deps.commands.refresh(textField(await body(), "account_id") ?? null));
    respondJson(response, 200, { success: true, expires_at: isoTime(expiresAt) });
  },
  logout: (call) => logout(deps, call),
});

const logout = async ({ commands, sessions, store }: Deps, { request, response, body }: Call): Promise<void> => {
  const fields = await body();
  const accountId = textField(fields, "account_id") ?? null;
  const ids = store.snapshot().accounts.map(({ id }) => id);
  // This call is older than several accounts: it must not sign the others out by surprise.
  if (accountId === null && ids.length > 1 && fields["all"] !== true) {
    throw new AppError({ code: "conflict", message: `There are ${ids.length} accounts: ${ids.join(", ")}.`, hint: 'Name one as "account_id", or send "all": true.' });
  }
  const { removed } = await commands.logout(accountId);
  // Without a name the whole sign-in ends, the browser's part of it too.
  if (accountId === null) {
    response.appendHeader("set-cookie", sessions.close(request.headers.cookie ?? null));
    sessions.closeAll();
  }
  respondJson(response, 200, { success: true, removed });
};

type OauthEndpoint = "authorize" | "exchange" | "tokens" | "refreshToken" | "deleteToken" | "removeToken" | "authorizeLink" | "exchangeLink";

/** /api/oauth/* of claude-code-mux, where `provider_id` is the account's id; the two links are claude-proxy's /oauth/authorize and /oauth/exchange. */
export const createOauth = (deps: Deps): Record<OauthEndpoint, Endpoint> => {
  const remove = async ({ response }: Call, id: string): Promise<void> => {
    await deps.commands.logout(checkedId(id));
    respondJson(response, 200, { success: true, message: "Token deleted.", provider_id: id });
  };
  return {
    async authorize({ response, body }) {
      const attempt = await deps.commands.startLogin({ kind: loginKind(await body(), "oauth_type") });
      respondJson(response, 200, {
        url: attempt.authorizeUrl,
        verifier: attempt.attemptId,
        instructions: "Open the URL, sign in, press Authorize. Then send all of the code that the page shows, with the # part, to /api/oauth/exchange.",
      });
    },
    async exchange({ response, body }) {
      const fields = await body();
      const id = textField(fields, "provider_id");
      const request = { attemptId: neededText(fields, "verifier"), pasted: () => secret(neededText(fields, "code")), ...(id === undefined ? {} : { accountId: checkedId(id) }) };
      const { accountId, expiresAt } = await submit(deps, fields, request);
      respondJson(response, 200, { success: true, message: "Signed in; the token is stored.", provider_id: accountId, expires_at: isoTime(expiresAt) });
    },
    tokens({ response }) {
      const views = deps.store.snapshot().accounts.map((row) => viewAccount(deps, row));
      respondJson(response, 200, views.map(({ id, expires_at, is_expired, needs_refresh }) => ({ provider_id: id, expires_at, is_expired, needs_refresh })));
    },
    async refreshToken({ response, body }) {
      const id = checkedId(neededText(await body(), "provider_id"));
      const expiresAt = refreshed(await deps.commands.refresh(id));
      respondJson(response, 200, { success: true, message: "Token refreshed.", provider_id: id, expires_at: isoTime(expiresAt) });
    },
    async deleteToken(call) {
      await remove(call, neededText(await call.body(), "provider_id"));
    },
    removeToken: (call) => remove(call, call.param),
    async authorizeLink({ response }) {
      const attempt = await deps.commands.startLogin({ kind: "max" });
      const state = new URL(attempt.authorizeUrl).searchParams.get("state");
      respondJson(response, 200, { authorization_url: attempt.authorizeUrl, state, code_verifier: attempt.attemptId });
    },
    async exchangeLink({ response, body }) {
      const { accountId } = await submitParts(deps, await body());
      respondJson(response, 200, { success: true, account: viewChanged(deps, accountId) });
    },
  };
};

const loginKind = (fields: JsonBody, name: string): "max" | "console" => {
  const word = textField(fields, name) ?? "max";
  if (word === "max" || word === "console") return word;
  throw new AppError({ code: "bad-request", message: 'The kind of sign-in is "max" or "console".' });
};

type SignedIn = Extract<SubmitOutcome, { outcome: "signed-in" }>;

/**
 * Completes a sign-in from `{code, state, code_verifier}`, as claude-proxy's clients send it. A code that
 * already holds its state (`code#state`) is taken as it is. Throws `AppError` when it does not succeed.
 */
export const submitParts = (deps: Pick<Deps, "commands">, fields: JsonBody): Promise<SignedIn> => {
  const pasted = (): Secret => {
    const code = neededText(fields, "code");
    return secret(code.includes("#") ? code : `${code}#${neededText(fields, "state")}`);
  };
  return submit(deps, fields, { attemptId: neededText(fields, "code_verifier"), pasted });
};

type SubmitRequest = { readonly attemptId: string | null; readonly pasted: () => Secret; readonly accountId?: string };

/** Sends the code; with `"confirm"` it is the yes to what an earlier call was refused with, and the code is not needed again. */
const submit = async ({ commands }: Pick<Deps, "commands">, fields: JsonBody, { attemptId, pasted, accountId }: SubmitRequest): Promise<SignedIn> => {
  const confirm = textField(fields, "confirm");
  const outcome = confirm === undefined ? commands.submitCode(pasted(), attemptId, ...(accountId === undefined ? [] : [accountId])) : commands.answerIdentity({ attemptId, confirm, accept: true });
  return signedIn(await outcome);
};

/** Who signed in and what a yes needs, for the holder of the key. */
const questionFields = ({ confirm, email, organization, accountId, replaces }: IdentityQuestion): Readonly<Record<string, unknown>> => ({
  confirm,
  identity: { email, organization, account_id: accountId, replaces: replaces === null ? null : { email: replaces.email, organization: replaces.organization } },
});

const signedIn = (outcome: SubmitOutcome): SignedIn => {
  switch (outcome.outcome) {
    case "signed-in":
      return outcome;
    case "confirm":
      throw new AppError({
        code: "conflict",
        message: identityConflict(outcome.question),
        hint: `If that is right, send this call again with "confirm": "${outcome.question.confirm}" while the sign-in is open; POST /auth/device/cancel gives the sign-in back.`,
        fields: questionFields(outcome.question),
      });
    case "nothing":
      throw new AppError({ code: "bad-paste", message: "No code was given.", hint: "Paste all of what the page shows, with the # part." });
    case "bad-paste":
      throw new AppError({ code: "bad-paste", message: outcome.message });
    case "retry":
      throw new AppError({ code: "login-failed", message: outcome.message, hint: "The same code may be sent again." });
    case "failed":
      throw new AppError({ code: ownCode(outcome.errorCode) ?? "login-failed", message: outcome.message, hint: "Start a new sign-in." });
  }
};

// The error code of a failed sign-in is one of ours or the token endpoint's.
const ownCode = (code: string): ErrorCode | null => (Object.hasOwn(meanings, code) ? (code as ErrorCode) : null);

/** The new expiry. Throws `AppError` when the refresh failed. */
const refreshed = (outcome: RefreshOutcome): number | null => {
  if (outcome.outcome !== "failed") return outcome.expiresAt;
  const hint = outcome.needsLogin ? "Sign this account in again." : "It is tried again by itself.";
  throw new AppError({ code: "refresh-failed", message: outcome.message, hint });
};
