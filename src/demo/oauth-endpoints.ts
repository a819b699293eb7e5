// The authorization server's endpoints for programs: token, revocation, and the two that need an OAuth bearer.
// It deviates from RFC 6749 exactly where the real one does: JSON bodies, and `state` is required with a code.
import { createHash } from "node:crypto";
import { parseJsonObject } from "../lib/json.ts";
import { sameText } from "../lib/secret.ts";
import { errorReply, headerOf, jsonReply, type Reply, type SimulatedRequest } from "./reply.ts";
import { checkBearer } from "./request-check.ts";
import type { Consent, Issued, Tokens } from "./tokens.ts";
import { clientId } from "./users.ts";

const neededFields: Readonly<Record<string, readonly string[]>> = {
  authorization_code: ["client_id", "code", "redirect_uri", "code_verifier", "state"],
  refresh_token: ["client_id", "refresh_token"],
};

/** `POST /v1/oauth/token` */
export const tokenEndpoint = (tokens: Tokens, request: SimulatedRequest): Reply => {
  const fields = tokenFields(request);
  const type = fields?.["grant_type"];
  if (fields === null || type === undefined) return unparsable(request);
  const names = neededFields[type];
  if (names === undefined) return grantError(400, "unsupported_grant_type", "Unsupported grant_type");
  if (names.some((name) => (fields[name] ?? "") === "")) return unparsable(request);
  if (fields["client_id"] !== clientId) return grantError(401, "invalid_client", "Client not found");
  return type === "refresh_token" ? refresh(tokens, fields) : exchange(tokens, fields);
};

/** `authorization_code`, `refresh_token` or `other`: how a call is counted. */
export const grantTypeOf = (request: SimulatedRequest): "authorization_code" | "refresh_token" | "other" => {
  const type = tokenFields(request)?.["grant_type"];
  return type === "authorization_code" || type === "refresh_token" ? type : "other";
};

/** `POST /v1/oauth/token/revoke`: 200 even for an unknown token (RFC 7009 section 2.2). */
export const revokeEndpoint = (tokens: Tokens, request: SimulatedRequest): Reply => {
  const token = tokenFields(request)?.["token"];
  if (token === undefined) return unparsable(request);
  tokens.revoke(token);
  return jsonReply(200, {});
};

type Fields = Readonly<Record<string, string>>;

/** The body, JSON or form, as plain texts; null when the real endpoint could not parse it either. */
const tokenFields = (request: SimulatedRequest): Fields | null => {
  const type = (headerOf(request, "content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  const text = request.body.toString("utf8");
  if (type === "application/json") return fieldsOfJson(text);
  return type === "application/x-www-form-urlencoded" ? Object.fromEntries(new URLSearchParams(text)) : null;
};

const fieldsOfJson = (text: string): Fields | null => {
  const value = parseJsonObject(text);
  if (value === null) return null;
  const fields = Object.entries(value).filter(([, field]) => typeof field === "string" || typeof field === "number");
  return Object.assign(Object.create(null) as object, Object.fromEntries(fields.map(([name, field]) => [name, String(field)]))) as Fields;
};

const unparsable = ({ requestId }: SimulatedRequest): Reply => errorReply(requestId, { status: 400, type: "oauth_request_parse_error", message: "Invalid request format" });

/** RFC 6749 section 5.2: `error` is a text here. */
const grantError = (status: number, error: string, description: string): Reply => jsonReply(status, { error, error_description: description }, [["cache-control", "no-store"]]);

const exchange = (tokens: Tokens, fields: Fields): Reply => {
  const check = tokens.checkCode(fields["code"] ?? "");
  if (!check.ok) return grantError(400, "invalid_grant", "Invalid authorization code");
  return codeFault(fields, check.consent) ?? granted(check.issue());
};

const codeFault = (fields: Fields, consent: Consent): Reply | null => {
  if (fields["redirect_uri"] !== consent.redirectUri) return grantError(400, "invalid_grant", "redirect_uri does not match the authorization request");
  if (fields["state"] !== consent.state) return grantError(400, "invalid_grant", "Invalid state");
  if (!proves(fields["code_verifier"] ?? "", consent.challenge)) return grantError(400, "invalid_grant", "Invalid code_verifier");
  // Seen with setup tools that ask for a year: only a grant of `user:inference` alone may carry its own lifetime.
  const broad = consent.scopes.find((scope) => scope !== "user:inference");
  if (fields["expires_in"] === undefined || broad === undefined) return null;
  return grantError(400, "invalid_request", `Custom expires_in not allowed for scope '${broad}'`);
};

/** RFC 7636 section 4.1 */
const verifierShape = /^[A-Za-z0-9._~-]{43,128}$/;

const proves = (verifier: string, challenge: string): boolean =>
  verifierShape.test(verifier) && sameText(createHash("sha256").update(verifier).digest("base64url"), challenge);

const refresh = (tokens: Tokens, fields: Fields): Reply => {
  const wanted = (fields["scope"] ?? "").split(" ").filter((scope) => scope !== "");
  const issued = tokens.rotate(fields["refresh_token"] ?? "", fields["client_id"] ?? "", ({ scopes }) => wanted.every((scope) => scopes.includes(scope)));
  if (issued === null) return grantError(400, "invalid_grant", "Refresh token not found or invalid");
  return issued === "refused" ? grantError(400, "invalid_scope", "The requested scope exceeds the grant") : granted(issued);
};

const granted = ({ accessToken, refreshToken, expiresIn, grant }: Issued): Reply => {
  const { user, scopes } = grant;
  const value = {
    token_type: "Bearer",
    access_token: accessToken,
    expires_in: expiresIn,
    refresh_token: refreshToken,
    scope: scopes.join(" "),
    organization: { uuid: user.organization.uuid, name: user.organization.name },
    account: { uuid: user.uuid, email_address: user.email },
  };
  return jsonReply(200, value, [["cache-control", "no-store"]]);
};

/** `POST /api/oauth/claude_cli/create_api_key`: needs `org:create_api_key`; the key is shown once. */
export const createApiKey = (tokens: Tokens, request: SimulatedRequest): Reply => {
  const check = checkBearer(tokens, request, "org:create_api_key");
  return check.ok ? jsonReply(200, { raw_key: tokens.addKey(check.caller.user) }) : check.reply;
};

/** `GET /api/oauth/profile`: needs `user:profile`. Here the address is called `email`. */
export const profile = (tokens: Tokens, request: SimulatedRequest): Reply => {
  const check = checkBearer(tokens, request, "user:profile");
  if (!check.ok) return check.reply;
  const { uuid, name, email, organization } = check.caller.user;
  return jsonReply(200, {
    account: {
      uuid,
      full_name: name,
      display_name: name.split(" ")[0],
      email,
      has_claude_max: organization.type === "claude_max",
      has_claude_pro: organization.type === "claude_pro",
    },
    organization: {
      uuid: organization.uuid,
      name: organization.name,
      organization_type: organization.type,
      billing_type: "stripe_subscription",
      rate_limit_tier: organization.tier,
      seat_tier: null,
      subscription_status: "active",
    },
    application: { uuid: clientId, name: "Claude Code", slug: "claude-code" },
  });
};
