// Which header fields go through, in both directions; pure, on raw lists, so that order, case, duplicates
// and latin-1 bytes survive. Our credential is added after everything else has been taken away: no field
// a client can send (`Connection: authorization` included) may remove or double it.
//
// No `Via` is added. RFC 9110 section 7.6.3 asks a gateway for one; this program promises its users the
// stricter thing, that nothing reaches the API which the client did not send, except the credential and
// the two protocol fields below. A `Via` that came in goes through.
import { createFieldSet, isContentLength, valuesOf } from "../http/fields.ts";
import type { RawFields } from "../http/fields.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountKind } from "../messages/events.ts";

/** Required by the API for OAuth tokens, and the version it assumes nowhere. */
const oauthBeta = "oauth-2025-04-20";
const defaultVersion = "2023-06-01";

/** What proves us to the upstream; null in pass-through mode, where the client's own login stays. */
export type OutboundCredential = { readonly kind: AccountKind; readonly token: Secret } | null;

// RFC 9110 section 7.6.1, and what belongs to the hop in front of us: its host, its framing, its cookies.
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
const isForThisHop = createFieldSet([...hopByHop, "host", "expect", "content-length", "cookie", "forwarded"]);
const isFromLastHop = createFieldSet([...hopByHop, "proxy-authenticate", "proxy-authentication-info"]);

/**
 * The fields to send upstream, in the order they came, credential last. Content-Length is left to whoever
 * frames the body.
 */
export const requestHeaders = (raw: RawFields, credential: OutboundCredential): string[] => {
  const named = namedBy(valuesOf(raw, "connection"));
  const kept: string[] = [];
  const protocol: Protocol = { beta: -1, hasOauthBeta: false, hasVersion: false };
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (isDroppedFromRequest(name, credential) || named?.has(name.toLowerCase()) === true) continue;
    if (initialOf(name) === "a") note(protocol, name, { at: kept.length + 1, value: raw[index + 1] ?? "" });
    kept.push(name, raw[index + 1] ?? "");
  }
  if (credential !== null) addOurs(kept, credential, protocol);
  return kept;
};

/** What the client already says of the API's own protocol; `beta` is the index of the last list's value. */
type Protocol = { beta: number; hasOauthBeta: boolean; hasVersion: boolean };

const note = (protocol: Protocol, name: string, field: { readonly at: number; readonly value: string }): void => {
  const lower = name.toLowerCase();
  if (lower === "anthropic-version") protocol.hasVersion = true;
  if (lower !== "anthropic-beta") return;
  protocol.beta = field.at;
  protocol.hasOauthBeta ||= listsOauthBeta(field.value);
};

const isCredential = createFieldSet(["authorization", "x-api-key"]);

const isDroppedFromRequest = (name: string, credential: OutboundCredential): boolean => {
  if (isForThisHop(name) || (credential !== null && isCredential(name))) return true;
  const initial = initialOf(name);
  if (initial === "p") return name.toLowerCase().startsWith("proxy-");
  return initial === "x" && /^x-(?:forwarded|claude-oauth-proxy)-/i.test(name);
};

// Most fields begin with another letter than those that are looked for by their beginning.
const initialOf = (name: string): "a" | "p" | "x" | null => {
  switch (name.charCodeAt(0) | 0x20) {
    case 0x61:
      return "a";
    case 0x70:
      return "p";
    case 0x78:
      return "x";
    default:
      return null;
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
 * The fields to answer the client with. Access-Control-Allow-* never passes: which web page may read answers is
 * decided here, not upstream. Neither does our own error mark. 204 and 304 carry no length.
 */
export const responseHeaders = (raw: RawFields, status: number): string[] => {
  const named = namedBy(valuesOf(raw, "connection"));
  const bodiless = status === 204 || status === 304;
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (isDroppedFromResponse(name) || (bodiless && isContentLength(name)) || named?.has(name.toLowerCase()) === true) continue;
    kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
};

const isDroppedFromResponse = (name: string): boolean => isFromLastHop(name) || (name.length > 20 && /^(?:access-control-allow|x-claude-oauth-proxy)-/i.test(name));

/** The fields that `Connection` names for removal; null when it names none (nearly always). */
const namedBy = (connection: readonly string[]): ReadonlySet<string> | null => {
  const [only] = connection;
  if (only === undefined || (connection.length === 1 && (only === "keep-alive" || only === "close"))) return null;
  return new Set(connection.join(",").split(",").map((option) => option.trim().toLowerCase()));
};
