// A successful token response, read with distrust (RFC 6749 section 5.1): unknown members are ignored,
// a missing or senseless lifetime becomes a safe one.
import type { Organization, Person, TokenGrant } from "../messages/tokens.ts";
import { isObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { secret } from "../lib/secret.ts";

/** What counts when `expires_in` is missing or makes no sense: short enough to be refreshed soon, long enough not to be a storm. */
export const defaultLifetimeSeconds = 3600;

/** Anthropic's longest published token lives one year. */
const longestLifetimeSeconds = 366 * 24 * 3600;

/** Null when there is no usable bearer token in it. `now` is wall milliseconds. */
export const readGrant = (body: JsonObject, now: number): TokenGrant | null => {
  const accessToken = credential(body["access_token"]);
  const type = body["token_type"];
  if (accessToken === null) return null;
  if (type !== undefined && (typeof type !== "string" || type.toLowerCase() !== "bearer")) return null;
  const refreshToken = credential(body["refresh_token"]);
  return {
    accessToken: secret(accessToken),
    refreshToken: refreshToken === null ? null : secret(refreshToken),
    expiresAt: now + lifetimeSeconds(body["expires_in"]) * 1000,
    scopes: scopes(body["scope"]),
    organization: organization(body["organization"]),
    account: person(body["account"]),
  };
};

// A token goes into a header: visible ASCII without blanks (RFC 6749 appendix A.12), of a bounded length.
const credential = (value: unknown): string | null =>
  typeof value === "string" && /^[\u0021-\u007e]{1,16384}$/.test(value) ? value : null;

const lifetimeSeconds = (value: unknown): number =>
  typeof value === "number" && value >= 1 && value <= longestLifetimeSeconds ? value : defaultLifetimeSeconds;

const scopes = (value: unknown): readonly string[] | null => {
  if (typeof value !== "string") return null;
  const names = value.split(/\s+/).filter((name) => name !== "");
  return names.length === 0 ? null : names.slice(0, 50);
};

const organization = (value: unknown): Organization | null =>
  isObject(value) && typeof value["uuid"] === "string"
    ? { uuid: value["uuid"].slice(0, 100), name: typeof value["name"] === "string" ? value["name"].slice(0, 300) : "" }
    : null;

const person = (value: unknown): Person | null => {
  if (!isObject(value) || typeof value["uuid"] !== "string") return null;
  const email = value["email_address"] ?? value["email"];
  return { uuid: value["uuid"].slice(0, 100), emailAddress: typeof email === "string" ? email.slice(0, 320) : null };
};
