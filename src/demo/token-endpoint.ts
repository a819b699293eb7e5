// The token and revocation endpoints. Deviates from RFC 6749 exactly where the real one does: JSON
// bodies, and `state` is required with an authorization code.
import { createHash } from "node:crypto";
import { sameText } from "../lib/secret.ts";
import type { Consent, Issued, Ledger } from "./ledger.ts";
import { clientId } from "./registered-client.ts";
import { errorReply, grantError, jsonReply, type Arrived, type Reply } from "./reply.ts";
import { readTokenFields, type TokenFields } from "./token-request.ts";

const unparsable = (arrived: Arrived): Reply =>
  errorReply(arrived.requestId, { status: 400, type: "oauth_request_parse_error", message: "Invalid request format" });

const granted = ({ accessToken, refreshToken, expiresIn, chain }: Issued): Reply => {
  const { person } = chain;
  const value = {
    token_type: "Bearer",
    access_token: accessToken,
    expires_in: expiresIn,
    refresh_token: refreshToken,
    scope: chain.scopes.join(" "),
    organization: { uuid: person.organization.uuid, name: person.organization.name },
    account: { uuid: person.uuid, email_address: person.email },
  };
  return jsonReply(200, value, [["cache-control", "no-store"]]);
};

/** RFC 7636 section 4.1 */
const verifierShape = /^[A-Za-z0-9._~-]{43,128}$/;

const proves = (verifier: string, challenge: string): boolean =>
  verifierShape.test(verifier) && sameText(createHash("sha256").update(verifier).digest("base64url"), challenge);

const missing = (fields: TokenFields, names: readonly string[]): boolean => names.some((name) => (fields[name] ?? "") === "");

const codeFault = (fields: TokenFields, consent: Consent): Reply | null => {
  if (fields["redirect_uri"] !== consent.redirectUri) return grantError(400, "invalid_grant", "redirect_uri does not match the authorization request");
  if (fields["state"] !== consent.state) return grantError(400, "invalid_grant", "Invalid state");
  if (!proves(fields["code_verifier"] ?? "", consent.challenge)) return grantError(400, "invalid_grant", "Invalid code_verifier");
  // Seen with setup tools that ask for a year: only a grant of `user:inference` alone may carry its own lifetime.
  const broad = consent.scopes.find((scope) => scope !== "user:inference");
  if (fields["expires_in"] === undefined || broad === undefined) return null;
  return grantError(400, "invalid_request", `Custom expires_in not allowed for scope '${broad}'`);
};

const exchange = (ledger: Ledger, fields: TokenFields): Reply => {
  const check = ledger.checkCode(fields["code"] ?? "");
  if (!check.ok) return grantError(400, "invalid_grant", "Invalid authorization code");
  return codeFault(fields, check.consent) ?? granted(check.grant());
};

const refresh = (ledger: Ledger, fields: TokenFields): Reply => {
  const wished = (fields["scope"] ?? "").split(" ").filter((scope) => scope !== "");
  const issued = ledger.rotate(fields["refresh_token"] ?? "", fields["client_id"] ?? "", ({ scopes }) => wished.every((scope) => scopes.includes(scope)));
  if (issued === null) return grantError(400, "invalid_grant", "Refresh token not found or invalid");
  return issued === "refused" ? grantError(400, "invalid_scope", "The requested scope exceeds the grant") : granted(issued);
};

const needed: Readonly<Record<string, readonly string[]>> = {
  authorization_code: ["client_id", "code", "redirect_uri", "code_verifier", "state"],
  refresh_token: ["client_id", "refresh_token"],
};

/** `authorization_code`, `refresh_token` or `other`: how a call is counted. */
export const grantTypeOf = (arrived: Arrived): "authorization_code" | "refresh_token" | "other" => {
  const type = readTokenFields(arrived)?.["grant_type"];
  return type === "authorization_code" || type === "refresh_token" ? type : "other";
};

/** Answers `POST /v1/oauth/token`. */
export const tokenEndpoint = (ledger: Ledger, arrived: Arrived): Reply => {
  const fields = readTokenFields(arrived);
  const type = fields?.["grant_type"];
  if (fields === null || type === undefined) return unparsable(arrived);
  const names = needed[type];
  if (names === undefined) return grantError(400, "unsupported_grant_type", "Unsupported grant_type");
  if (missing(fields, names)) return unparsable(arrived);
  if (fields["client_id"] !== clientId) return grantError(401, "invalid_client", "Client not found");
  return type === "refresh_token" ? refresh(ledger, fields) : exchange(ledger, fields);
};

/** Answers `POST /v1/oauth/token/revoke`: 200 even for a token that nobody knows (RFC 7009 section 2.2). */
export const revokeEndpoint = (ledger: Ledger, arrived: Arrived): Reply => {
  const token = readTokenFields(arrived)?.["token"];
  if (token === undefined) return unparsable(arrived);
  ledger.revoke(token);
  return jsonReply(200, {});
};
