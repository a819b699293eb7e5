// The token endpoint: code for tokens, refresh token for new tokens (RFC 6749 sections 4.1.3 and 6), and revocation one step
// below it (RFC 7009). This server deviates: JSON bodies, and `state` at the exchange, without which it answers 400
// `oauth_request_parse_error`. Every way a call can end is a value; nothing is retried here.
import type { ErrorBody } from "../lib/error-body.ts";
import { readErrorBody } from "../lib/error-body.ts";
import { isObject, parseJsonObject } from "../lib/json.ts";
import type { JsonObject } from "../lib/json.ts";
import { secret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Organization, Person, TokenAnswer, TokenGrant } from "../messages/tokens.ts";
import type { Answered, Post, PostDeps } from "./post.ts";
import { createPost, longestSentence } from "./post.ts";

export type ExchangeRequest = {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly code: Secret;
  readonly state: Secret;
  readonly verifier: Secret;
  /** Of the link that delivered the code, byte for byte. */
  readonly redirectUri: string;
};

/** `accessToken` is not sent; the server knows it all the same, and may quote it. */
export type RefreshRequest = { readonly tokenUrl: string; readonly clientId: string; readonly refreshToken: Secret; readonly accessToken?: Secret };

export type RevokeRequest = { readonly tokenUrl: string; readonly clientId: string; readonly token: Secret; readonly hint: "access_token" | "refresh_token" };

export type RevokeAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** No method throws. */
export type TokenEndpoint = {
  exchange(request: ExchangeRequest): Promise<TokenAnswer>;
  refresh(request: RefreshRequest): Promise<TokenAnswer>;
  /** RFC 7009 section 2.2: `ok` also for a token the server does not know. */
  revoke(request: RevokeRequest): Promise<RevokeAnswer>;
};

/** The beta that the server's own SDK sends with this grant. */
const oauthBeta = "oauth-2025-04-20";

export const createTokenEndpoint = (deps: PostDeps): TokenEndpoint => {
  const post = createPost(deps);
  const call = (request: Call): Promise<TokenAnswer> => ask(post, request, deps.clock.now);
  return {
    exchange: ({ tokenUrl, clientId, code, state, verifier, redirectUri }) =>
      call({
        url: tokenUrl,
        headers: {},
        fields: { grant_type: "authorization_code", code: code.reveal(), redirect_uri: redirectUri, client_id: clientId, code_verifier: verifier.reveal(), state: state.reveal() },
        secrets: [code, verifier, state],
      }),
    refresh: ({ tokenUrl, clientId, refreshToken, accessToken }) =>
      call({
        url: tokenUrl,
        headers: { "anthropic-beta": oauthBeta },
        fields: { grant_type: "refresh_token", refresh_token: refreshToken.reveal(), client_id: clientId },
        secrets: accessToken === undefined ? [refreshToken] : [refreshToken, accessToken],
      }),
    async revoke({ tokenUrl, clientId, token, hint }) {
      const body = new URLSearchParams({ token: token.reveal(), token_type_hint: hint, client_id: clientId }).toString();
      const posted = await post({ url: `${tokenUrl.replace(/(?<!\/)\/+$/, "")}/revoke`, headers: { "content-type": "application/x-www-form-urlencoded" }, body });
      if (posted.sent !== "answered") return { ok: false, message: posted.message };
      if (posted.status === 200) return { ok: true };
      const { message, type } = readErrorBody(posted.text, { sent: [token], longest: longestSentence });
      return { ok: false, message: message ?? type ?? `The server answered ${posted.status} to the revocation.` };
    },
  };
};

type Call = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
};

const ask = async (post: Post, { url, headers, fields, secrets }: Call, now: () => number): Promise<TokenAnswer> => {
  const posted = await post({ url, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(fields) });
  if (posted.sent === "no") return later(posted.code, posted.message);
  if (posted.sent === "maybe") return { outcome: "unknown", errorCode: posted.code, message: posted.message };
  return posted.status === 200 ? granted(posted, now()) : notGranted(posted, readErrorBody(posted.text, { sent: secrets, longest: longestSentence }));
};

// A 200 that cannot be read may have spent the token. A page in place of JSON (a captive portal, a
// challenge) never came from the endpoint at all.
const granted = (answer: Answered, now: number): TokenAnswer => {
  const body = parseJsonObject(answer.text ?? "");
  const grant = body === null ? null : readGrant(body, now);
  if (grant !== null) return { outcome: "granted", grant };
  if (body === null && answer.text !== null && !answer.contentType.includes("json")) return laterBy(answer, `http-${answer.status}`, bare(answer));
  return { outcome: "unknown", errorCode: "unreadable-answer", message: `The token endpoint answered 200 without a usable token${requestOf(answer)}.` };
};

