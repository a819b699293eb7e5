// Commands about signing in, for every part that shows the link: the dashboard, the HTTP API, the login
// command. A granted sign-in becomes a stored account: same person, same account; another person, another one.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import type { Commands } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { OAuthSettings } from "../oauth/authorization-request.ts";
import { createLoginFlow } from "../oauth/login-flow.ts";
import type { GrantedLogin, LoginFlow, Loopback } from "../oauth/login-flow.ts";
import type { Core } from "./core.ts";
import { apiKeyAccount, checkAccountId, checkEndpoints, freeAccountId, oauthAccount, putAccount } from "./stored-account.ts";
import type { NewAccount } from "./stored-account.ts";

export type LoginCommands = Pick<Commands, "startLogin" | "pendingLogin" | "submitCode" | "completeCallback" | "cancelLogin">;

/** Asked before a sign-in opens: where the browser can come back to, null for nowhere. */
export type FindLoopback = (complete: LoginFlow["completeCallback"]) => Promise<Loopback | null>;

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
    keep: (login) => keepLogin(core, login, { fallbackId, endpoints }),
  });
  return {
    async startLogin({ kind, accountId, endpoints: wanted = {} }) {
      if (core.config.mode === "pass-through") throw passThrough();
      if (accountId !== undefined) checkAccountId(accountId);
      const checked = checkEndpoints(wanted, core.config);
      loopback = await findLoopback(flow.completeCallback);
      fallbackId = null;
      endpoints = checked;
      return flow.start({
        ...(kind === undefined ? {} : { kind }),
        ...(accountId === undefined ? {} : { accountId }),
        settings: ownSettings(core, accountId, checked),
      });
    },
    pendingLogin: flow.pending,
    submitCode(pasted, attemptId, accountId) {
      if (accountId !== undefined) fallbackId = checkAccountId(accountId);
      return flow.submit(pasted, attemptId);
    },
    completeCallback: flow.completeCallback,
    cancelLogin: flow.cancel,
  };
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
};

/**
 * Stores the credential durably and only then puts it to use. Throws `AppError`: `login-failed` (no API
 * key came), `conflict` (the account of that name belongs to another server), `store-…`.
 */
const keepLogin = async (core: Core, login: GrantedLogin, { fallbackId, endpoints }: KeepOptions): ReturnType<typeof putAccount> => {
  const known = await core.accounts.load();
  const id = login.accountId ?? fallbackId ?? sameHolder(core, known, login)?.id ?? freeAccountId(login.kind === "max" ? "claude" : "console", known);
  const before = known.get(id);
  if (before !== undefined && !isOfServer(core, before, login) && endpoints.tokenUrl === undefined) throw otherServer(id);
  const account = { id, before, endpoints };
  return putAccount(core, login.kind === "max" ? oauthAccount(core, { ...account, grant: login.grant }) : await consoleAccount(core, account, login));
};

/** A credential must never travel to a server that did not issue it; the base URL of an API key does not name such a server. */
const isOfServer = ({ config }: Core, { kind, endpoints }: Account, { settings }: GrantedLogin): boolean => {
  const isOfKeyOnly = kind === "api_key" && endpoints?.baseUrl !== undefined && endpoints.tokenUrl === undefined;
  return !isOfKeyOnly && (endpoints?.tokenUrl ?? config.oauth.tokenUrl) === settings.tokenUrl;
};

const otherServer = (id: string): AppError =>
  new AppError({ code: "conflict", message: `"${id}" is an account of another server; this sign-in would be sent there`, hint: "Sign in under another name, or with the addresses of that server." });

// The organisation counts too: one person may have a private and a company's subscription.
const sameHolder = (core: Core, known: ReadonlyMap<string, Account>, login: GrantedLogin): Account | undefined => {
  const { account: holder, organization } = login.grant;
  if (login.kind !== "max" || holder === null) return undefined;
  return [...known.values()].find(
    (other) => other.kind === "oauth" && isOfServer(core, other, login) && other.account?.uuid === holder.uuid && other.organization?.uuid === organization?.uuid,
  );
};

const consoleAccount = async (core: Core, account: NewAccount, { grant }: GrantedLogin): Promise<Account> => {
  const baseUrl = account.endpoints.baseUrl ?? account.before?.endpoints?.baseUrl ?? core.config.upstream.baseUrl;
  const made = await core.authorizationServer.createApiKey({ baseUrl, accessToken: grant.accessToken });
  if (made.outcome === "failed") {
    const hint = made.mayExist ? "A key may have been made all the same: look at the console's list of keys." : "Sign in again with --console.";
    throw new AppError({ code: "login-failed", message: `No API key was made: ${made.message}`, hint });
  }
  return apiKeyAccount(core, { ...account, key: made.key, holder: grant });
};
