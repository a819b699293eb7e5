// The two foreign file formats as accounts of ours. Pure. A shape that is not understood is a sentence;
// it never quotes the file.
import type { Account } from "../accounts/account.ts";
import { isObject, own, parseJson } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { secret } from "../lib/secret.ts";
import { accountId, timeOf } from "./account-record.ts";

/** What one file gave: accounts, and one sentence per entry that could not be used. */
export type Imported = { readonly accounts: readonly Account[]; readonly problems: readonly string[] };

export type ImportedFile = ({ readonly ok: true } & Imported) | { readonly ok: false; readonly reason: string };

const refuse = (reason: string): ImportedFile => ({ ok: false, reason });

/** Understands claude-code-mux's `oauth_tokens.json` and claude-proxy's `account_*.json`. `now` is wall milliseconds. */
export const parseImport = (text: string, now: number): ImportedFile => {
  if (text.trim() === "") return refuse("it is empty");
  const value = parseJson(text);
  if (value === undefined) return refuse("it is cut off or not JSON");
  if (Array.isArray(value)) return refuse("it is a list; expected one account, or an object of accounts by name");
  if (!isObject(value)) return refuse("it is JSON but not an object");
  if (isObject(own(value, "accounts")) || own(value, "sealed") !== undefined) {
    return refuse("it is the accounts.json of this program; put it into a data folder instead");
  }
  if (own(value, "access_token") !== undefined || own(value, "refresh_token") !== undefined) return fromClaudeProxy(value, now);
  return fromCodeMux(value, now);
};

/** `{ "<provider>": { provider_id, access_token, refresh_token, expires_at, enterprise_url } }` */
const fromCodeMux = (file: JsonObject, now: number): ImportedFile => {
  const entries = Object.entries(file);
  if (entries.length === 0) return refuse("it holds no accounts");
  if (!entries.some(([, entry]) => isObject(entry) && own(entry, "access_token") !== undefined)) {
    return refuse("it is neither an oauth_tokens.json of claude-code-mux nor an account_*.json of claude-proxy");
  }
  const results = entries.map(([name, entry], index) => muxAccount(name, entry, { now, index }));
  const accounts = results.filter((result) => typeof result !== "string");
  return { ok: true, accounts, problems: results.filter((result) => typeof result === "string") };
};

const muxFields = new Set(["provider_id", "access_token", "refresh_token", "expires_at", "enterprise_url"]);

const muxAccount = (name: string, entry: unknown, { now, index }: { now: number; index: number }): Account | string => {
  const place = `entry ${index + 1}`;
  if (!isObject(entry)) return `${place} is not an object`;
  const tokens = tokensIn(entry);
  if (typeof tokens === "string") return `${place} ${tokens}`;
  const providerId = textIn(entry, "provider_id") ?? name;
  const enterpriseUrl = own(entry, "enterprise_url");
  return {
    ...blank(idFrom(providerId), now),
    ...tokens,
    providerId,
    ...(enterpriseUrl === undefined ? {} : { enterpriseUrl: typeof enterpriseUrl === "string" ? enterpriseUrl : null }),
    ...unknownIn(entry, muxFields),
  };
};

const proxyFields = new Set(["name", "access_token", "refresh_token", "expires_at", "refresh_at", "status", "last_refresh_error"]);

/** `{ id, name, access_token, refresh_token, expires_at, refresh_at, status, last_refresh_error }` */
const fromClaudeProxy = (entry: JsonObject, now: number): ImportedFile => {
  const tokens = tokensIn(entry);
  if (typeof tokens === "string") return refuse(`the account ${tokens}`);
  const id = idFrom(textIn(entry, "id") ?? textIn(entry, "name") ?? "");
  const name = textIn(entry, "name");
  const lastError = textIn(entry, "last_refresh_error");
  const account: Account = {
    ...blank(id, now),
    ...tokens,
    // Labels are shown and logged, so an e-mail address is kept in the file but not as the label.
    label: name === null || name === "" || name.includes("@") ? id : name.slice(0, 100),
    enabled: own(entry, "status") !== "inactive",
    refreshedAt: momentOf(own(entry, "refresh_at")),
    lastError: lastError === "" ? null : lastError,
    ...unknownIn(entry, name?.includes("@") === true ? withoutName : proxyFields),
  };
  return { ok: true, accounts: [account], problems: [] };
};

const withoutName = new Set([...proxyFields].filter((field) => field !== "name"));

const blank = (id: string, now: number): Omit<Account, "accessToken"> => ({
  id, providerId: "anthropic", kind: "oauth", label: id, refreshToken: null, expiresAt: null, scopes: [],
  organization: null, account: null, enabled: true, priority: 0, createdAt: now, refreshedAt: null, lastError: null,
});

const tokensIn = (entry: JsonObject): Pick<Account, "accessToken" | "refreshToken" | "expiresAt"> | string => {
  const access = textIn(entry, "access_token");
  const refresh = textIn(entry, "refresh_token");
  if (access === null || access === "") return "has no access_token";
  const refreshToken = refresh === null || refresh === "" ? null : secret(refresh);
  return { accessToken: secret(access), refreshToken, expiresAt: momentOf(own(entry, "expires_at")) };
};

const textIn = (entry: JsonObject, name: string): string | null => {
  const value = own(entry, name);
  return typeof value === "string" ? value : null;
};

const unknownIn = (entry: JsonObject, known: ReadonlySet<string>): Pick<Account, "unknown"> => {
  const unknown = Object.entries(entry).filter(([key]) => !known.has(key));
  return unknown.length === 0 ? {} : { unknown: Object.fromEntries(unknown) };
};

/** Both programs write RFC 3339; older files hold seconds or milliseconds. Go's zero time means "never set". */
const momentOf = (value: unknown): number | null => {
  const number = typeof value === "string" && /^\d{9,13}$/.test(value) ? Number(value) : value;
  if (typeof number === "number") return number <= 0 || !Number.isFinite(number) ? null : number < 1e11 ? number * 1000 : number;
  const time = timeOf(number);
  return time === null || time <= 0 ? null : time;
};

/** A name of the form that our ids have; what does not fit becomes dashes. */
const idFrom = (name: string): string => {
  const id = name.toLowerCase().replace(/@.*$/, "").replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+|-+$/g, "").slice(0, 56);
  return accountId.test(id) ? id : "imported";
};
