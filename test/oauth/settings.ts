// OAuth settings for tests: the shape of the real ones, on names that lead nowhere.
import type { OAuthSettings } from "../../src/oauth/authorization-request.ts";

export const settings: OAuthSettings = {
  clientId: "client-1",
  authorizeUrl: "https://page.example/oauth/authorize",
  consoleAuthorizeUrl: "https://console.example/oauth/authorize",
  tokenUrl: "https://token.example/v1/oauth/token",
  redirectUri: "https://page.example/oauth/code/callback",
  scopes: "user:profile user:inference",
};
