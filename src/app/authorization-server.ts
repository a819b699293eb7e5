// The calls to the authorization server, with each account's own addresses instead of the configured ones.
import type { Account } from "../accounts/account.ts";
import type { Clock } from "../lib/clock.ts";
import type { TokenAnswer } from "../messages/tokens.ts";
import { createApiKeyMaker } from "../oauth/api-key.ts";
import type { CreateApiKey } from "../oauth/api-key.ts";
import type { OAuthSettings } from "../oauth/authorization-request.ts";
import type { PostDeps } from "../oauth/post.ts";
import { createTokenEndpoint } from "../oauth/token-endpoint.ts";
import type { RevokeAnswer, TokenEndpoint } from "../oauth/token-endpoint.ts";

export type AuthorizationServer = {
  readonly tokenEndpoint: TokenEndpoint;
  /** Never throws. */
  refresh(account: Account): Promise<TokenAnswer>;
  /** Gives back what an account holds; an API key cannot be given back by this program. Never throws. */
  revoke(account: Account): Promise<RevokeAnswer>;
  readonly createApiKey: CreateApiKey;
};

export type AuthorizationServerDeps = {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly version: string;
  readonly oauth: OAuthSettings;
};

const timeoutMs = 30_000;

export const createAuthorizationServer = ({ fetch, clock, version, oauth }: AuthorizationServerDeps): AuthorizationServer => {
  const post: PostDeps = { fetch, clock, timeoutMs, userAgent: `claude-oauth-proxy/${version}` };
  const tokenEndpoint = createTokenEndpoint(post);
  const addressOf = ({ endpoints }: Account): { tokenUrl: string; clientId: string } => ({
    tokenUrl: endpoints?.tokenUrl ?? oauth.tokenUrl,
    clientId: endpoints?.clientId ?? oauth.clientId,
  });
  return {
    tokenEndpoint,
    async refresh(account) {
      if (account.refreshToken === null) return { outcome: "refused", errorCode: "no-refresh-token", message: "There is no refresh token.", status: 0 };
      return tokenEndpoint.refresh({ ...addressOf(account), refreshToken: account.refreshToken });
    },
    async revoke(account) {
      if (account.kind === "api_key") return { ok: false, message: "An API key is not revoked here: delete it in the console if it is not needed any more." };
      const hint = account.refreshToken === null ? "access_token" : "refresh_token";
      return tokenEndpoint.revoke({ ...addressOf(account), token: account.refreshToken ?? account.accessToken, hint });
    },
    createApiKey: createApiKeyMaker(post),
  };
};
