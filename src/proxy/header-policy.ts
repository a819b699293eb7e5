// Which header fields go through, in both directions; pure, on raw lists, so that order, case, duplicates
// and latin-1 bytes survive. Our credential is added after everything else has been taken away: no field
// a client can send (`Connection: authorization` included) may remove or double it.
//
// No `Via` is added. RFC 9110 section 7.6.3 asks a gateway for one; this program promises its users the
// stricter thing, that nothing reaches the API which the client did not send, except the credential and
// the two protocol fields below. A `Via` that came in goes through.
import type { Secret } from "../lib/secret.ts";
import type { AccountKind } from "../messages/events.ts";
import type { HeaderTable, WireHeaders } from "./response-head.ts";

/** What a client sent: name, value, name, value …, each byte one latin-1 character. */
export type RawHeaders = readonly string[];

/** Required by the API for OAuth tokens, and the version it assumes nowhere. */
const oauthBeta = "oauth-2025-04-20";
const defaultVersion = "2023-06-01";

/** What proves us to the upstream; null in pass-through mode, where the client's own login stays. */
export type OutboundCredential = { readonly kind: AccountKind; readonly token: Secret } | null;

// RFC 9110 section 7.6.1, and what belongs to the hop in front of us: its host, its framing, its cookies.
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
const requestOnly = new Set([...hopByHop, "host", "expect", "content-length", "cookie", "forwarded"]);
const responseOnly = new Set([...hopByHop, "proxy-authenticate", "proxy-authentication-info"]);

/**
 * The fields to send upstream, in the order they came, credential last. Content-Length is left to whoever
 * frames the body.
 */
export const requestHeaders = (raw: RawHeaders, credential: OutboundCredential): string[] => {
  const named = connectionOptions(raw);
  const kept: string[] = [];
  const protocol: Protocol = { beta: -1, hasOauthBeta: false, hasVersion: false };
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const lower = name.toLowerCase();
    if (isDroppedFromRequest(lower, credential) || named?.has(lower) === true) continue;
    if (lower.startsWith("anthropic-")) note(protocol, lower, { at: kept.length + 1, value: raw[index + 1] ?? "" });
    kept.push(name, raw[index + 1] ?? "");
  }
  if (credential !== null) addOurs(kept, credential, protocol);
  return kept;
};

/** What the client already says of the API's own protocol; `beta` is the index of the last list's value. */
type Protocol = { beta: number; hasOauthBeta: boolean; hasVersion: boolean };

const note = (protocol: Protocol, lower: string, field: { readonly at: number; readonly value: string }): void => {
  if (lower === "anthropic-version") protocol.hasVersion = true;
  if (lower !== "anthropic-beta") return;
  protocol.beta = field.at;
  protocol.hasOauthBeta ||= listsOauthBeta(field.value);
};

const isDroppedFromRequest = (lower: string, credential: OutboundCredential): boolean => {
  if (requestOnly.has(lower)) return true;
  switch (lower.charCodeAt(0)) {
    case 0x61: // a
      return lower === "authorization" && credential !== null;
    case 0x70: // p
      return lower.startsWith("proxy-");
    case 0x78: // x
      return lower === "x-api-key" ? credential !== null : lower.startsWith("x-forwarded-") || lower.startsWith("x-claude-oauth-proxy-");
    default:
      return false;
  }
};

const addOurs = (kept: string[], credential: NonNullable<OutboundCredential>, found: Protocol): void => {
  if (credential.kind === "oauth" && !found.hasOauthBeta) {
    if (found.beta === -1) kept.push("anthropic-beta", oauthBeta);
    else kept[found.beta] = appended(kept[found.beta] ?? "");
  }
  if (!found.hasVersion) kept.push("anthropic-version", defaultVersion);
  if (credential.kind === "oauth") kept.push("authorization", `Bearer ${credential.token.reveal()}`);
  else kept.push("x-api-key", credential.token.reveal());
};

const listsOauthBeta = (value: string): boolean => value.includes(oauthBeta) && value.split(",").some((item) => item.trim() === oauthBeta);

const appended = (value: string): string => (value.trim() === "" ? oauthBeta : `${value},${oauthBeta}`);

/**
 * The fields to answer the client with; `table` is the same, by lower-case names. Access-Control-Allow-* never passes: which web page may read
 * answers is decided here, not upstream. Neither does our own error mark. 204 and 304 carry no length.
 */
export const responseHeaders = (raw: WireHeaders, table: HeaderTable, status: number): string[] => {
  const named = namedBy(table["connection"]);
  const bodiless = status === 204 || status === 304;
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const lower = name.toLowerCase();
    if (isDroppedFromResponse(lower) || (bodiless && lower === "content-length") || named?.has(lower) === true) continue;
    kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
};

const isDroppedFromResponse = (lower: string): boolean =>
  responseOnly.has(lower) || (lower.length > 20 && (lower.startsWith("access-control-allow-") || lower.startsWith("x-claude-oauth-proxy-")));

/** The fields that `Connection` names for removal; null when it names none (nearly always). */
const connectionOptions = (raw: RawHeaders): ReadonlySet<string> | null => {
  const values: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (name.length === 10 && name.toLowerCase() === "connection") values.push(raw[index + 1] ?? "");
  }
  return namedBy(values.length > 1 ? values : values[0]);
};

const namedBy = (connection: string | string[] | undefined): ReadonlySet<string> | null => {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return null;
  const value = typeof connection === "string" ? connection : connection.join(",");
  return new Set(value.split(",").map((option) => option.trim().toLowerCase()));
};
