// The text of accounts.json (snake_case, ISO 8601 UTC) and the accounts in it. Pure. Whatever the file says
// and this version does not understand is carried through a rewrite. A text that cannot be used gives a
// reason in words, never an exception: V8's own JSON errors quote the text, and it holds tokens.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import { isoTime } from "../lib/units.ts";
import { isObject, own, parseJson } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import { isAccountId } from "../messages/commands.ts";
import type { Organization, Person } from "../messages/tokens.ts";

/** `document` is the whole file; `unused` names entries that are kept but not understood. */
export type StoreDocument = {
  readonly document: JsonObject;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly unused: readonly { readonly id: string; readonly reason: string }[];
};

export type ParsedStore = { readonly ok: true; readonly store: StoreDocument } | { readonly ok: false; readonly reason: string };

export const emptyStore: StoreDocument = { document: { version: 1, accounts: {} }, accounts: new Map(), unused: [] };

/** What an account may be called. */
/** Reads the plain text of the file. */
export const parseStore = (text: string): ParsedStore => {
  if (text.trim() === "") return broken("it is empty");
  const document = parseJson(text);
  if (document === undefined || !canBeWritten(document)) return broken("it is cut off or not JSON");
  if (!isObject(document)) return broken("it is JSON but not an object");
  const version = own(document, "version") ?? 1;
  if (typeof version !== "number") return broken("its version is not a number");
  if (version > 1) return broken(`it was written by a newer program (format ${version}, this one knows 1)`);
  const accounts = own(document, "accounts");
  if (!isObject(accounts)) return broken("it has no accounts object");
  return { ok: true, store: readEntries(document, accounts) };
};

const broken = (reason: string): ParsedStore => ({ ok: false, reason });

/** False for a value nested so deeply that it could be read but not written again. */
const canBeWritten = (value: unknown): boolean => {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
};

const readEntries = (document: JsonObject, entries: JsonObject): StoreDocument => {
  const accounts = new Map<string, Account>();
  const unused: { id: string; reason: string }[] = [];
  for (const [id, record] of Object.entries(entries)) {
    const account = parseRecord(id, record);
    if (typeof account === "string") unused.push({ id, reason: account });
    else accounts.set(id, account);
  }
  return { document, accounts, unused };
};

/**
 * The text for `next`: accounts that are no longer in it are dropped, entries that were not understood
 * and unknown fields stay as they were.
 */
export const formatStore = (before: StoreDocument, next: ReadonlyMap<string, Account>): string => {
  const raw = own(before.document, "accounts");
  const entries = isObject(raw) ? raw : {};
  const unused = before.unused.map(({ id }) => [id, own(entries, id)] as const);
  const used = [...next].map(([id, account]) => [id, formatRecord(account, own(entries, id))] as const);
  // `fromEntries` and spread define keys instead of assigning them, so `__proto__` stays a key.
  return `${JSON.stringify({ ...before.document, version: 1, accounts: Object.fromEntries([...unused, ...used]) }, null, 2)}\n`;
};

/** The account, or the reason why this entry is kept but cannot be used. */
export const parseRecord = (id: string, record: unknown): Account | string => {
  if (!isAccountId(id)) return "its name is not made of a-z, 0-9, dot, dash and underscore (at most 64)";
  if (!isObject(record)) return "it is not an object";
  const kind = own(record, "kind") ?? "oauth";
  if (kind !== "oauth" && kind !== "api_key") return "its kind is neither oauth nor api_key";
  const accessToken = secretOf(own(record, "access_token"));
  if (accessToken === null) return "it has no access_token";
  return {
    id,
    providerId: textOf(own(record, "provider_id")) ?? id,
    kind,
    label: textOf(own(record, "label")) ?? id,
    accessToken,
    refreshToken: secretOf(own(record, "refresh_token")),
    expiresAt: timeOf(own(record, "expires_at")),
    scopes: scopesOf(own(record, "scopes")),
    organization: organizationOf(own(record, "organization")),
    account: personOf(own(record, "account")),
    enabled: own(record, "enabled") !== false,
    priority: numberOf(own(record, "priority")),
    createdAt: timeOf(own(record, "created_at")) ?? 0,
    refreshedAt: timeOf(own(record, "refreshed_at")),
    lastError: textOf(own(record, "last_error")),
    ...optionalFields(record),
  };
};

const knownFields = new Set([
  "provider_id", "kind", "label", "access_token", "refresh_token", "expires_at", "scopes", "organization", "account",
  "enabled", "priority", "created_at", "refreshed_at", "last_error", "enterprise_url", "endpoints",
]);

