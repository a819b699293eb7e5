// Which header fields go through, in both directions; pure, on raw lists, so that order, case, duplicates
// and latin-1 bytes survive. Our credential is added after everything else has been taken away: no field
// a client can send (`Connection: authorization` included) may remove or double it.
//
// No `Via` is added. RFC 9110 section 7.6.3 asks a gateway for one; this program promises its users the
// stricter thing, that nothing reaches the API which the client did not send, except the credential and
// the two protocol fields below. A `Via` that came in goes through.
import { valuesOf } from "../lib/http-fields.ts";
import type { RawHeaders } from "../lib/http-fields.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountKind } from "../messages/events.ts";

/** Required by the API for OAuth tokens, and the version it assumes nowhere. */
const oauthBeta = "oauth-2025-04-20";
const defaultVersion = "2023-06-01";

/** What proves us to the upstream; null in pass-through mode, where the client's own login stays. */
export type OutboundCredential = { readonly kind: AccountKind; readonly token: Secret } | null;

// RFC 9110 section 7.6.1, and what belongs to the hop in front of us: its host, its framing, its cookies.
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
const forThisHop = new Set([...hopByHop, "host", "expect", "content-length", "cookie", "forwarded"]);
const fromLastHop = new Set([...hopByHop, "proxy-authenticate", "proxy-authentication-info"]);
const credentials = new Set(["authorization", "x-api-key"]);
const forThisHopPrefix = /^(?:proxy-|x-forwarded-|x-claude-oauth-proxy-)/;

/**
 * The fields to send upstream, in the order they came, credential last. The client's own credentials are replaced; in
 * pass-through mode they stay, but for the local key of this proxy. Content-Length is added by the part that
 * frames the body.
 */
export const requestHeaders = (raw: RawHeaders, credential: OutboundCredential, localKey: Secret | null = null): string[] => {
  const named = namedBy(valuesOf(raw, "connection"));
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const field = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    const name = field.toLowerCase();
    if (forThisHop.has(name) || forThisHopPrefix.test(name) || named?.has(name) === true) continue;
    if (!credentials.has(name) || (credential === null && !holds(value, localKey))) kept.push(field, value);
  }
  if (credential !== null) addOurs(kept, credential);
  return kept;
};

/** A client that still shows the local key in the place of its login must not show it to the upstream too. */
const holds = (value: string, key: Secret | null): boolean => key !== null && value.replace(/^bearer +/i, "").trim() === key.reveal();

const addOurs = (kept: string[], { kind, token }: NonNullable<OutboundCredential>): void => {
  if (kind === "oauth") addOauthBeta(kept);
  if (valuesOf(kept, "anthropic-version").length === 0) kept.push("anthropic-version", defaultVersion);
  if (kind === "oauth") kept.push("authorization", `Bearer ${token.reveal()}`);
  else kept.push("x-api-key", token.reveal());
};

// The list keeps its value; of several lists the last one is appended to.
const addOauthBeta = (kept: string[]): void => {
  const lists = valuesOf(kept, "anthropic-beta");
  if (lists.some((list) => list.split(",").some((item) => item.trim() === oauthBeta))) return;
  const last = lists.length === 0 ? -1 : kept.findLastIndex((text, index) => index % 2 === 0 && text.toLowerCase() === "anthropic-beta");
  if (last === -1) kept.push("anthropic-beta", oauthBeta);
  else kept[last + 1] = appended(kept[last + 1] ?? "");
};

const appended = (value: string): string => (value.trim() === "" ? oauthBeta : `${value},${oauthBeta}`);

/**
 * The fields to answer the client with. Access-Control-Allow-* never passes: which web page may read answers is
 * decided here, not upstream. Neither do fields of our own name. 204 and 304 carry no length.
 */
export const responseHeaders = (raw: RawHeaders, status: number): string[] => {
  const named = namedBy(valuesOf(raw, "connection"));
  const bodiless = status === 204 || status === 304;
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    if (fromLastHop.has(name) || decidedHere.test(name) || (bodiless && name === "content-length") || named?.has(name) === true) continue;
    kept.push(raw[index] ?? "", raw[index + 1] ?? "");
  }
  return kept;
};

const decidedHere = /^(?:access-control-allow|x-claude-oauth-proxy)-/;

/** The fields that `Connection` names for removal; null when it names none (nearly always). */
const namedBy = (connection: readonly string[]): ReadonlySet<string> | null => {
  const [only] = connection;
  if (only === undefined || (connection.length === 1 && (only === "keep-alive" || only === "close"))) return null;
  return new Set(connection.join(",").split(",").map((option) => option.trim().toLowerCase()));
};
