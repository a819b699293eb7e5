// Where a request goes, or why it goes nowhere: the checks of admission, the route, the key, the size and
// the rate, in the order in which each may rely on the one before. No input or output.
import { checkTarget } from "../proxy/target.ts";
import type { Access } from "../api/call.ts";
import type { Admission } from "./admit.ts";
import { pathOf } from "./facts.ts";
import type { Peer, RateLimit } from "./rate-limit.ts";
import type { Route, Routes } from "./route.ts";
import { deny } from "./verdict.ts";
import type { Denied, Head } from "./verdict.ts";

/** `corsOrigin` is the configured foreign origin that asks, null for everybody else. */
export type Way =
  | { readonly ok: true; readonly to: "forward"; readonly corsOrigin: string | null }
  | { readonly ok: true; readonly to: "endpoint"; readonly corsOrigin: string | null; readonly route: Route; readonly param: string; readonly access: Access }
  | { readonly ok: true; readonly to: "preflight"; readonly corsOrigin: string };

export type GateDeps = {
  readonly admission: Admission;
  readonly routes: Routes;
  readonly limits: { readonly api: RateLimit; readonly auth: RateLimit };
  readonly maxBodyBytes: number;
};

/** The way of one request from `peer` (its connection: the address is asked for only where a rate is limited). A refusal may carry the CORS origin, so that the page can read it. */
export const createGate = ({ admission, routes, limits, maxBodyBytes }: GateDeps) => {
  const forward = (head: Head, peer: Peer, corsOrigin: string | null): Way | Denied => {
    const target = checkTarget(head.target);
    if (!target.ok) return deny(target.code, target.message);
    const unlocked = admission.unlock(head, { open: false, forwarded: true });
    if (!unlocked.ok) return unlocked;
    if (Number(head.inbound.contentLength ?? 0) > maxBodyBytes) return deny("too-large", `The body is larger than ${maxBodyBytes} bytes.`, "Raise server.maxBodyBytes to allow more.");
    return limited(limits.api(peer)) ?? { ok: true, to: "forward", corsOrigin };
  };

  const endpoint = (head: Head, peer: Peer, corsOrigin: string | null): Way | Denied => {
    const found = routes(head.method, pathOf(head.target));
    if ("missing" in found) return missing(head);
    if ("allow" in found) return { ...deny("method-not-allowed", `This path does not know ${head.method}.`), allow: found.allow };
    const unlocked = admission.unlock(head, { open: found.route.open, forwarded: false });
    if (!unlocked.ok) return unlocked;
    const tooOften = found.route.limited ? limited(limits.auth(peer)) : null;
    return tooOften ?? { ok: true, to: "endpoint", corsOrigin, route: found.route, param: found.param, access: unlocked.access };
  };

  return (head: Head, peer: Peer): Way | Denied => {
    const unspoken = unspokenHere(head);
    if (unspoken !== null) return unspoken;
    const screened = admission.screen(head);
    if (!screened.ok) return screened;
    const { corsOrigin } = screened;
    if (head.inbound.expect !== null && head.inbound.expect !== "100-continue") return deny("expectation-failed", "The only expectation met here is 100-continue.");
    if (corsOrigin !== null && head.method === "OPTIONS" && head.inbound.preflightMethod !== null) return { ok: true, to: "preflight", corsOrigin };
    return head.target.startsWith("/v1/") ? forward(head, peer, corsOrigin) : endpoint(head, peer, corsOrigin);
  };
};

// What would turn the connection into something else, or show its fields to whoever asks.
const unspokenHere = ({ method, inbound }: Head): Denied | null => {
  if (method === "TRACE") return traceDenied;
  if (method === "CONNECT") return tunnelDenied;
  return inbound.upgrade && inbound.asksUpgrade ? upgradeDenied : null;
};

const traceDenied: Denied = { ...deny("method-not-allowed", "TRACE is not served here."), allow: "GET, HEAD, POST" };
const tunnelDenied: Denied = {
  ...deny("method-not-allowed", "CONNECT is not served here: this is no forward proxy.", "Set ANTHROPIC_BASE_URL, not HTTPS_PROXY, to this address."),
  allow: "GET, HEAD, POST",
};
const upgradeDenied = deny("upgrade-refused", "Only HTTP/1.1 is spoken here; no upgrade.");

const limited = (seconds: number | null): Denied | null =>
  seconds === null ? null : { ...deny("rate-limited", "Too many requests: this proxy's own limit, not the plan's."), retryAfterSeconds: seconds };

// A target that is no path at all is told so.
const missing = (head: Head): Denied => {
  const target = checkTarget(head.target);
  return target.ok ? deny("not-found", "There is no such path here.") : deny(target.code, target.message);
};
