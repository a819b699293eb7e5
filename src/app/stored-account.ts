// An account as it goes into the store: its name, the addresses it has of its own, and its record made from a
// grant or from an API key. Addresses are checked as the configuration is, because a credential travels to them.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import { crossCheck } from "../config/cross-check.ts";
import type { Config, SettingKey } from "../config/schema.ts";
import { acceptedBy, checkText, shapeOf } from "../config/text.ts";
import type { Secret } from "../lib/secret.ts";
import { endpointKeys, isAccountId } from "../messages/commands.ts";
import type { EndpointKey, EndpointOptions } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import type { Core } from "./core.ts";

/** `before` is the account of that name, if there is one: it is signed in again. */
export type NewAccount = { readonly id: string; readonly before: Account | undefined; readonly endpoints: AccountEndpoints };

export const oauthAccount = (core: Pick<Core, "clock" | "config">, { grant, ...account }: NewAccount & { readonly grant: TokenGrant }): Account => ({
  ...common(core, account),
  kind: "oauth",
  accessToken: grant.accessToken,
  refreshToken: grant.refreshToken,
  expiresAt: grant.expiresAt,
  scopes: grant.scopes ?? core.config.oauth.scopes.split(" "),
  organization: grant.organization,
  account: grant.account,
});

/** `holder` is who made the key by a sign-in; null when it was typed in. */
export const apiKeyAccount = (core: Pick<Core, "clock">, { key, holder, ...account }: NewAccount & { readonly key: Secret; readonly holder: TokenGrant | null }): Account => ({
  ...common(core, account),
  kind: "api_key",
  accessToken: key,
  refreshToken: null,
  expiresAt: null,
  scopes: [],
  organization: holder?.organization ?? null,
  account: holder?.account ?? null,
});

/** What an account keeps when it is signed in again, or starts with. */
const common = ({ clock }: Pick<Core, "clock">, { id, before, endpoints: own }: NewAccount) => {
  const now = clock.now();
  const { providerId, label, priority, createdAt } = before ?? { providerId: id, label: id, priority: 1, createdAt: now };
  const endpoints = { ...before?.endpoints, ...own };
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
    ...(Object.keys(endpoints).length === 0 ? {} : { endpoints }),
  };
};

/** Stores `account` and puts it to use. Throws `store-…` when it cannot be stored now. */
export const putAccount = async ({ accounts, registry }: Pick<Core, "accounts" | "registry">, account: Account): Promise<{ readonly accountId: string; readonly expiresAt: number | null }> => {
  await accounts.update((current) => new Map(current).set(account.id, account));
  registry.put(account);
  return { accountId: account.id, expiresAt: account.expiresAt };
};

/** `wanted`, or `wanted-2`, `wanted-3` … when that is taken. */
export const freeAccountId = (wanted: string, taken: { has(id: string): boolean }): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}-${number}`;
  return id;
};

/** Throws `bad-usage` for a text that cannot be an account id; without quoting it, because it may be a secret in the wrong place. */
export const checkAccountId = (id: string): string => {
  if (isAccountId(id)) return id;
  throw new AppError({
    code: "bad-usage",
    message: `a text of ${id.length} characters like this cannot be an account's name`,
    hint: "Use up to 64 lower-case letters, digits, dots, dashes and underscores, starting with a letter or a digit.",
  });
};

/** The setting that each address of an account replaces. */
const settingOf: Readonly<Record<EndpointKey, SettingKey>> = {
  baseUrl: "upstream.baseUrl",
  tokenUrl: "oauth.tokenUrl",
  authorizeUrl: "oauth.authorizeUrl",
  redirectUri: "oauth.redirectUri",
  clientId: "oauth.clientId",
  scopes: "oauth.scopes",
};

/** `wanted` as an account keeps them. Throws `bad-usage` with every mistake; never quotes a value. */
export const checkEndpoints = (wanted: EndpointOptions, config: Config): AccountEndpoints => {
  const given = endpointKeys.flatMap((key) => (wanted[key] === undefined ? [] : [[key, wanted[key]] as const]));
  const wrong = given.flatMap(([key, text]) => wrongShape(key, text));
  const problems = wrong.length > 0 ? wrong : crossCheck(withEndpoints(config, wanted), (key) => `the account (${key})`).filter((problem) => given.some(([key]) => problem.startsWith(settingOf[key])));
  if (problems.length > 0) throw new AppError({ code: "bad-usage", message: problems.join("; "), hint: "https: is needed beyond loopback; nothing was changed." });
  return Object.fromEntries(given);
};

const wrongShape = (key: EndpointKey, text: string): readonly string[] => {
  const checked = checkText(settingOf[key], text);
  return checked.ok && text !== "" ? [] : [`${key} is ${shapeOf(text)}; accepted: ${acceptedBy(settingOf[key])}`];
};

const withEndpoints = (config: Config, { baseUrl, ...oauth }: EndpointOptions): Config => ({
  ...config,
  upstream: { ...config.upstream, ...(baseUrl === undefined ? {} : { baseUrl }) },
  oauth: { ...config.oauth, ...oauth },
});