/** What counts when `expires_in` is missing or makes no sense: short enough to be refreshed soon, long enough not to be a storm. */
const defaultLifetimeSeconds = 3600;

/** Anthropic's longest published token lives one year. */
const longestLifetimeSeconds = 366 * 24 * 3600;

/**
 * Null when there is no usable bearer token in it (RFC 6749 section 5.1). Unknown members are ignored. `now` is wall
 * milliseconds.
 */
const readGrant = (body: JsonObject, now: number): TokenGrant | null => {
  const accessToken = tokenIn(body["access_token"]);
  const type = body["token_type"];
  if (accessToken === null) return null;
  if (type !== undefined && (typeof type !== "string" || type.toLowerCase() !== "bearer")) return null;
  return {
    accessToken,
    refreshToken: tokenIn(body["refresh_token"]),
    expiresAt: now + lifetimeSeconds(body["expires_in"]) * 1000,
    scopes: scopesIn(body["scope"]),
    organization: organizationIn(body["organization"]),
    account: personIn(body["account"]),
  };
};

// A token goes into a header: visible ASCII without blanks (RFC 6749 appendix A.12), of a bounded length.
const tokenIn = (value: unknown): Secret | null => (typeof value === "string" && /^[\u0021-\u007e]{1,16384}$/.test(value) ? secret(value) : null);

const lifetimeSeconds = (value: unknown): number =>
  typeof value === "number" && value >= 1 && value <= longestLifetimeSeconds ? value : defaultLifetimeSeconds;

const scopesIn = (value: unknown): readonly string[] | null => {
  if (typeof value !== "string") return null;
  const names = value.split(/\s+/).filter((name) => name !== "");
  return names.length === 0 ? null : names.slice(0, 50);
};

const organizationIn = (value: unknown): Organization | null =>
  isObject(value) && typeof value["uuid"] === "string"
    ? { uuid: value["uuid"].slice(0, 100), name: typeof value["name"] === "string" ? value["name"].slice(0, 300) : "" }
    : null;

const personIn = (value: unknown): Person | null => {
  if (!isObject(value) || typeof value["uuid"] !== "string") return null;
  const email = value["email_address"] ?? value["email"];
  return { uuid: value["uuid"].slice(0, 100), emailAddress: typeof email === "string" ? email.slice(0, 320) : null };
};

// RFC 6749 section 5.2 and 4.1.2.1. Everything else that is not 200 may pass by itself.
const finalCodes = new Set([
  "invalid_grant",
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_request",
  "invalid_target",
  "access_denied",
  "oauth_request_parse_error",
]);

const finalTypes = new Set(["invalid_request_error", "authentication_error"]);

// A 403 in the API's envelope is an address or a network that is not liked today (seen with VPNs), not
// the end of the credential; only the OAuth codes end one.
const isFinal = (status: number, { shape, type }: ErrorBody): boolean =>
  type !== null && (shape === "oauth" ? [400, 401, 403].includes(status) && finalCodes.has(type) : [400, 401].includes(status) && finalTypes.has(type));

const notGranted = (answer: Answered, error: ErrorBody): TokenAnswer => {
  const errorCode = error.type ?? `http-${answer.status}`;
  const message = error.message ?? error.type;
  if (isFinal(answer.status, error)) return { outcome: "refused", errorCode, message: message ?? errorCode, status: answer.status };
  return laterBy(answer, errorCode, message === null ? bare(answer) : `${message} (${answer.status})`);
};

const bare = (answer: Answered): string =>
  `The token endpoint answered ${answer.status}${answer.contentType === "" ? "" : ` with ${answer.contentType}`}${requestOf(answer)}.`;

const requestOf = ({ requestId }: Answered): string => (requestId === null ? "" : `, request ${requestId}`);

type Later = Extract<TokenAnswer, { outcome: "later" }>;

const later = (errorCode: string, message: string): Later => ({ outcome: "later", errorCode, message, status: null, retryAfterMs: null });

const laterBy = ({ status, retryAfterMs }: Answered, errorCode: string, message: string): Later => ({ ...later(errorCode, message), status, retryAfterMs });
