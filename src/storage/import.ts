// The credentials of claude-code-mux (`oauth_tokens.json`) and claude-proxy (`account_*.json`): reads them as
// accounts of ours, and adds them without replacing anything. A shape that is not understood is a sentence,
// which never quotes the file.
import { join } from "node:path";
import type { Account } from "../accounts/account.ts";
import { isObject, own, parseJson } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { isAccountId } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import { secretOf, textOf, timeOf, unknownFields } from "./accounts-format.ts";
import { unreadable } from "./files.ts";
import type { Files } from "./files.ts";
import { readNamed } from "./private-file.ts";

/** Accounts, and one sentence for each entry that could not be used. */
export type Imported = { readonly accounts: readonly Account[]; readonly problems: readonly string[] };

const largestFile = 4 * 1024 * 1024;

/**
 * Reads `path`: a file, or a folder with `oauth_tokens.json` or `account_*.json` in it. In a folder a bad
 * file is a problem of its own; `store-unreadable` is thrown when nothing at all can be used. `now` is wall
 * milliseconds.
 */
export const readImport = (path: string, { files, now }: { readonly files: Files; readonly now: number }): Imported => {
  if (!attempt(path, () => files.statSync(path)).isDirectory()) return readOne(path, files, now);
  const names = attempt(path, () => files.readdirSync(path)).filter((name) => name === "oauth_tokens.json" || /^account_.*\.json$/.test(name));
  if (names.length === 0) throw nothingIn(path, "there is no oauth_tokens.json and no account_*.json in this folder");
  const parts = names.sort().map((name) => tolerate(() => readOne(join(path, name), files, now)));
  const accounts = parts.flatMap((part) => part.accounts);
  const problems = parts.flatMap((part) => part.problems);
  if (accounts.length === 0) throw nothingIn(path, problems.join("; "));
  return { accounts, problems };
};

const attempt = <T>(path: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw unreadable(path, error);
  }
};

const readOne = (path: string, files: Files, now: number): Imported => {
  const found = readNamed(path, { files, limit: largestFile });
  if (typeof found === "string") throw nothingIn(path, found);
  const parsed = parseImport(found.bytes.toString("utf8").replace(/^\uFEFF/, ""), now);
  if (typeof parsed === "string") throw nothingIn(path, parsed);
  const problems = parsed.problems.map((problem) => `${path}: ${problem}`);
  if (parsed.accounts.length === 0) throw nothingIn(path, problems.join("; "));
  return { accounts: parsed.accounts, problems };
};

const tolerate = (read: () => Imported): Imported => {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppError) return { accounts: [], problems: [error.message] };
    throw error;
  }
};

const nothingIn = (path: string, reason: string): AppError =>
  new AppError({
    code: "store-unreadable",
    message: `nothing can be imported from ${path}: ${reason}`,
    hint: "Give the oauth_tokens.json of claude-code-mux, or an account_*.json of claude-proxy, or the folder that holds them.",
  });

/** What became of one imported account; `id` is its name here. */
export type MergeResult = { readonly outcome: "imported" | "kept" | "renamed"; readonly id: string; readonly from: string };

/**
 * Adds `incoming` to `current`. An account that is here already, with the same credential, is kept as it is,
 * whatever its name; a name taken by another credential is given a number. Nothing is replaced.
 */
export const mergeImport = (current: ReadonlyMap<string, Account>, incoming: readonly Account[]) => {
  const accounts = new Map(current);
  const results: MergeResult[] = [];
  for (const account of incoming) {
    const known = [...accounts.values()].find((other) => sameCredential(other, account));
    const id = known?.id ?? freeId(account.id, accounts);
    if (known === undefined) accounts.set(id, { ...account, id });
    results.push({ outcome: known !== undefined ? "kept" : id === account.id ? "imported" : "renamed", id, from: account.id });
  }
  return { accounts: accounts as ReadonlyMap<string, Account>, results: results as readonly MergeResult[] };
};

/** A chain of refresh tokens must have one owner here, so the same token is the same account, whatever its name. */
const sameCredential = (left: Account, right: Account): boolean => {
  const [a, b] = [left.refreshToken ?? left.accessToken, right.refreshToken ?? right.accessToken];
  return left.kind === right.kind && a.reveal() === b.reveal();
};

