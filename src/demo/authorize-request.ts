// Reads the query of the authorize page as strictly as the real one: every fault is a sentence for the
// error page, never a redirect, because a redirect is only safe once the client has been checked.
import { clientId, isRegisteredRedirect, knownScopes } from "./registered-client.ts";

export type AuthorizeRequest = {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly state: string;
  readonly scopes: readonly string[];
};

export type AuthorizeCheck = { readonly ok: true; readonly request: AuthorizeRequest } | { readonly ok: false; readonly message: string };

/** RFC 7636 section 4.2: 32 bytes in base64url without padding. */
const challengeShape = /^[A-Za-z0-9_-]{43}$/;

const singles = ["client_id", "response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method", "state"] as const;

/** `baseUrl` decides which hosted redirect is registered. */
export const checkAuthorizeRequest = (query: URLSearchParams, baseUrl: string): AuthorizeCheck => {
  const value = (name: string): string => query.get(name) ?? "";
  const scopes = value("scope").split(" ").filter((scope) => scope !== "");
  const unknown = scopes.find((scope) => !knownScopes.has(scope));
  const faults: readonly (readonly [boolean, string])[] = [
    [singles.some((name) => query.getAll(name).length > 1), "A parameter is given twice"],
    [value("client_id") !== clientId, "Unknown client_id"],
    [!isRegisteredRedirect(value("redirect_uri"), baseUrl), "redirect_uri not supported by client"],
    [value("response_type") !== "code", "response_type must be code"],
    [scopes.length === 0, "Missing scope"],
    [unknown !== undefined, `Unknown scope: ${unknown ?? ""}`],
    [value("code_challenge_method") !== "S256", "code_challenge_method must be S256"],
    [!challengeShape.test(value("code_challenge")), "code_challenge must be 43 base64url characters"],
    [value("state") === "", "Missing state parameter"],
  ];
  const fault = faults.find(([wrong]) => wrong);
  if (fault !== undefined) return { ok: false, message: fault[1] };
  return {
    ok: true,
    request: { clientId, redirectUri: value("redirect_uri"), challenge: value("code_challenge"), state: value("state"), scopes },
  };
};
