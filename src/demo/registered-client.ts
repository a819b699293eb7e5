// What the simulated authorization server knows of the one client that is registered with it.

export const clientId = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";

/** Every scope that public clients were seen to ask for; anything else is refused by the authorize page. */
export const knownScopes: ReadonlySet<string> = new Set([
  "org:create_api_key",
  "user:profile",
  "user:inference",
  "user:sessions:claude_code",
  "user:mcp_servers",
  "user:file_upload",
]);

/** Where the hosted page lives that shows the code for pasting. */
export const hostedCallbackPath = "/oauth/code/callback";

const loopbackCallback = /^http:\/\/localhost:([1-9]\d{0,4})\/callback$/;

/** True for the hosted page of this server and for `http://localhost:<port>/callback` (RFC 8252 section 7.3). */
export const isRegisteredRedirect = (redirectUri: string, baseUrl: string): boolean => {
  if (redirectUri === `${baseUrl}${hostedCallbackPath}`) return true;
  const port = loopbackCallback.exec(redirectUri)?.[1];
  return port !== undefined && Number(port) <= 65_535;
};
