// Requests that a web page made, and the CORS fields for the origins that the settings name. A page in the
// person's browser can reach every port of this machine; what it cannot do is leave out the fields read here.
import type { RawHeaders } from "../lib/http-fields.ts";
import type { RequestFields, RequestInfo } from "./request-info.ts";
import { refusal } from "./respond.ts";
import type { Refusal } from "./respond.ts";

/** `corsOrigin` is the configured foreign origin that gets CORS headers, null for every other request. */
export type OriginResult = { readonly ok: true; readonly corsOrigin: string | null } | Refusal;

/** Where the authorization server's page sends the browser back to, and the way there; cookie, state and token protect them. */
const signInPath = /^\/(?:callback|oauth\/callback|login\/[^/]+)$/;

const allowed: OriginResult = { ok: true, corsOrigin: null };

/**
 * Refuses requests of foreign web pages. `origins` are the configured exceptions, compared as a browser writes
 * them: scheme, host and port, nothing after it.
 */
export const createOriginCheck = (origins: readonly string[]) => {
  const listed = new Set(origins.map((origin) => origin.trim().toLowerCase().replace(/\/$/, "")));
  return (info: RequestInfo): OriginResult => {
    const { origin, originCount } = info.fields;
    if (originCount > 1) return refusal("foreign-origin", "A request may name one origin only.");
    if (origin !== null && listed.has(origin.toLowerCase())) return { ok: true, corsOrigin: origin };
    const own = isOwnOrigin(info.fields) && !isPreflight(info) && (isOwnFetch(info.fields) || isStepOfSignIn(info));
    return own ? allowed : foreign();
  };
};

const isOwnOrigin = ({ origin, host }: RequestFields): boolean => origin === null || origin.toLowerCase() === `http://${host.toLowerCase()}`;

// `same-site` is another port of this machine: a different program.
const isOwnFetch = ({ fetchSite }: RequestFields): boolean => fetchSite === null || fetchSite === "none" || fetchSite === "same-origin";

const foreign = (): Refusal =>
  refusal("foreign-origin", "Web pages of other origins may not call this proxy.", "If the page is yours, add its origin to server.allowedOrigins.");

/** A CORS preflight (Fetch standard, section 3.2.2): only a page of another origin sends one, even when it hides that origin. */
export const isPreflight = ({ method, fields }: RequestInfo): boolean => method === "OPTIONS" && fields.preflightMethod !== null;

// The window follows the redirect of the authorize page, or the link on our own page, which may have the other name of this
// machine: a navigation, never a frame or a fetch.
const isStepOfSignIn = ({ method, target, fields }: RequestInfo): boolean =>
  method === "GET" &&
  fields.origin === null &&
  fields.fetchMode === "navigate" &&
  fields.fetchDest === "document" &&
  signInPath.test(target.split("?", 1)[0] ?? "");

/**
 * The CORS fields (Fetch standard, section 3.2.3) of every answer to `origin`. Never with credentials: a page shows
 * the key in a header, our cookies do not count across origins.
 */
export const corsHeaders = (origin: string): RawHeaders => [
  "access-control-allow-origin", origin,
  "access-control-expose-headers", "*",
  "vary", "Origin",
];

/** The fields of the answer to a preflight. */
export const preflightHeaders = (origin: string, fields: RequestFields): RawHeaders => [
  ...corsHeaders(origin),
  "access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers", askedFor(fields.preflightHeaders),
  "access-control-max-age", "600",
];

// Echoed, because future header names are not known; only when it is a list of names.
const askedFor = (names: string | null): string => (names !== null && /^[\w\-, ]{1,2000}$/.test(names) ? names : "content-type");
