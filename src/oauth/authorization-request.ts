// One authorization request (RFC 6749 section 4.1.1, RFC 7636): the link that a person opens to sign in, and what has to be
// remembered until its code arrives. The link carries the state and the challenge, never the verifier.
import { createHash } from "node:crypto";
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { secret } from "../lib/secret.ts";
import { webAddress } from "../lib/web-address.ts";
import { AppError } from "../messages/errors.ts";

export type LoginKind = "max" | "console";

/** Where and as whom to sign in; the configuration's `oauth` section fits. */
export type OAuthSettings = {
  readonly clientId: string;
  /** The subscription's page. */
  readonly authorizeUrl: string;
  /** The page that leads to an API key. */
  readonly consoleAuthorizeUrl: string;
  readonly tokenUrl: string;
  /** Redirect of the link whose page shows `code#state`. */
  readonly redirectUri: string;
  /** Separated by blanks. */
  readonly scopes: string;
};

export type AuthorizationRequest = {
  readonly link: string;
  /** Has to be repeated byte for byte at the exchange (RFC 6749 section 4.1.3). */
  readonly redirectUri: string;
  /** Comes back with the code and tells which link was used (RFC 6749 section 10.12). */
  readonly state: Secret;
  /** Goes to the token endpoint and nowhere else. */
  readonly verifier: Secret;
};

export type AuthorizationOptions = { readonly kind: LoginKind; readonly settings: OAuthSettings; readonly redirectUri: string };

/** 64 bytes become 86 characters: inside the 43 to 128 of RFC 7636 section 4.1. */
const drawBytes = 64;

/** Verifier and state are two separate draws: only the state travels through the browser. Throws `AppError` `bad-config`. */
export const createAuthorizationRequest = (random: Random, options: AuthorizationOptions): AuthorizationRequest => {
  const verifier = secret(base64url(random(drawBytes)));
  const state = secret(base64url(random(drawBytes)));
  return { link: authorizeUrl(options, { state, challenge: challengeOf(verifier) }), redirectUri: options.redirectUri, state, verifier };
};

/** RFC 7636 section 4.2: `BASE64URL(SHA256(ASCII(verifier)))`, without padding. */
export const challengeOf = (verifier: Secret): string => base64url(createHash("sha256").update(verifier.reveal(), "ascii").digest());

// `code=true` makes the page show the code for pasting when the redirect is the hosted one (behaviour of the public client,
// undocumented). A query that the configured page has is kept.
const authorizeUrl = ({ kind, settings, redirectUri }: AuthorizationOptions, { state, challenge }: { readonly state: Secret; readonly challenge: string }): string => {
  const page = webAddress(kind === "console" ? settings.consoleAuthorizeUrl : settings.authorizeUrl);
  if (page === null) throw noPage();
  const url = new URL(page);
  const query: readonly (readonly [string, string])[] = [
    ["code", "true"],
    ["client_id", settings.clientId],
    ["response_type", "code"],
    ["redirect_uri", redirectUri],
    ["scope", settings.scopes],
    ["code_challenge", challenge],
    ["code_challenge_method", "S256"],
    ["state", state.reveal()],
  ];
  for (const [name, value] of query) url.searchParams.set(name, value);
  return url.href;
};

const noPage = (): AppError =>
  new AppError({ code: "bad-config", message: "The address of the sign-in page is no http: or https: address.", hint: "Correct oauth.authorizeUrl, or the account's own: claude-oauth-proxy accounts set ACCOUNT authorizeUrl URL." });
