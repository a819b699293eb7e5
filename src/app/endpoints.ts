// Where one account talks to, when that is not what the configuration says: checked as the configuration
// is, because a credential travels to these addresses.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import { crossCheck } from "../config/cross-check.ts";
import type { Config, SettingKey } from "../config/schema.ts";
import { acceptedBy, checkText, shapeOf } from "../config/value.ts";
import { endpointKeys } from "../messages/commands.ts";
import type { EndpointKey, EndpointWishes } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { Ground } from "./ground.ts";

/** The setting that each of them stands in for. */
const settingOf: Readonly<Record<EndpointKey, SettingKey>> = {
  baseUrl: "upstream.baseUrl",
  tokenUrl: "oauth.tokenUrl",
  authorizeUrl: "oauth.authorizeUrl",
  redirectUri: "oauth.redirectUri",
  clientId: "oauth.clientId",
  scopes: "oauth.scopes",
};

/** `wishes` as an account keeps them. Throws `bad-usage` with every mistake; never quotes a value. */
export const checkEndpoints = (wishes: EndpointWishes, config: Config): AccountEndpoints => {
  const given = endpointKeys.flatMap((key) => (wishes[key] === undefined ? [] : [[key, wishes[key]] as const]));
  const wrong = given.flatMap(([key, text]) => wrongShape(key, text));
  const problems = wrong.length > 0 ? wrong : crossCheck(withEndpoints(config, wishes), (key) => `the account (${key})`).filter((problem) => given.some(([key]) => problem.startsWith(settingOf[key])));
  if (problems.length > 0) throw new AppError({ code: "bad-usage", message: problems.join("; "), hint: "https: is needed beyond loopback; nothing was changed." });
  return Object.fromEntries(given);
};

const wrongShape = (key: EndpointKey, text: string): readonly string[] => {
  const checked = checkText(settingOf[key], text);
  return checked.ok && text !== "" ? [] : [`${key} is ${shapeOf(text)}; accepted: ${acceptedBy(settingOf[key])}`];
};

const withEndpoints = (config: Config, { baseUrl, clientId, tokenUrl, authorizeUrl, redirectUri, scopes }: EndpointWishes): Config => ({
  ...config,
  upstream: { ...config.upstream, baseUrl: baseUrl ?? config.upstream.baseUrl },
  oauth: {
    ...config.oauth,
    clientId: clientId ?? config.oauth.clientId,
    tokenUrl: tokenUrl ?? config.oauth.tokenUrl,
    authorizeUrl: authorizeUrl ?? config.oauth.authorizeUrl,
    redirectUri: redirectUri ?? config.oauth.redirectUri,
    scopes: scopes ?? config.oauth.scopes,
  },
});

/** Sets one of them for an account that is there; null takes it away. Throws `unknown-account`, `bad-usage`, `store-…`. */
export const setEndpoint = async (ground: Ground, accountId: string, key: string, value: string | null): Promise<void> => {
  const known = endpointKeys.find((name) => name === key);
  if (known === undefined) throw new AppError({ code: "bad-usage", message: "this is nothing that an account has of its own", hint: `Use one of: ${endpointKeys.join(", ")}.` });
  const next = value === null ? {} : checkEndpoints({ [known]: value }, ground.config);
  const stored = await ground.accounts.update((current) => {
    const account = current.get(accountId);
    if (account === undefined) throw new AppError({ code: "unknown-account", message: "there is no account of that name", hint: "`claude-oauth-proxy accounts list` shows the names." });
    return new Map(current).set(accountId, withOwn(account, known, next));
  });
  ground.registry.replaceAll(stored, `${known} set`);
};

const withOwn = (account: Account, key: EndpointKey, next: AccountEndpoints): Account => {
  const { endpoints: before = {}, ...rest } = account;
  const { [key]: _replaced, ...others } = before;
  const endpoints = { ...others, ...next };
  return Object.keys(endpoints).length === 0 ? rest : { ...rest, endpoints };
};
