// Who is registered with the simulated Anthropic: a few invented users and the one OAuth client. None of them exists.

export type SimulatedUser = {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly uuid: string;
  readonly organization: { readonly uuid: string; readonly name: string; readonly type: string; readonly tier: string };
};

const user = (id: string, name: string, [type, tier]: readonly [string, string], digit: string): SimulatedUser => ({
  id,
  name,
  email: `${id}@example.com`,
  uuid: `${digit.repeat(8)}-0000-4000-8000-${digit.repeat(12)}`,
  organization: { uuid: `${digit.repeat(8)}-0000-4000-9000-${digit.repeat(12)}`, name: `${name}'s Organization`, type, tier },
});

/** The first one is signed in to the simulated browser. */
export const users: readonly [SimulatedUser, ...SimulatedUser[]] = [
  user("ada", "Ada Example", ["claude_max", "default_claude_max_20x"], "a"),
  user("grace", "Grace Example", ["claude_pro", "default_claude_ai"], "b"),
  user("alan", "Alan Example", ["claude_team", "default_claude_max_5x"], "c"),
];

/** Finds a user by id or e-mail address; the first one when there is no such user. */
export const findUser = (hint: string | null | undefined): SimulatedUser => users.find(({ id, email }) => id === hint || email === hint) ?? users[0];

export const clientId = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";

/** Every scope that public clients were seen to ask for; the authorize page refuses any other. */
export const knownScopes: ReadonlySet<string> = new Set([
  "org:create_api_key",
  "user:profile",
  "user:inference",
  "user:sessions:claude_code",
  "user:mcp_servers",
  "user:file_upload",
]);

/** The path of the hosted page that shows the code for pasting. */
export const hostedCallbackPath = "/oauth/code/callback";

const loopbackCallback = /^http:\/\/localhost:([1-9]\d{0,4})\/callback$/;

/** True for the hosted page of this server and for `http://localhost:<port>/callback` (RFC 8252 section 7.3). */
export const isRegisteredRedirect = (redirectUri: string, baseUrl: string): boolean => {
  if (redirectUri === `${baseUrl}${hostedCallbackPath}`) return true;
  const port = loopbackCallback.exec(redirectUri)?.[1];
  return port !== undefined && Number(port) <= 65_535;
};
