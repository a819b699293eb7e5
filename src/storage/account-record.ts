// One account as it stands in the file (snake_case, ISO 8601 UTC) and as the program holds it. Pure.
// Nothing the file says is lost: what is not understood is carried along.
import type { Account, AccountEndpoints } from "../accounts/account.ts";
import { isObject, own } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Organization, Person } from "../messages/tokens.ts";

const known = new Set([
  "provider_id", "kind", "label", "access_token", "refresh_token", "expires_at", "scopes", "organization", "account",
  "enabled", "priority", "created_at", "refreshed_at", "last_error", "enterprise_url", "endpoints",
]);

export const accountId = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The account, or the reason why this entry is kept but cannot be used. */
export const parseRecord = (id: string, record: unknown): Account | string => {
  if (!accountId.test(id)) return "its name is not made of a-z, 0-9, dot, dash and underscore (at most 64)";
  if (!isObject(record)) return "it is not an object";
  const kind = own(record, "kind") ?? "oauth";
  if (kind !== "oauth" && kind !== "api_key") return "its kind is neither oauth nor api_key";
  const token = own(record, "access_token");
  if (typeof token !== "string" || token === "") return "it has no access_token";
  return {
    id,
    providerId: textOf(own(record, "provider_id")) ?? id,
    kind,
    label: textOf(own(record, "label")) ?? id,
    accessToken: secret(token),
    refreshToken: secretOf(own(record, "refresh_token")),
    enabled: own(record, "enabled") !== false,
    priority: numberOf(own(record, "priority")),
    ...parseTimes(record),
    ...parseDetails(record),
  };
};

const parseTimes = (record: JsonObject) => ({
  expiresAt: timeOf(own(record, "expires_at")),
  createdAt: timeOf(own(record, "created_at")) ?? 0,
  refreshedAt: timeOf(own(record, "refreshed_at")),
});

const parseDetails = (record: JsonObject) => {
  const enterpriseUrl = own(record, "enterprise_url");
  const endpoints = own(record, "endpoints");
  const unknown = Object.entries(record).filter(([key]) => !known.has(key));
  return {
    scopes: scopesOf(own(record, "scopes")),
    organization: organizationOf(own(record, "organization")),
    account: personOf(own(record, "account")),
    lastError: textOf(own(record, "last_error")),
    ...(enterpriseUrl === undefined ? {} : { enterpriseUrl: textOf(enterpriseUrl) }),
    ...(isObject(endpoints) ? { endpoints: endpointsOf(endpoints) } : {}),
    ...(unknown.length > 0 ? { unknown: Object.fromEntries(unknown) } : {}),
  };
};

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const secretOf = (value: unknown): Secret | null => (typeof value === "string" && value !== "" ? secret(value) : null);
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
  const uuid = isObject(value) ? textOf(own(value, "uuid")) : null;
  return uuid === null || !isObject(value) ? null : { uuid, name: textOf(own(value, "name")) ?? "" };
};

const personOf = (value: unknown): Person | null => {
  const uuid = isObject(value) ? textOf(own(value, "uuid")) : null;
  return uuid === null || !isObject(value) ? null : { uuid, emailAddress: textOf(own(value, "email_address")) };
};

const endpointKeys = [
  ["baseUrl", "base_url"], ["tokenUrl", "token_url"], ["authorizeUrl", "authorize_url"],
  ["redirectUri", "redirect_uri"], ["clientId", "client_id"], ["scopes", "scopes"],
] as const satisfies readonly (readonly [keyof AccountEndpoints, string])[];

const endpointsOf = (record: JsonObject): AccountEndpoints =>
  Object.fromEntries(endpointKeys.flatMap(([key, name]) => (typeof own(record, name) === "string" ? [[key, own(record, name)]] : [])));

/**
 * The entry for the file. `before` is what stood there: unknown fields inside its nested objects are
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
    expires_at: isoOf(account.expiresAt),
    scopes: account.scopes,
    organization: account.organization && merged(own(old, "organization"), { ...account.organization }),
    account: account.account && merged(own(old, "account"), { uuid: account.account.uuid, email_address: account.account.emailAddress }),
    enabled: account.enabled,
    priority: account.priority,
    created_at: isoOf(account.createdAt === 0 ? null : account.createdAt),
    refreshed_at: isoOf(account.refreshedAt),
    last_error: account.lastError,
    ...(account.enterpriseUrl === undefined ? {} : { enterprise_url: account.enterpriseUrl }),
    ...(account.endpoints === undefined ? {} : { endpoints: formatEndpoints(account.endpoints, own(old, "endpoints")) }),
    ...Object.fromEntries(Object.entries(account.unknown ?? {}).filter(([key]) => !known.has(key))),
  };
};

/** ISO 8601 in UTC; null for no time and for one that no calendar has. */
export const isoOf = (time: number | null): string | null => {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
};

/** Unknown fields belong to the thing with this uuid and to no other. */
const merged = (before: unknown, next: JsonObject): JsonObject =>
  isObject(before) && own(before, "uuid") === next["uuid"] ? { ...before, ...next } : next;

const formatEndpoints = (endpoints: AccountEndpoints, before: unknown): JsonObject => {
  const names = new Set<string>(endpointKeys.map(([, name]) => name));
  const foreign = isObject(before) ? Object.entries(before).filter(([key]) => !names.has(key)) : [];
  const ours = endpointKeys.flatMap(([key, name]) => (endpoints[key] === undefined ? [] : [[name, endpoints[key]]]));
  return Object.fromEntries([...ours, ...foreign]);
};
