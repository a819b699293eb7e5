// The checks that every request passes: is it one well-formed request, is it for a name of ours and from no foreign
// page, does it carry the key. Pure, on the head alone.
import { timingSafeEqual } from "node:crypto";
import type { Access } from "../api/call.ts";
import { bracketed, isLoopback } from "../lib/host.ts";
import type { Secret } from "../lib/secret.ts";
import { createOriginCheck } from "./origin.ts";
import type { OriginResult } from "./origin.ts";
import type { RequestFields, RequestInfo } from "./request-info.ts";
import { refusal } from "./respond.ts";
import type { Refusal } from "./respond.ts";
import type { Sessions } from "./sessions.ts";

export type Unlocked = { readonly ok: true; readonly access: Access } | Refusal;

export type CheckSettings = {
  readonly mode: "oauth" | "pass-through";
  readonly key: Secret;
  /** False opens what is forwarded to everyone who reaches the port, and nothing else. */
  readonly keyRequired: boolean;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly sessions: Pick<Sessions, "find" | "csrfFits">;
};

/** What opens a path: nothing, the key, the key or a browser session of our page, or the key of a request that is sent on. */
export type Needs = "nothing" | "key" | "page" | "forwarding";

export type Checks = {
  /** One well-formed request, to a name of ours, from no foreign page (DNS rebinding, cross-site requests). */
  screen(info: RequestInfo): OriginResult;
  /** The key, or what else opens a path. An open one lets everyone in, but knows the key when it is shown. */
  unlock(info: RequestInfo, needs: Needs): Unlocked;
};

/** The checks of one listening port; the key is prepared once. */
export const createChecks = (settings: CheckSettings): Checks => {
  const { port, host: bound, allowedHosts: extra } = settings;
  const hostOf = createHostCheck({ port, bound, extra });
  const checkOrigin = createOriginCheck(settings.allowedOrigins);
  const accessOf = createAccessCheck(settings);
  return {
    screen(info) {
      const fault = faultOfHead(info);
      if (fault !== null) return refusal("bad-request", fault);
      if (!info.target.startsWith("/")) return refusal("bad-request", "The request target must be a path.");
      const host = hostOf(info.fields.host);
      if (host === "malformed") return refusal("bad-request", "The Host header is not a host name.");
      if (host === "foreign") return refusal("foreign-host", "This Host name is not served here.", "Use 127.0.0.1 or localhost with our port, or add the name to server.allowedHosts.");
      return checkOrigin(info);
    },
    unlock(info, needs) {
      const access = accessOf(info, needs);
      if (access === "forged") return refusal("foreign-origin", "The x-csrf-token header is missing or wrong.", "Load /auth/device again and enter the key.");
      if (access !== "none" || needs === "nothing") return { ok: true, access };
      return refusal("local-key", "The local key is missing or wrong.", "Run `claude-oauth-proxy env` for what a client needs, or `claude-oauth-proxy print-key` for the key.");
    },
  };
};

/**
 * What node:http lets through although RFC 9112 calls it faulty or ambiguous (measured on Node 24): no Host or two
 * (`requireHostHeader` is off, because its 400 could follow another one), HTTP/0.9 and 2.0, every transfer coding
 * but `chunked`, and HTTP/1.0 with one.
 */
const faultOfHead = ({ httpVersion, fields }: RequestInfo): string | null => {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return "This HTTP version is not spoken here.";
  if (fields.hostCount !== 1) return "A request needs exactly one Host header.";
  if (fields.framingCount > 1 || fields.disguisedFraming) return "The length of the body is given more than once.";
  if (!isPlainCoding(fields.transferEncoding, httpVersion)) return "The only transfer coding understood here is chunked.";
  return fields.authorizationCount > 1 || fields.apiKeyCount > 1 ? "A credential is given more than once." : null;
};

const isPlainCoding = (coding: string | null, httpVersion: string): boolean =>
  coding === null || (coding.toLowerCase() === "chunked" && httpVersion === "1.1");

