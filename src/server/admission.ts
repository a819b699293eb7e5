// Who may come in and where a request goes, decided on the head alone, before a byte of the body is read. In this
// order: is it one well-formed request, does it come from where one may call, does its path exist, does it carry
// the key, is it small and rare enough. Pure; runs for every request.
import type { Access } from "../api/call.ts";
import type { Secret } from "../lib/secret.ts";
import { checkTarget } from "../proxy/target.ts";
import { createHostCheck } from "./host-names.ts";
import { createKeyCheck } from "./key-check.ts";
import { createOriginCheck, isPreflight } from "./origin.ts";
import type { OriginResult } from "./origin.ts";
import type { Peer, RateLimit } from "./rate-limit.ts";
import { pathOf } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import { refusal } from "./respond.ts";
import type { Refusal } from "./respond.ts";
import type { Route, Routes } from "./routes.ts";
import type { Sessions } from "./session-cookie.ts";

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
  readonly limits: { readonly api: RateLimit; readonly auth: RateLimit };
  readonly maxBodyBytes: number;
};

export const createAdmission = ({ checks, routes, limits, maxBodyBytes }: AdmissionDeps): Admission => {
  const forward = (info: RequestInfo, peer: Peer, corsOrigin: string | null): Admitted | Refusal => {
    const target = checkTarget(info.target);
    if (!target.ok) return refusal(target.code, target.message);
    const unlocked = checks.unlock(info, { open: false, forwarded: true });
    if (!unlocked.ok) return unlocked;
    if (Number(info.fields.contentLength ?? 0) > maxBodyBytes) return refusal("too-large", `The body is larger than ${maxBodyBytes} bytes.`, "Raise server.maxBodyBytes to allow more.");
    return limited(limits.api(peer)) ?? { ok: true, to: "forward", corsOrigin };
  };

  const endpoint = (info: RequestInfo, peer: Peer, corsOrigin: string | null): Admitted | Refusal => {
    const found = routes(info.method, pathOf(info.target));
    if ("missing" in found) return missing(info);
    if ("allow" in found) return { ...refusal("method-not-allowed", `This path does not know ${info.method}.`), allow: found.allow };
    const unlocked = checks.unlock(info, { open: found.route.open, forwarded: false });
    if (!unlocked.ok) return unlocked;
    const tooOften = found.route.limited ? limited(limits.auth(peer)) : null;
    return tooOften ?? { ok: true, to: "endpoint", corsOrigin, route: found.route, param: found.param, access: unlocked.access };
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

// It would show its fields, the key among them, to whoever asks.
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

export type Unlocked = { readonly ok: true; readonly access: Access } | Refusal;

export type CheckSettings = {
  readonly mode: "oauth" | "pass-through";
  /** Null: no request needs a key. */
  readonly key: Secret | null;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly sessions: Pick<Sessions, "find" | "csrfFits">;
};

export type Checks = {
  /** One well-formed request, to a name of ours, from no foreign page (DNS rebinding, cross-site requests). */
  screen(info: RequestInfo): OriginResult;
  /** The key. An open route lets everyone in, but knows the key when it is shown. */
  unlock(info: RequestInfo, route: { readonly open: boolean; readonly forwarded: boolean }): Unlocked;
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
    unlock(info, route) {
      const access = accessOf(info, route.forwarded);
      if (access === "forged") return refusal("foreign-origin", "The x-csrf-token header is missing or wrong.", "Load /auth/device again and enter the key.");
      if (access !== "none" || route.open) return { ok: true, access };
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

const createAccessCheck = ({ key, mode, sessions }: CheckSettings) => {
  const check = key === null ? null : createKeyCheck(key);
  return (info: RequestInfo, forwarded: boolean): Access | "forged" => {
    if (check === null) return "key";
    const { fields } = info;
    // In pass-through mode the credentials of a forwarded request are the client's own and go upstream:
    // the local key must not be among them.
    const shown = mode === "pass-through" ? check.inOwnHeader(fields) || (!forwarded && check.inCredentials(fields)) : check.inCredentials(fields);
    return shown ? "key" : sessionAccess(info, sessions);
  };
};

// A browser sends a cookie by itself: alone it opens only what merely reads, with our own page's token everything.
const sessionAccess = ({ method, fields }: RequestInfo, sessions: CheckSettings["sessions"]): Access | "forged" => {
  const session = fields.cookie === null ? null : sessions.find(fields.cookie);
  if (session === null) return "none";
  if (method === "GET" || method === "HEAD") return "session";
  return sessions.csrfFits(session, fields.csrf) ? "session" : "forged";
};
