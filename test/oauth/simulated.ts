// The simulated Anthropic with a token endpoint client over real sockets.
import { createSystemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { createUpstream } from "../../src/demo/upstream.ts";
import type { OAuthSettings } from "../../src/oauth/authorization-request.ts";
import type { PostDeps } from "../../src/oauth/post.ts";

export const clientId = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";

export const postDeps: PostDeps = {
  fetch,
  clock: createSystemClock(),
  timeoutMs: 30_000,
  userAgent: "claude-oauth-proxy/0.0.0-test",
};

export const startUpstream = (): Promise<Upstream> => createUpstream({ clock: createSystemClock(), random: systemRandom });

export const settingsFor = (upstream: Upstream): OAuthSettings => {
  const told = upstream.settings();
  return {
    clientId,
    authorizeUrl: told["oauth.authorizeUrl"],
    consoleAuthorizeUrl: told["oauth.consoleAuthorizeUrl"],
    tokenUrl: told["oauth.tokenUrl"],
    redirectUri: told["oauth.redirectUri"],
    scopes: "org:create_api_key user:profile user:inference",
  };
};