const createAccessCheck = ({ key, keyRequired, mode, sessions }: CheckSettings) => {
  const check = createKeyCheck(key);
  return (info: RequestInfo, needs: Needs): Access | "forged" => {
    const { fields } = info;
    const forwarded = needs === "forwarding";
    if (forwarded && !keyRequired) return "key";
    // In pass-through mode the credentials of a forwarded request are the client's own and go upstream:
    // the local key must not be among them.
    const passThrough = mode === "pass-through";
    const shown = (passThrough && check.inOwnHeader(fields)) || (!(passThrough && forwarded) && check.inCredentials(fields));
    if (shown) return "key";
    return needs === "page" || needs === "nothing" ? sessionAccess(fields, { sessions, needs }) : "none";
  };
};

/** A browser sends a cookie by itself, to every port of this machine: it counts only with the token that our own page alone can read. */
const sessionAccess = (fields: RequestFields, { sessions, needs }: { readonly sessions: CheckSettings["sessions"]; readonly needs: Needs }): Access | "forged" => {
  const session = fields.cookie === null ? null : sessions.find(fields.cookie);
  if (session === null) return "none";
  if (sessions.csrfFits(session, fields.csrf)) return "session";
  return needs === "page" ? "forged" : "none";
};

// Which Host a request may name. A page that was re-bound to 127.0.0.1 still sends its own name here, so an exact list
// of names is the protection; nothing is ever resolved.

/** `known` may be served, `foreign` is a well-formed other name, `malformed` is no host at all. */
type HostResult = "known" | "foreign" | "malformed";

// A DNS name or an address with an optional port. RFC 3986 section 3.2.2 allows more signs (a comma, percent
// encoding): no name has them, and they are how two parsers come to disagree.
const wellFormed = /^(?:[a-z0-9\-._]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** The longest DNS name is 253 characters; the rest is room for the port. */
const longest = 262;

/**
 * The check for one port. `extra` are names from the settings: with a port they match exactly, without one
 * they match bare and with our port. `bound` is the address listened on; it counts when it is loopback.
 */
const createHostCheck = (names: { readonly port: number; readonly bound: string; readonly extra: readonly string[] }) => {
  const known = new Set<string>();
  for (const name of ["127.0.0.1", "localhost", "[::1]", ...(isLoopback(names.bound) ? [bracketed(names.bound.toLowerCase())] : [])]) {
    known.add(`${name}:${names.port}`);
    // Clients leave the default port out (RFC 9110 section 4.2.3).
    if (names.port === 80) known.add(name);
  }
  for (const name of names.extra.map((entry) => entry.trim().toLowerCase())) {
    known.add(name);
    if (!/:\d+$/.test(name)) known.add(`${name}:${names.port}`);
  }
  return (host: string): HostResult => {
    if (known.has(host)) return "known";
    if (host.length > longest || !wellFormed.test(host)) return "malformed";
    return known.has(host.toLowerCase()) ? "known" : "foreign";
  };
};

// Is this the local key? Compared by `timingSafeEqual`, over one buffer made beforehand, because this runs for every
// request. Only the key's length may show in the time it takes; that is no secret.

const bearer = /^bearer +/i;

/**
 * True when the head carries the key: as `Authorization: Bearer` or `x-api-key`, or as
 * `x-claude-oauth-proxy-key` when the client's own login uses the other two.
 */
const createKeyCheck = (key: Secret) => {
  const same = createSameAs(key.reveal());
  const carries = (shown: string | null): boolean => shown !== null && same(shown);
  return {
    inCredentials: ({ authorization, apiKey }: RequestFields): boolean =>
      carries(authorization === null ? null : tokenOf(authorization)) || carries(apiKey),
    inOwnHeader: ({ proxyKey }: RequestFields): boolean => carries(proxyKey),
  };
};

// Null for any other scheme. Written as nearly all write it, the value is found without a pattern.
const tokenOf = (authorization: string): string | null => {
  if (authorization.startsWith("Bearer ") && authorization[7] !== " ") return authorization.slice(7);
  return bearer.test(authorization) ? authorization.replace(bearer, "") : null;
};

const createSameAs = (wanted: string): ((shown: string) => boolean) => {
  const right = Buffer.from(wanted, "utf8");
  const left = Buffer.alloc(right.length);
  return (shown) => {
    if (shown.length !== wanted.length) return false;
    left.write(shown, "latin1");
    // Header values are Latin-1; the last comparison only refuses what merely looks alike in those bytes.
    return timingSafeEqual(left, right) && shown === wanted;
  };
};
