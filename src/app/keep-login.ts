// Turns a granted sign-in into a stored account: same person, same account; another person, another one.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import type { Secret } from "../lib/secret.ts";
import { AppError } from "../messages/errors.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import type { GrantedLogin } from "../oauth/open-login.ts";
import { freeAccountId } from "./account-id.ts";
import type { Ground } from "./ground.ts";

export type Stored = { readonly accountId: string; readonly expiresAt: number | null };

type Keeping = Pick<Ground, "accounts" | "registry" | "keeper" | "clock" | "server" | "config">;

/** What the wish for a sign-in said besides the account. */
export type Wished = {
  /** Names the account when the sign-in did not. */
  readonly fallbackId: string | null;
  readonly endpoints: AccountEndpoints;
};

/**
 * Stores the credential durably and only then puts it to use. Throws `AppError`: `login-failed` (no API
 * key came), `conflict` (the account of that name belongs to another server), `store-…`.
 */
export const keepLogin = async (ground: Keeping, login: GrantedLogin, { fallbackId, endpoints }: Wished): Promise<Stored> => {
  const known = await ground.accounts.load();
  const id = login.accountId ?? fallbackId ?? sameHolder(ground, known, login)?.id ?? freeAccountId(login.kind === "max" ? "claude" : "console", known);
  const before = known.get(id);
  if (before !== undefined && !isOfServer(ground, before, login) && endpoints.tokenUrl === undefined) throw otherServer(id);
  const making = { id, before, endpoints };
  const account = login.kind === "max" ? oauthAccount(ground, { ...making, grant: login.grant }) : await consoleAccount(ground, { ...making, login });
  return putAccount(ground, account);
};

/** A credential must never travel to a server that did not give it: a key's own base URL says nothing of a sign-in. */
const isOfServer = ({ config }: Pick<Keeping, "config">, { kind, endpoints }: Account, { settings }: GrantedLogin): boolean => {
  const isOfKeyOnly = kind === "api_key" && endpoints?.baseUrl !== undefined && endpoints.tokenUrl === undefined;
  return !isOfKeyOnly && (endpoints?.tokenUrl ?? config.oauth.tokenUrl) === settings.tokenUrl;
};

const otherServer = (id: string): AppError =>
  new AppError({ code: "conflict", message: `"${id}" is an account of another server; this sign-in would be sent there`, hint: "Sign in under another name, or with the addresses of that server." });

/** Stores `account` and puts it to use. Throws `store-…` when it cannot be stored now. */
export const putAccount = async ({ accounts, registry }: Pick<Ground, "accounts" | "registry">, account: Account): Promise<Stored> => {
  await accounts.update((current) => new Map(current).set(account.id, account));
  registry.put(account);
  return { accountId: account.id, expiresAt: account.expiresAt };
};

// The organisation counts too: one person may have a private and a company's subscription.
const sameHolder = (ground: Keeping, known: ReadonlyMap<string, Account>, login: GrantedLogin): Account | undefined => {
  const { grant, kind } = login;
  if (kind !== "max" || grant.account === null) return undefined;
  const { uuid } = grant.account;
  return [...known.values()].find((other) => other.kind === "oauth" && isOfServer(ground, other, login) && other.account?.uuid === uuid && other.organization?.uuid === grant.organization?.uuid);
};

type Making = { readonly id: string; readonly before: Account | undefined; readonly endpoints: AccountEndpoints };

/** What an account keeps when it is signed in again, or starts with. */
const common = ({ clock }: Pick<Ground, "clock">, { id, before }: Pick<Making, "id" | "before">) => {
  const now = clock.now();
  const { providerId, label, priority, createdAt } = before ?? { providerId: id, label: id, priority: 1, createdAt: now };
  return {
    id,
    providerId,
    label,
    enabled: true,
    priority,
    createdAt,
    refreshedAt: now,
    lastError: null,
    ...(before?.enterpriseUrl === undefined ? {} : { enterpriseUrl: before.enterpriseUrl }),
    ...(before?.unknown === undefined ? {} : { unknown: before.unknown }),
  };
};

const endpointsOf = ({ before, endpoints: wished }: Making): { endpoints?: AccountEndpoints } => {
  const endpoints = { ...before?.endpoints, ...wished };
  return Object.keys(endpoints).length === 0 ? {} : { endpoints };
};

const oauthAccount = (ground: Keeping, making: Making & { readonly grant: TokenGrant }): Account => {
  const { grant } = making;
  return {
    ...common(ground, making),
    kind: "oauth",
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    expiresAt: grant.expiresAt,
    scopes: grant.scopes ?? ground.config.oauth.scopes.split(" "),
    organization: grant.organization,
    account: grant.account,
    ...endpointsOf(making),
  };
};

const consoleAccount = async (ground: Keeping, { login, ...making }: Making & { readonly login: GrantedLogin }): Promise<Account> => {
  const { grant } = login;
  const baseUrl = endpointsOf(making).endpoints?.baseUrl ?? ground.config.upstream.baseUrl;
  const made = await ground.server.createApiKey({ baseUrl, accessToken: grant.accessToken });
  if (made.outcome === "failed") {
    const hint = made.mayExist ? "A key may have been made all the same: look at the console's list of keys." : "Sign in again with --console.";
    throw new AppError({ code: "login-failed", message: `No API key was made: ${made.message}`, hint });
  }
  return { ...apiKeyAccount(ground, { ...making, key: made.key }), organization: grant.organization, account: grant.account };
};

/** An account that is nothing but a key. */
export const apiKeyAccount = (ground: Pick<Ground, "clock">, { key, ...making }: Making & { readonly key: Secret }): Account => ({
  ...common(ground, making),
  kind: "api_key",
  accessToken: key,
  refreshToken: null,
  expiresAt: null,
  scopes: [],
  organization: null,
  account: null,
  ...endpointsOf(making),
});