const optionalFields = (record: JsonObject): Pick<Account, "enterpriseUrl" | "endpoints" | "unknown"> => {
  const enterpriseUrl = own(record, "enterprise_url");
  const endpoints = own(record, "endpoints");
  return {
    ...(enterpriseUrl === undefined ? {} : { enterpriseUrl: textOf(enterpriseUrl) }),
    ...(isObject(endpoints) ? { endpoints: endpointsOf(endpoints) } : {}),
    ...unknownFields(record, knownFields),
  };
};

/** The fields of `record` that are not in `known`, as an account carries them; nothing when there are none. */
export const unknownFields = (record: JsonObject, known: ReadonlySet<string>): Pick<Account, "unknown"> => {
  const unknown = Object.entries(record).filter(([key]) => !known.has(key));
  return unknown.length === 0 ? {} : { unknown: Object.fromEntries(unknown) };
};

/** The text; null for a value of another type. */
export const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** The text as a secret; null for an empty text and for a value of another type. */
export const secretOf = (value: unknown): Secret | null => (typeof value === "string" && value !== "" ? secret(value) : null);

const numberOf = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

/** Wall milliseconds of an ISO 8601 text (UTC when it names no zone), null for anything else. */
export const timeOf = (value: unknown): number | null => {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:/.test(value)) return null;
  const time = Date.parse(/(?:[zZ]|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  return Number.isNaN(time) ? null : time;
};

const scopesOf = (value: unknown): readonly string[] => {
  if (typeof value === "string") return value.split(" ").filter((scope) => scope !== "");
  return Array.isArray(value) ? value.filter((scope) => typeof scope === "string") : [];
};

const organizationOf = (value: unknown): Organization | null => {
  if (!isObject(value)) return null;
  const uuid = textOf(own(value, "uuid"));
  return uuid === null ? null : { uuid, name: textOf(own(value, "name")) ?? "" };
};

const personOf = (value: unknown): Person | null => {
  if (!isObject(value)) return null;
  const uuid = textOf(own(value, "uuid"));
  return uuid === null ? null : { uuid, emailAddress: textOf(own(value, "email_address")) };
};

const endpointKeys = [
  ["baseUrl", "base_url"], ["tokenUrl", "token_url"], ["authorizeUrl", "authorize_url"],
  ["redirectUri", "redirect_uri"], ["clientId", "client_id"], ["scopes", "scopes"],
] as const satisfies readonly (readonly [keyof AccountEndpoints, string])[];

const endpointsOf = (record: JsonObject): AccountEndpoints =>
  Object.fromEntries(endpointKeys.flatMap(([key, name]) => (typeof own(record, name) === "string" ? [[key, own(record, name)]] : [])));

/**
 * The entry for the file. `before` is the entry as it was: unknown fields inside its nested objects are
 * carried along, those beside them come from `account.unknown`.
 */
export const formatRecord = (account: Account, before: unknown): JsonObject => {
  const old = isObject(before) ? before : {};
  return {
    provider_id: account.providerId,
    kind: account.kind,
    label: account.label,
    access_token: account.accessToken.reveal(),
    refresh_token: account.refreshToken?.reveal() ?? null,
    expires_at: isoTime(account.expiresAt),
    scopes: account.scopes,
    organization: account.organization && merged(own(old, "organization"), { ...account.organization }),
    account: account.account && merged(own(old, "account"), { uuid: account.account.uuid, email_address: account.account.emailAddress }),
    enabled: account.enabled,
    priority: account.priority,
    created_at: isoTime(account.createdAt === 0 ? null : account.createdAt),
    refreshed_at: isoTime(account.refreshedAt),
    last_error: account.lastError,
    ...(account.enterpriseUrl === undefined ? {} : { enterprise_url: account.enterpriseUrl }),
    ...(account.endpoints === undefined ? {} : { endpoints: formatEndpoints(account.endpoints, own(old, "endpoints")) }),
    ...unknownFields(account.unknown ?? {}, knownFields).unknown,
  };
};

/** Unknown fields belong to the thing with this uuid and to no other. */
const merged = (before: unknown, next: JsonObject): JsonObject =>
  isObject(before) && own(before, "uuid") === next["uuid"] ? { ...before, ...next } : next;

const formatEndpoints = (endpoints: AccountEndpoints, before: unknown): JsonObject => {
  const names = new Set<string>(endpointKeys.map(([, name]) => name));
  const ours = endpointKeys.flatMap(([key, name]) => (endpoints[key] === undefined ? [] : [[name, endpoints[key]]]));
  return Object.fromEntries([...ours, ...Object.entries(isObject(before) ? before : {}).filter(([key]) => !names.has(key))]);
};
