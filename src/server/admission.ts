// Who may come in and where a request goes, decided on the head alone, before a byte of the body is read. In this
// order: is it one well-formed request, does it come from where one may call, does its path exist, does it carry
// the key, is it small and rare enough. Pure; runs for every request.
import type { Access } from "../api/call.ts";
import { checkTarget } from "../proxy/target.ts";
import type { Checks } from "./checks.ts";
import { isPreflight } from "./origin.ts";
import { addressOf } from "./rate-limit.ts";
import type { Peer, RateLimit } from "./rate-limit.ts";
import { pathOf } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import { refusal } from "./respond.ts";
import type { Refusal } from "./respond.ts";
import type { Route, Routes } from "./routes.ts";

/** Where an admitted request goes. `corsOrigin` is the configured foreign origin that asks, null for every other request. */
export type Admitted =
  | { readonly ok: true; readonly to: "forward"; readonly corsOrigin: string | null }
  | { readonly ok: true; readonly to: "endpoint"; readonly corsOrigin: string | null; readonly route: Route; readonly param: string; readonly access: Access }
  | { readonly ok: true; readonly to: "preflight"; readonly corsOrigin: string };

/** `peer` is the client's connection. */
export type Admission = (info: RequestInfo, peer: Peer) => Admitted | Refusal;

export type AdmissionDeps = {
  readonly checks: Checks;
  readonly routes: Routes;
  readonly limits: { readonly api: RateLimit | null; readonly auth: RateLimit | null };
  readonly maxBodyBytes: number;
};

export const createAdmission = ({ checks, routes, limits, maxBodyBytes }: AdmissionDeps): Admission => {
  const forward = (info: RequestInfo, peer: Peer, corsOrigin: string | null): Admitted | Refusal => {
    const target = checkTarget(info.target);
    if (!target.ok) return refusal(target.code, target.message);
    const unlocked = checks.unlock(info, "forwarding");
    if (!unlocked.ok) return unlocked;
    if (Number(info.fields.contentLength ?? 0) > maxBodyBytes) return refusal("too-large", `The body is larger than ${maxBodyBytes} bytes.`, "Raise server.maxBodyBytes to allow more.");
    return (limits.api === null ? null : limited(limits.api(addressOf(peer)))) ?? { ok: true, to: "forward", corsOrigin };
  };

  const endpoint = (info: RequestInfo, peer: Peer, corsOrigin: string | null): Admitted | Refusal => {
    const found = routes(info.method, pathOf(info.target));
    if ("missing" in found) return missing(info);
    if ("allow" in found) return { ...refusal("method-not-allowed", `This path does not know ${info.method}.`), allow: found.allow };
    const unlocked = checks.unlock(info, found.route.needs);
    // Who proves the key has a count of its own: callers without it cannot lock the owner out, and their tries count too.
    const caller = unlocked.ok && unlocked.access !== "none" ? unlocked.access : addressOf(peer);
    const tooOften = found.route.limited === true && limits.auth !== null ? limited(limits.auth(caller)) : null;
    if (tooOften !== null) return tooOften;
    if (!unlocked.ok) return unlocked;
    return { ok: true, to: "endpoint", corsOrigin, route: found.route, param: found.param, access: unlocked.access };
  };

  return (info, peer) => {
    if (info.method === "TRACE") return traceRefusal;
    const screened = checks.screen(info);
    if (!screened.ok) return screened;
    const { corsOrigin } = screened;
    if (!meetsExpectation(info)) return refusal("expectation-failed", "The only expectation met here is 100-continue.");
    if (corsOrigin !== null && isPreflight(info)) return { ok: true, to: "preflight", corsOrigin };
    return isForwarded(info) ? forward(info, peer, corsOrigin) : endpoint(info, peer, corsOrigin);
  };
};

/** True for the paths that are sent on. */
export const isForwarded = ({ target }: RequestInfo): boolean => target.startsWith("/v1/");

// Its answer would repeat the fields of the request, the key among them.
const traceRefusal: Refusal = { ...refusal("method-not-allowed", "TRACE is not served here."), allow: "GET, HEAD, POST" };

/** The answer to CONNECT, which node:http announces apart from requests. */
export const connectRefusal: Refusal = {
  ...refusal("method-not-allowed", "CONNECT is not served here: this is no forward proxy.", "Set ANTHROPIC_BASE_URL, not HTTPS_PROXY, to this address."),
  allow: "GET, HEAD, POST",
};

// RFC 9110 section 10.1.1.
const meetsExpectation = ({ fields: { expect, expectCount } }: RequestInfo): boolean => expect === null || (expect === "100-continue" && expectCount === 1);

const limited = (seconds: number | null): Refusal | null =>
  seconds === null ? null : { ...refusal("rate-limited", "Too many requests: this proxy's own limit, not the plan's."), retryAfterSeconds: seconds };

// A target that is no path at all is answered as such.
const missing = (info: RequestInfo): Refusal => {
  const target = checkTarget(info.target);
  return target.ok ? refusal("not-found", "There is no such path here.") : refusal(target.code, target.message);
};
