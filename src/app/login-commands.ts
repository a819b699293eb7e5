// Commands about signing in, for every part that shows the link: the dashboard, the HTTP API, the login
// command. A granted sign-in becomes a stored account: same person, same account; another person, another one.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import type { Secret } from "../lib/secret.ts";
import type { Commands } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { AskedIdentity } from "../messages/identity.ts";
import type { OAuthSettings } from "../oauth/authorization-request.ts";
import { createLoginFlow } from "../oauth/login-flow.ts";
import type { GrantedLogin, Loopback } from "../oauth/login-attempt.ts";
import type { Kept } from "../oauth/login-exchange.ts";
import type { LoginFlow } from "../oauth/login-flow.ts";
import type { RevokeAnswer } from "../oauth/token-endpoint.ts";
import type { Core } from "./core.ts";
import { isAnswered, placeOf } from "./identity.ts";
import type { Place } from "./identity.ts";
import { apiKeyAccount, checkAccountId, checkEndpoints, oauthAccount } from "./stored-account.ts";

export type LoginCommands = Pick<Commands, "startLogin" | "pendingLogin" | "submitCode" | "openLink" | "completeCallback" | "answerIdentity" | "cancelLogin">;

/** Asked before a sign-in opens: where the browser can come back to, null for nowhere. */
export type FindLoopback = (flow: Pick<LoginFlow, "openLink" | "completeCallback">) => Promise<Loopback | null>;

export const createLoginCommands = (core: Core, findLoopback: FindLoopback): LoginCommands => {
  let loopback: Loopback | null = null;
  let fallbackId: string | null = null;
  let endpoints: AccountEndpoints = {};
  const flow = createLoginFlow({
    clock: core.clock,
    random: core.random,
    publish: core.bus.publish,
    settings: core.config.oauth,
    tokenEndpoint: core.authorizationServer.tokenEndpoint,
    loopback: () => loopback,
    keep: (login, accepted) => keepLogin(core, login, { fallbackId, endpoints, accepted }),
    giveBack: (login) => core.untilClosed(giveBack(core, login)),
  });
  core.bus.hide(flow.secrets);
  return {
    async startLogin({ kind, accountId, endpoints: wanted = {}, acceptIdentity = false }) {
      if (core.config.mode === "pass-through") throw passThrough();
      if (accountId !== undefined) checkAccountId(accountId);
      const checked = checkEndpoints(wanted, core.config);
      loopback = await findLoopback(flow);
      fallbackId = null;
      endpoints = checked;
      return flow.start({
        ...(kind === undefined ? {} : { kind }),
        ...(accountId === undefined ? {} : { accountId }),
        settings: ownSettings(core, accountId, checked),
        acceptIdentity,
      });
    },
    pendingLogin: flow.pending,
    submitCode(pasted, attemptId, accountId) {
      if (accountId !== undefined) fallbackId = checkAccountId(accountId);
      return flow.submit(pasted, attemptId);
    },
    openLink: flow.openLink,
    completeCallback: flow.completeCallback,
    answerIdentity: flow.answerIdentity,
    cancelLogin: flow.cancel,
  };
};

/** At the end of the program: a grant that waits for an answer is given back. */
export const cancelOpen = ({ pendingLogin, cancelLogin }: Pick<LoginCommands, "pendingLogin" | "cancelLogin">): void => {
  const open = pendingLogin();
  if (open !== null) cancelLogin(open.attemptId);
};

/** Why nothing about accounts can be done in pass-through mode. */
export const passThrough = (): AppError =>
  new AppError({ code: "bad-usage", message: "in pass-through mode nobody signs in here: the client keeps its own login", hint: "Set mode to oauth to sign in." });

/** The settings that the account has of its own, or is to have. */
const ownSettings = ({ registry }: Core, accountId: string | undefined, endpoints: AccountEndpoints): Partial<OAuthSettings> => {
  const stored = accountId === undefined ? undefined : registry.get(accountId)?.account.endpoints;
  const { baseUrl: _api, authorizeUrl, ...rest } = { ...stored, ...endpoints };
  return { ...rest, ...(authorizeUrl === undefined ? {} : { authorizeUrl, consoleAuthorizeUrl: authorizeUrl }) };
};

type KeepOptions = {
  /** Names the account when the sign-in did not. */
  readonly fallbackId: string | null;
  readonly endpoints: AccountEndpoints;
  /** What a person has agreed to. */
  readonly accepted: AskedIdentity | null;
};

