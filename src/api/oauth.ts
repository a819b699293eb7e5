// The sign-in calls of claude-code-mux (/api/oauth/*) and of claude-proxy (/oauth/*). What they call
// `verifier` and `code_verifier` is an opaque handle of the attempt here: the PKCE verifier never leaves
// the process, so that who sees the code cannot spend it (RFC 7636 section 1).
import { isoTime } from "../lib/iso-time.ts";
import { secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import { neededText, textField } from "../server/read-body.ts";
import { respondJson } from "../server/respond.ts";
import { viewAccount } from "./account-view.ts";
import { loginKind } from "./auth.ts";
import type { ApiDeps, Call, Endpoint } from "./call.ts";
import { refreshed, signedIn } from "./submitted.ts";

type Deps = Pick<ApiDeps, "commands" | "store" | "clock" | "refreshLeadSeconds">;

type Names = "authorize" | "exchange" | "tokens" | "refreshToken" | "deleteToken" | "removeToken" | "authorizeLink" | "exchangeLink";

/** `provider_id` is the account's id. */
export const createOauth = (deps: Deps): Record<Names, Endpoint> => ({
  authorize: (call) => authorize(deps, call),
  exchange: (call) => exchange(deps, call),
  tokens: ({ response }) => respondJson(response, 200, tokens(deps)),
  async refreshToken({ response, body }) {
    const id = providerId(neededText(await body(), "provider_id"));
    const expiresAt = refreshed(await deps.commands.refresh(id));
    respondJson(response, 200, { success: true, message: "Token refreshed.", provider_id: id, expires_at: isoTime(expiresAt) });
  },
  async deleteToken(call) {
    await remove(deps, call, neededText(await call.body(), "provider_id"));
  },
  removeToken: (call) => remove(deps, call, call.param),
  authorizeLink: (call) => authorizeLink(deps, call),
  exchangeLink: (call) => exchangeLink(deps, call),
});

const authorize = async ({ commands }: Deps, { response, body }: Call): Promise<void> => {
  const attempt = await commands.startLogin({ kind: loginKind(textField(await body(), "oauth_type")) });
  respondJson(response, 200, {
    url: attempt.authorizeUrl,
    verifier: attempt.attemptId,
    instructions: "Open the URL, sign in, press Authorize. Then send all of the code that the page shows, with the # part, to /api/oauth/exchange.",
  });
};

const exchange = async ({ commands }: Deps, { response, body }: Call): Promise<void> => {
  const fields = await body();
  const wanted = textField(fields, "provider_id");
  const pasted = secret(neededText(fields, "code"));
  const outcome = await commands.submitCode(pasted, neededText(fields, "verifier"), ...(wanted === undefined ? [] : [providerId(wanted)]));
  const { accountId, expiresAt } = signedIn(outcome);
  respondJson(response, 200, { success: true, message: "Signed in; the token is stored.", provider_id: accountId, expires_at: isoTime(expiresAt) });
};

const tokens = ({ store, clock, refreshLeadSeconds }: Deps): readonly unknown[] => {
  const { accounts, refreshes } = store.snapshot();
  const options = { refreshes, now: clock.now(), refreshLeadSeconds, keyShown: true };
  return accounts.map((row) => {
    const { id, expires_at, is_expired, needs_refresh } = viewAccount(row, options);
    return { provider_id: id, expires_at, is_expired, needs_refresh };
  });
};

const remove = async ({ commands }: Deps, { response }: Call, id: string): Promise<void> => {
  await commands.logout(providerId(id));
  respondJson(response, 200, { success: true, message: "Token deleted.", provider_id: id });
};

const authorizeLink = async ({ commands }: Deps, { response }: Call): Promise<void> => {
  const attempt = await commands.startLogin({ kind: "max" });
  const state = new URL(attempt.authorizeUrl).searchParams.get("state");
  respondJson(response, 200, { authorization_url: attempt.authorizeUrl, state, code_verifier: attempt.attemptId });
};

const exchangeLink = async (deps: Deps, call: Call): Promise<void> => {
  const { accountId } = await exchangeParts(deps, await call.body());
  respondJson(call.response, 200, { success: true, account: accountAfter(deps, accountId) });
};

/**
 * Completes a sign-in from `{code, state, code_verifier}`, as claude-proxy's clients send it. A code that
 * holds its state already (`code#state`) is taken as it is. Throws `AppError` when it does not succeed.
 */
export const exchangeParts = async ({ commands }: Pick<Deps, "commands">, fields: Readonly<Record<string, unknown>>) => {
  const code = neededText(fields, "code");
  const pasted = secret(code.includes("#") ? code : `${code}#${neededText(fields, "state")}`);
  return signedIn(await commands.submitCode(pasted, neededText(fields, "code_verifier")));
};

/** The account as the listing shows it, or only its id while nobody has told of it yet. */
export const accountAfter = ({ store, clock, refreshLeadSeconds }: Pick<Deps, "store" | "clock" | "refreshLeadSeconds">, id: string): unknown => {
  const { accounts, refreshes } = store.snapshot();
  const row = accounts.find((account) => account.id === id);
  return row === undefined ? { id } : viewAccount(row, { refreshes, now: clock.now(), refreshLeadSeconds, keyShown: true });
};

/** An account id, checked. Throws `bad-request`. */
export const providerId = (id: string): string => {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id)) return id;
  throw new AppError({ code: "bad-request", message: "An account id is made of a-z, 0-9, dot, dash and underscore, at most 64 of them, and starts with a letter or digit." });
};
