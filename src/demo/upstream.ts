// The simulated Anthropic on a real loopback socket: authorize page, token endpoint, Messages API. It is the
// upstream of `demo`, of the tests and of the benchmarks, and as strict as the real one. It opens no connection by
// itself, except through `approve` and `deny`, which play the person's browser.
import type { Clock } from "../lib/clock.ts";
import { bracketed } from "../lib/host.ts";
import type { Random } from "../lib/random.ts";
import { secret, type Secret } from "../lib/secret.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import { createBrowser, type Visit } from "./browser.ts";
import { createScript, type Rule, type RuleHandle } from "./faults.ts";
import { createJournal, type SeenRequest, type TokenCalls } from "./journal.ts";
import { listen, type Listener } from "./listener.ts";
import { createLimits } from "./messages.ts";
import { createRoutes, paths } from "./routes.ts";
import { serve, type ServeDeps } from "./serve.ts";
import { createTokens, type Issued } from "./tokens.ts";
import { clientId, findUser, hostedCallbackPath } from "./users.ts";

export type UpstreamOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** 0 takes any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Lifetime of access tokens, 28,800 as the real one. */
  readonly accessTokenSeconds?: number;
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /** For benchmarks: streams in one write, no digest of bodies. */
  readonly fast?: boolean;
  /** Pause between two events of a stream, by `clock`; 0 (default) only lets other work run in between. */
  readonly chunkDelayMs?: number;
  /** Larger bodies get 413; 32 MB as the real one. */
  readonly maxBodyBytes?: number;
  /** How much of each body `requests` keeps (262,144; 0 when fast), and how many requests (5000; 100 when fast). */
  readonly keepBodyBytes?: number;
  readonly keepRequests?: number;
  /** Idle connections are closed after this long (65,000). */
  readonly keepAliveMs?: number;
};

export type IssueOptions = { readonly accessTokenSeconds?: number; readonly scopes?: readonly string[]; readonly account?: string };

export type Upstream = {
  readonly baseUrl: string;
  /** Every request in the order of arrival, as far as it was kept; the objects are live. */
  readonly requests: readonly SeenRequest[];
  /** Requests since the start, whether kept or not. */
  requestsTotal(): number;
  tokenCalls(): TokenCalls;
  /** Event streams that have begun and not ended. */
  openStreams(): number;
  /** Requests that have come and whose answer has not ended. */
  openRequests(): number;
  connectionsAccepted(): number;
  openConnections(): number;
  /** Looks at `predicate` after every change; rejects after `deadlineMs` of real time. */
  waitFor(predicate: (upstream: Upstream) => boolean, deadlineMs?: number): Promise<void>;
  script(rule: Rule): RuleHandle;
  clearScript(): void;
  /** A grant as a finished sign-in would have given it. */
  issueTokens(options?: IssueOptions): TokenGrant;
  issueApiKey(account?: string): Secret;
  expireAccessTokens(): void;
  revokeAll(): void;
  /**
   * Does by HTTP what a person does in a browser. Gives `code#state` for the hosted redirect, the text of
   * the callback's page for a loopback one. Throws `AppError` `login-failed` with the page's sentence when
   * the authorize page refuses.
   */
  approve(authorizeUrl: string, visit?: Visit): Promise<string>;
  deny(authorizeUrl: string, visit?: Visit): Promise<string>;
  /** The settings that point the program here. */
  settings(): Readonly<Record<"oauth.authorizeUrl" | "oauth.consoleAuthorizeUrl" | "oauth.tokenUrl" | "oauth.redirectUri" | "upstream.baseUrl", string>>;
  close(): Promise<void>;
};

/** Listens and serves until `close`. Throws `AppError` `port-taken`. */
export const createUpstream = async (given: UpstreamOptions): Promise<Upstream> => {
  const options = withDefaults(given);
  const { clock, random } = options;
  const journal = createJournal(options.keepRequests);
  const tokens = createTokens(options);
  const limits = createLimits(clock);
  const script = createScript();
  let listener: Listener | null = null;
  const address = (): string => `${options.tls === null ? "http" : "https"}://${bracketed(options.host)}:${listener?.port ?? 0}`;
  const routes = createRoutes({ tokens, limits, random, baseUrl: address });
  const pace = { chunkDelayMs: options.chunkDelayMs, fast: options.fast };
  const deps: ServeDeps = { ...options, journal, tokens, limits, script, routes, pace, connectionOf: (message) => listener?.numberOf(message) ?? 0 };
  const bound = await listen(options, (message, response) => void serve(deps, message, response), journal.changed);
  listener = bound;
  const baseUrl = address();
  const browser = createBrowser({ baseUrl, ca: options.tls?.cert ?? null });
  const upstream: Upstream = {
    baseUrl,
    requests: journal.requests,
    requestsTotal: journal.total,
    tokenCalls: journal.tokenCalls,
    openStreams: () => [...journal.open()].filter(({ streaming }) => streaming).length,
    openRequests: () => journal.open().size,
    connectionsAccepted: bound.accepted,
    openConnections: bound.open,
    waitFor: (predicate, deadlineMs = 5000) => journal.waitFor(() => predicate(upstream), deadlineMs, predicate.toString()),
    script: script.add,
    clearScript: script.clear,
    issueTokens({ accessTokenSeconds, scopes = defaultScopes, account } = {}) {
      return grantOf(tokens.issueFor({ user: findUser(account), clientId, scopes }, accessTokenSeconds), clock.now());
    },
    issueApiKey: (account) => secret(tokens.addKey(findUser(account))),
    expireAccessTokens: tokens.expireAccess,
    revokeAll: tokens.revokeAll,
    approve: (authorizeUrl, visit) => browser.decide(authorizeUrl, "authorize", visit),
    deny: (authorizeUrl, visit) => browser.decide(authorizeUrl, "deny", visit),
    settings: () => settingsOf(baseUrl),
    close: bound.close,
  };
  return upstream;
};

const defaultScopes = ["org:create_api_key", "user:profile", "user:inference"];

const grantOf = ({ accessToken, refreshToken, expiresIn, grant: { user, scopes } }: Issued, now: number): TokenGrant => ({
  accessToken: secret(accessToken),
  refreshToken: secret(refreshToken),
  expiresAt: now + expiresIn * 1000,
  scopes,
  organization: { uuid: user.organization.uuid, name: user.organization.name },
  account: { uuid: user.uuid, emailAddress: user.email },
});

const settingsOf = (baseUrl: string) => ({
  "oauth.authorizeUrl": baseUrl + paths.authorize,
  "oauth.consoleAuthorizeUrl": baseUrl + paths.consoleAuthorize,
  "oauth.tokenUrl": baseUrl + paths.token,
  "oauth.redirectUri": baseUrl + hostedCallbackPath,
  "upstream.baseUrl": baseUrl,
});

const withDefaults = (options: UpstreamOptions) => ({
  port: 0,
  host: "127.0.0.1",
  accessTokenSeconds: 28_800,
  fast: false,
  chunkDelayMs: 0,
  maxBodyBytes: 32 * 1024 * 1024,
  keepBodyBytes: options.fast === true ? 0 : 262_144,
  keepRequests: options.fast === true ? 100 : 5000,
  keepAliveMs: 65_000,
  ...options,
  tls: options.tls ?? null,
});