/**
 * Stores the credential durably and only then puts it to use; what has to be agreed to first is stored only then. Throws
 * `AppError`: `login-failed` (no API key came), `conflict` (the account of that name belongs to another server, or the
 * accounts changed meanwhile), `store-…`.
 */
const keepLogin = async (core: Core, login: GrantedLogin, options: KeepOptions): Promise<Kept> => {
  const { asked, id, before } = placeIn(core, await core.accounts.load(), login, options);
  if (asked !== null && !isAnswered(asked, options.accepted)) return { asked };
  const key = login.kind === "console" ? await makeKey(core, login, options.endpoints.baseUrl ?? before?.endpoints?.baseUrl) : null;
  const stored = await core.accounts.update((current) => {
    // Another process may have signed somebody in since: its account is not replaced without a word.
    const place = placeIn(core, current, login, options);
    if (place.id !== id || (place.asked !== null && !isAnswered(place.asked, options.accepted))) throw changedMeanwhile();
    return new Map(current).set(id, accountAt(core, place, { login, key, endpoints: options.endpoints }));
  });
  const account = stored.get(id);
  if (account !== undefined) core.registry.put(account);
  return { accountId: id, expiresAt: account?.expiresAt ?? null };
};

const placeIn = (core: Core, known: ReadonlyMap<string, Account>, login: GrantedLogin, { fallbackId, endpoints }: KeepOptions): Place => {
  const place = placeOf(known, { login, wantedId: login.accountId ?? fallbackId, isOfServer: (account) => isOfServer(core, account, login) });
  if (place.before !== undefined && !isOfServer(core, place.before, login) && endpoints.tokenUrl === undefined) throw otherServer(place.id);
  return place;
};

/** A credential must never travel to a server that did not issue it; the base URL of an API key does not name such a server. */
const isOfServer = ({ config }: Core, { kind, endpoints }: Account, { settings }: GrantedLogin): boolean => {
  const isOfKeyOnly = kind === "api_key" && endpoints?.baseUrl !== undefined && endpoints.tokenUrl === undefined;
  return !isOfKeyOnly && (endpoints?.tokenUrl ?? config.oauth.tokenUrl) === settings.tokenUrl;
};

const otherServer = (id: string): AppError =>
  new AppError({ code: "conflict", message: `"${id}" is an account of another server; this sign-in would be sent there`, hint: "Sign in under another name, or with the addresses of that server." });

const changedMeanwhile = (): AppError => new AppError({ code: "conflict", message: "The accounts were changed by another process meanwhile; nothing was stored.", hint: "Try again." });

const accountAt = (core: Core, { id, before }: Place, { login, key, endpoints }: { readonly login: GrantedLogin; readonly key: Secret | null; readonly endpoints: AccountEndpoints }): Account => {
  const { grant } = login;
  return key === null ? oauthAccount(core, { id, before, endpoints, grant }) : apiKeyAccount(core, { id, before, endpoints, key, holder: grant });
};

const makeKey = async ({ authorizationServer, config }: Core, { grant }: GrantedLogin, baseUrl = config.upstream.baseUrl): Promise<Secret> => {
  const made = await authorizationServer.createApiKey({ baseUrl, accessToken: grant.accessToken });
  if (made.outcome !== "failed") return made.key;
  const hint = made.mayExist ? "A key may have been made all the same: look at the console's list of keys." : "Sign in again with --console.";
  throw new AppError({ code: "login-failed", message: `No API key was made: ${made.message}`, hint });
};

/** Revokes what is not kept; a failure is a notice. */
const giveBack = async ({ authorizationServer, bus }: Core, { grant, settings }: GrantedLogin): Promise<RevokeAnswer> => {
  const { tokenUrl, clientId } = settings;
  const { accessToken, refreshToken } = grant;
  const answer = await authorizationServer.tokenEndpoint.revoke({ tokenUrl, clientId, token: refreshToken ?? accessToken, hint: refreshToken === null ? "access_token" : "refresh_token" });
  if (!answer.ok) {
    const message = `A sign-in that was not kept is forgotten here, but the server did not take it back: ${answer.message}`;
    bus.publish({ type: "notice", level: "warning", code: "not-revoked", message, hint: "Revoke it in the account's own settings if that matters." });
  }
  return answer;
};
