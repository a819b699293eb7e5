// The link a person opens to sign in (RFC 6749 section 4.1.1, RFC 7636 section 4.3). It carries the
// state and the challenge, never the verifier.
import type { Secret } from "../lib/secret.ts";

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

export type AuthorizeRequest = {
  readonly kind: LoginKind;
  readonly settings: OAuthSettings;
  /** Has to be repeated byte for byte at the exchange (RFC 6749 section 4.1.3). */
  readonly redirectUri: string;
  readonly state: Secret;
  readonly challenge: string;
};

/**
 * The full link. `code=true` makes the page show the code for pasting when the redirect is the hosted
 * one (behaviour of the public client, undocumented). A query that the configured page has is kept.
 */
export const authorizeUrl = ({ kind, settings, redirectUri, state, challenge }: AuthorizeRequest): string => {
  const url = new URL(authorizePage(kind, settings));
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

/** The page without a query of ours. */
export const authorizePage = (kind: LoginKind, settings: OAuthSettings): string =>
  kind === "console" ? settings.consoleAuthorizeUrl : settings.authorizeUrl;
