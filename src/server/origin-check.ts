// Requests that a web page made: refused unless the page is ours or its origin is in the settings. A page
// in the user's browser can reach every port of this machine; what it cannot do is leave these fields out.
import { deny } from "./verdict.ts";
import type { Head, Screened } from "./verdict.ts";

/** Where the authorization server's page sends the browser back to; `state` protects these two. */
const callbackPaths = new Set(["/callback", "/oauth/callback"]);

const allowed: Screened = { ok: true, corsOrigin: null };

/** `origins` are compared as a browser writes them: scheme, host and port, nothing after it. */
export const createOriginCheck = (origins: readonly string[]) => {
  const listed = new Set(origins.map((origin) => origin.trim().toLowerCase().replace(/\/$/, "")));
  return (head: Head): Screened => {
    const { origin, originCount } = head.inbound;
    if (originCount > 1) return deny("foreign-origin", "A request may name one origin only.");
    if (origin !== null && listed.has(origin.toLowerCase())) return { ok: true, corsOrigin: origin };
    const ours = isOwnOrigin(head) && !isPreflight(head) && (isOwnFetch(head) || isReturnFromSignIn(head));
    return ours ? allowed : foreign();
  };
};

const isOwnOrigin = ({ inbound: { origin, host } }: Head): boolean => origin === null || origin.toLowerCase() === `http://${host.toLowerCase()}`;

// `same-site` is another port of this machine: a different program.
const isOwnFetch = ({ inbound: { fetchSite } }: Head): boolean => fetchSite === null || fetchSite === "none" || fetchSite === "same-origin";

const foreign = (): Screened =>
  deny("foreign-origin", "Web pages of other origins may not call this proxy.", "If the page is yours, add its origin to server.allowedOrigins.");

// Asked for by nobody but a page of another origin, even when it hides that origin.
const isPreflight = ({ method, inbound }: Head): boolean => method === "OPTIONS" && inbound.preflightMethod !== null;

// A whole new page in the window, by following the redirect of the authorize page: never a frame or a fetch.
const isReturnFromSignIn = ({ method, target, inbound }: Head): boolean =>
  method === "GET" &&
  inbound.origin === null &&
  inbound.fetchMode === "navigate" &&
  inbound.fetchDest === "document" &&
  callbackPaths.has(target.split("?", 1)[0] ?? "");