const freeId = (wanted: string, taken: ReadonlyMap<string, Account>): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted.slice(0, 56)}-${number}`;
  return id;
};

/** The accounts in the text of one file, or the reason why there are none. Pure. */
export const parseImport = (text: string, now: number): Imported | string => {
  if (text.trim() === "") return "it is empty";
  const value = parseJson(text);
  if (value === undefined) return "it is cut off or not JSON";
  if (Array.isArray(value)) return "it is a list; expected one account, or an object of accounts by name";
  if (!isObject(value)) return "it is JSON but not an object";
  if (isObject(own(value, "accounts")) || own(value, "sealed") !== undefined) {
    return "it is the accounts.json of this program; put it into a data folder instead";
  }
  if (own(value, "access_token") !== undefined || own(value, "refresh_token") !== undefined) return fromClaudeProxy(value, now);
  return fromCodeMux(value, now);
};

/** `{ "<provider>": { provider_id, access_token, refresh_token, expires_at, enterprise_url } }` */
const fromCodeMux = (file: JsonObject, now: number): Imported | string => {
  const entries = Object.entries(file);
  if (entries.length === 0) return "it holds no accounts";
  if (!entries.some(([, entry]) => isObject(entry) && own(entry, "access_token") !== undefined)) {
    return "it is neither an oauth_tokens.json of claude-code-mux nor an account_*.json of claude-proxy";
  }
  const results = entries.map(([name, entry], index) => {
    if (!isObject(entry)) return `entry ${index + 1} is not an object`;
    return muxAccount(name, entry, now) ?? `entry ${index + 1} has no access_token`;
  });
  return {
    accounts: results.filter((result) => typeof result !== "string"),
    problems: results.filter((result) => typeof result === "string"),
  };
};

const muxFields = new Set(["provider_id", "access_token", "refresh_token", "expires_at", "enterprise_url"]);

/** Null for an entry without an access token. */
const muxAccount = (name: string, entry: JsonObject, now: number): Account | null => {
  const tokens = tokensIn(entry);
  if (tokens === null) return null;
  const providerId = textOf(own(entry, "provider_id")) ?? name;
  const enterpriseUrl = own(entry, "enterprise_url");
  return {
    ...blank(idFrom(providerId), now),
    ...tokens,
    providerId,
    ...(enterpriseUrl === undefined ? {} : { enterpriseUrl: textOf(enterpriseUrl) }),
    ...unknownFields(entry, muxFields),
  };
};

const proxyFields = new Set(["name", "access_token", "refresh_token", "expires_at", "refresh_at", "status", "last_refresh_error"]);
const proxyFieldsButName = new Set([...proxyFields].filter((field) => field !== "name"));

/** `{ id, name, access_token, refresh_token, expires_at, refresh_at, status, last_refresh_error }` */
const fromClaudeProxy = (entry: JsonObject, now: number): Imported | string => {
  const tokens = tokensIn(entry);
  if (tokens === null) return "the account has no access_token";
  const name = textOf(own(entry, "name"));
  const id = idFrom(textOf(own(entry, "id")) ?? name ?? "");
  const isAddress = name?.includes("@") === true;
  const account: Account = {
    ...blank(id, now),
    ...tokens,
    // Labels are shown and logged, so an e-mail address is kept in the file but not as the label.
    label: name === null || name === "" || isAddress ? id : name.slice(0, 100),
    enabled: own(entry, "status") !== "inactive",
    refreshedAt: momentOf(own(entry, "refresh_at")),
    lastError: textOf(own(entry, "last_refresh_error")) || null,
    ...unknownFields(entry, isAddress ? proxyFieldsButName : proxyFields),
  };
  return { accounts: [account], problems: [] };
};

const blank = (id: string, now: number): Omit<Account, "accessToken"> => ({
  id, providerId: "anthropic", kind: "oauth", label: id, refreshToken: null, expiresAt: null, scopes: [],
  organization: null, account: null, enabled: true, priority: 0, createdAt: now, refreshedAt: null, lastError: null,
});

/** Null without an access token. */
const tokensIn = (entry: JsonObject): Pick<Account, "accessToken" | "refreshToken" | "expiresAt"> | null => {
  const accessToken = secretOf(own(entry, "access_token"));
  if (accessToken === null) return null;
  return { accessToken, refreshToken: secretOf(own(entry, "refresh_token")), expiresAt: momentOf(own(entry, "expires_at")) };
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
  const [person = ""] = name.slice(0, 320).toLowerCase().split("@");
  const id = person.replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+|(?<!-)-+$/g, "").slice(0, 56);
  return isAccountId(id) ? id : "imported";
};
