// The token endpoint: code for tokens, refresh token for new tokens (RFC 6749 sections 4.1.3 and 6,
// with this server's deviations: JSON bodies, and `state` at the exchange, without which it answers 400
// `oauth_request_parse_error`). Every way a call can end is a value; nothing is retried here.
import type { ErrorBody } from "../lib/error-body.ts";
import { readErrorBody } from "../lib/error-body.ts";
import { parseJsonObject } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import type { TokenAnswer } from "../messages/tokens.ts";
import type { Post, PostDeps, Posted } from "./post.ts";
import { createPost } from "./post.ts";
import { readGrant } from "./token-grant.ts";

export type ExchangeRequest = {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly code: Secret;
  readonly state: Secret;
  readonly verifier: Secret;
  /** Of the link that delivered the code, byte for byte. */
  readonly redirectUri: string;
};

export type RefreshRequest = { readonly tokenUrl: string; readonly clientId: string; readonly refreshToken: Secret };

export type TokenEndpoint = {
  exchange(request: ExchangeRequest): Promise<TokenAnswer>;
  refresh(request: RefreshRequest): Promise<TokenAnswer>;
};

/** The beta that the server's own SDK sends with this grant. */
const oauthBeta = "oauth-2025-04-20";

/** `timeoutMs` covers one call, body included (30 s in Anthropic's own clients). Neither method throws. */
export const createTokenEndpoint = (deps: PostDeps): TokenEndpoint => {
  const post = createPost(deps);
  const call = (request: Call): Promise<TokenAnswer> => ask(post, request, () => deps.clock.now());
  return {
    exchange: ({ tokenUrl, clientId, code, state, verifier, redirectUri }) =>
      call({
        url: tokenUrl,
        headers: {},
        fields: { grant_type: "authorization_code", code: code.reveal(), redirect_uri: redirectUri, client_id: clientId, code_verifier: verifier.reveal(), state: state.reveal() },
        secrets: [code, verifier, state],
      }),
    refresh: ({ tokenUrl, clientId, refreshToken }) =>
      call({
        url: tokenUrl,
        headers: { "anthropic-beta": oauthBeta },
        fields: { grant_type: "refresh_token", refresh_token: refreshToken.reveal(), client_id: clientId },
        secrets: [refreshToken],
      }),
  };
};

type Call = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
};

const ask = async (post: Post, { url, headers, fields, secrets }: Call, now: () => number): Promise<TokenAnswer> => {
  const body = JSON.stringify(fields);
  const posted = await post({ url, headers: { "content-type": "application/json", ...headers }, body });
  if (posted.sent === "no") return later(posted.code, posted.message);
  if (posted.sent === "maybe") return { outcome: "unknown", errorCode: posted.code, message: posted.message };
  return posted.status === 200 ? granted(posted, now()) : notGranted(posted, readErrorBody(posted.text, { sent: secrets, longest: 2000 }));
};

type Answered = Extract<Posted, { sent: "answered" }>;

// A 200 that cannot be read may have spent the token. A page in place of JSON (a captive portal, a
// challenge) never came from the endpoint at all.
const granted = (answer: Answered, now: number): TokenAnswer => {
  const body = parseJsonObject(answer.text ?? "");
  const grant = body === null ? null : readGrant(body, now);
  if (grant !== null) return { outcome: "granted", grant };
  if (body === null && answer.text !== null && !answer.contentType.includes("json")) return laterBy(answer, `http-${answer.status}`, bare(answer));
  return { outcome: "unknown", errorCode: "unreadable-answer", message: `The token endpoint answered 200 without a usable token${named(answer)}.` };
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

const laterBy = (answer: Answered, errorCode: string, message: string): TokenAnswer => ({
  ...later(errorCode, message),
  status: answer.status,
  retryAfterMs: answer.retryAfterMs,
});

const bare = (answer: Answered): string =>
  `The token endpoint answered ${answer.status}${answer.contentType === "" ? "" : ` with ${answer.contentType}`}${named(answer)}.`;

const named = ({ requestId }: Answered): string => (requestId === null ? "" : `, request ${requestId}`);

type Later = Extract<TokenAnswer, { outcome: "later" }>;

const later = (errorCode: string, message: string): Later => ({ outcome: "later", errorCode, message, status: null, retryAfterMs: null });
