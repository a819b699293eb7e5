// Commands about accounts: each changes the store first, and the running program after that is durable.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import type { Secret } from "../lib/secret.ts";
import { endpointKeys, isAccountId } from "../messages/commands.ts";
import type { Commands, EndpointKey, RefreshOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { Core } from "./core.ts";
import { apiKeyAccount, checkAccountId, checkEndpoints, freeAccountId, putAccount } from "./stored-account.ts";

export type AccountCommands = Pick<Commands, "refresh" | "addApiKey" | "setEnabled" | "rename" | "setPriority" | "setEndpoint" | "logout">;

/** For a running proxy in pass-through mode: it may be called without a key, and the accounts in its folder belong to another mode. */
export const refusedAccountCommands = (refusal: () => AppError): AccountCommands => {
  const refuse = async (): Promise<never> => {
    throw refusal();
  };
  return { refresh: refuse, addApiKey: refuse, setEnabled: refuse, rename: refuse, setPriority: refuse, setEndpoint: refuse, logout: refuse };
};

export const createAccountCommands = (core: Core): AccountCommands => ({
  refresh: (accountId) => refresh(core, accountId),
  async addApiKey({ key, accountId, label, endpoints = {} }) {
    checkKey(key);
    const known = await core.accounts.load();
    const id = accountId === undefined ? freeAccountId("api-key", known) : checkAccountId(accountId);
    const before = known.get(id);
    if (before !== undefined && before.kind !== "api_key") throw taken(id);
    const account = apiKeyAccount(core, { id, before, key, holder: null, endpoints: checkEndpoints(endpoints, core.config) });
    return putAccount(core, label === undefined ? account : { ...account, label: checkLabel(label) });
  },
  setEnabled: (accountId, enabled) => change(core, accountId, enabled ? "enabled by hand" : "disabled by hand", (account) => ({ ...account, enabled })),
  rename: (accountId, label) => change(core, accountId, "renamed", (account) => ({ ...account, label: checkLabel(label) })),
  async setPriority(accountId, priority) {
    if (!Number.isSafeInteger(priority) || priority < 0 || priority > 1_000_000) throw new AppError({ code: "bad-usage", message: "a priority is a whole number from 0 to 1000000; lower comes first" });
    await change(core, accountId, "priority set", (account) => ({ ...account, priority }));
  },
  async setEndpoint(accountId, key, value) {
    const known = endpointKeys.find((name) => name === key);
    if (known === undefined) throw new AppError({ code: "bad-usage", message: "this is nothing that an account has of its own", hint: `Use one of: ${endpointKeys.join(", ")}.` });
    const next = value === null ? {} : checkEndpoints({ [known]: value }, core.config);
    await change(core, accountId, `${known} set`, (account) => withEndpoint(account, known, next));
  },
  logout: (accountId) => logout(core, accountId),
});

// What cannot be a name may be a secret in the wrong place.
const unknown = (accountId: string): AppError =>
  new AppError({
    code: "unknown-account",
    message: isAccountId(accountId) ? `there is no account "${accountId}"` : "there is no account of such a name",
    hint: "`claude-oauth-proxy accounts list` shows the names.",
  });

const taken = (id: string): AppError =>
  new AppError({ code: "conflict", message: `"${id}" is a sign-in already; a key would replace it`, hint: "Give another name, or log out of that account first." });

const checkKey = (key: Secret): void => {
  if (/^[\u0021-\u007e]{16,4096}$/.test(key.reveal())) return;
  throw new AppError({ code: "bad-usage", message: "this is not an API key: it has to be one line of 16 to 4096 printable characters without blanks", hint: "Nothing was stored." });
};

const checkLabel = (label: string): string => {
  const trimmed = label.trim();
  if (trimmed !== "" && trimmed.length <= 80 && !/\p{C}/u.test(trimmed)) return trimmed;
  throw new AppError({ code: "bad-usage", message: "a label is 1 to 80 visible characters" });
};

/** `next` is empty to take the address away. */
const withEndpoint = (account: Account, key: EndpointKey, next: AccountEndpoints): Account => {
  const { endpoints: before = {}, ...rest } = account;
  const { [key]: _replaced, ...others } = before;
  const endpoints = { ...others, ...next };
  return Object.keys(endpoints).length === 0 ? rest : { ...rest, endpoints };
};

const change = async (core: Core, accountId: string, reason: string, apply: (account: Account) => Account): Promise<void> => {
  const stored = await core.accounts.update((current) => {
    const account = current.get(accountId);
    if (account === undefined) throw unknown(accountId);
    return new Map(current).set(accountId, apply(account));
  });
  core.registry.replaceAll(stored, reason);
};

const refresh = async (core: Core, accountId: string | null): Promise<RefreshOutcome> => {
  const entries = core.registry.list().filter(({ account }) => (accountId === null ? account.kind === "oauth" : account.id === accountId));
  if (entries.length === 0) throw accountId === null ? noneToRefresh() : unknown(accountId);
  let last: RefreshOutcome | null = null;
  for (const { account } of entries) {
    if (account.kind === "api_key") throw new AppError({ code: "bad-usage", message: `"${account.id}" is an API key: it does not expire and cannot be refreshed` });
    const outcome = await core.refresher.refresh(account.id, "manual");
    if (last === null || outcome.outcome === "failed") last = outcome;
  }
  return last ?? { outcome: "failed", errorCode: "unknown-account", message: "There is nothing to refresh.", needsLogin: true, nextTryAt: null };
};

const noneToRefresh = (): AppError =>
  new AppError({ code: "sign-in-needed", message: "there is no sign-in to refresh", hint: "Sign in with `claude-oauth-proxy login`." });

const logout = async (core: Core, accountId: string | null): Promise<{ removed: readonly string[] }> => {
  const known = await core.accounts.load();
  const leaving = [...known.values()].filter(({ id }) => accountId === null || id === accountId);
  if (leaving.length === 0 && accountId !== null) throw unknown(accountId);
  const ids = leaving.map(({ id }) => id);
  // Removed here first: a server that cannot be reached must not keep an account signed in.
  for (const id of ids) core.tokenWriter.forget(id);
  await core.accounts.update((current) => new Map([...current].filter(([id]) => !ids.includes(id))));
  for (const id of ids) core.registry.remove(id, "signed out");
  await Promise.all(leaving.map((account) => revoke(core, account)));
  return { removed: ids };
};

const revoke = async ({ authorizationServer, bus }: Core, account: Account): Promise<void> => {
  const answer = await authorizationServer.revoke(account);
  if (answer.ok) return;
  const message = `${account.id} is signed out here, but the server did not take the credential back: ${answer.message}`;
  bus.publish({ type: "notice", level: "warning", code: "not-revoked", message, hint: "Revoke it in the account's own settings if that matters." });
};
