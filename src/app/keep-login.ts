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

/**
 * Stores the credential durably and only then puts it to use. `fallbackId` names the account when the
 * sign-in did not. Throws `AppError`: `login-failed` (no API key came), `store-…`.
 */
export const keepLogin = async (ground: Keeping, login: GrantedLogin, fallbackId: string | null): Promise<Stored> => {
  const known = await ground.accounts.load();
  const id = login.accountId ?? fallbackId ?? sameHolder(known, login)?.id ?? freeAccountId(login.kind === "max" ? "claude" : "console", known);
  const before = known.get(id);
  const account = login.kind === "max" ? oauthAccount(ground, { id, before, grant: login.grant }) : await consoleAccount(ground, { id, before, login });
  return putAccount(ground, account);
};

/** Stores `account` and puts it to use. Throws `store-…` when it cannot be stored now. */
export const putAccount = async ({ accounts, registry }: Pick<Ground, "accounts" | "registry">, account: Account): Promise<Stored> => {
  await accounts.update((current) => new Map(current).set(account.id, account));
  registry.put(account);
  return { accountId: account.id, expiresAt: account.expiresAt };
};

// The organisation counts too: one person may have a private and a company's subscription.
const sameHolder = (known: ReadonlyMap<string, Account>, { grant, kind }: GrantedLogin): Account | undefined => {
  if (kind !== "max" || grant.account === null) return undefined;
  const { uuid } = grant.account;
  return [...known.values()].find((other) => other.kind === "oauth" && other.account?.uuid === uuid && other.organization?.uuid === grant.organization?.uuid);
};

type Making = { readonly id: string; readonly before: Account | undefined };

/** What an account keeps when it is signed in again, or starts with. */
const common = ({ clock }: Pick<Ground, "clock">, { id, before }: Making) => {
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

const endpointsOf = (endpoints: AccountEndpoints | undefined): { endpoints?: AccountEndpoints } => (endpoints === undefined ? {} : { endpoints });

const oauthAccount = (ground: Keeping, making: Making & { readonly grant: TokenGrant }): Account => {
  const { grant, before } = making;
  return {
    ...common(ground, making),
    kind: "oauth",
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    expiresAt: grant.expiresAt,
    scopes: grant.scopes ?? ground.config.oauth.scopes.split(" "),
    organization: grant.organization,
    account: grant.account,
    ...endpointsOf(before?.endpoints),
  };
};

const consoleAccount = async (ground: Keeping, { login, ...making }: Making & { readonly login: GrantedLogin }): Promise<Account> => {
  const { grant } = login;
  const baseUrl = making.before?.endpoints?.baseUrl ?? ground.config.upstream.baseUrl;
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
  ...endpointsOf(making.before?.endpoints),
});
