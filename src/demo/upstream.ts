// The simulated Anthropic on a real loopback socket: authorize page, token endpoint, Messages API. It is
// the upstream of `demo`, of the tests and of the benchmarks, and as strict as the real one; it never
// talks to anybody by itself except through `approve` and `deny`, which play the person's browser.
import type { Clock } from "../lib/clock.ts";
import { bracketed } from "../lib/host.ts";
import type { Random } from "../lib/random.ts";
import { secret, type Secret } from "../lib/secret.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import { createBrowser, type Visit } from "./browser.ts";
import type { Rule } from "./fault.ts";
import { createJournal, type SeenRequest } from "./journal.ts";
import { createLedger, type Issued } from "./ledger.ts";
import { createLimits } from "./limits.ts";
import { listen, type Listener } from "./listener.ts";
import { findPerson } from "./people.ts";
import { clientId, hostedCallbackPath } from "./registered-client.ts";
import { createRoute, paths } from "./route.ts";
import { createScript, type RuleHandle } from "./script.ts";
import { serve } from "./serve.ts";
import { createWatch } from "./watch.ts";

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

export type TokenCalls = { readonly authorization_code: number; readonly refresh_token: number; readonly other: number };

export type IssueWish = { readonly accessTokenSeconds?: number; readonly scopes?: readonly string[]; readonly account?: string };

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
  issueTokens(wish?: IssueWish): TokenGrant;
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

const defaultScopes = ["org:create_api_key", "user:profile", "user:inference"];

const grantOf = ({ accessToken, refreshToken, expiresIn, chain }: Issued, now: number): TokenGrant => ({
  accessToken: secret(accessToken),
  refreshToken: secret(refreshToken),
  expiresAt: now + expiresIn * 1000,
  scopes: chain.scopes,
  organization: { uuid: chain.person.organization.uuid, name: chain.person.organization.name },
  account: { uuid: chain.person.uuid, emailAddress: chain.person.email },
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

const createParts = (options: ReturnType<typeof withDefaults>, baseUrl: () => string) => {
  const watch = createWatch();
  const ledger = createLedger(options);
  const limits = createLimits(options.clock);
  const journal = createJournal(options.keepRequests, watch.changed);
  const route = createRoute({ ledger, limits, random: options.random, baseUrl });
  return { watch, ledger, limits, journal, route, script: createScript() };
};

/** Listens and serves until `close`. Throws `AppError` `port-taken`. */
export const createUpstream = async (given: UpstreamOptions): Promise<Upstream> => {
  const options = withDefaults(given);
  const calls = { authorization_code: 0, refresh_token: 0, other: 0 };
  let listener: Listener | null = null;
  const baseUrl = (): string => `${options.tls === null ? "http" : "https"}://${bracketed(options.host)}:${listener?.port ?? 0}`;
  const parts = createParts(options, baseUrl);
  const deps = {
    ...parts,
    ...options,
    pace: { chunkDelayMs: options.chunkDelayMs, fast: options.fast },
    connectionOf: (request: Parameters<Listener["numberOf"]>[0]) => listener?.numberOf(request) ?? 0,
    onTokenCall: (grant: keyof TokenCalls) => {
      calls[grant] += 1;
      parts.watch.changed();
    },
  };
  const bound = await listen(options, (request, response) => void serve(deps, request, response), parts.watch.changed);
  listener = bound;
  return face(parts, { options, bound, baseUrl: baseUrl(), calls });
};

type Parts = ReturnType<typeof createParts>;
type Bound = { readonly options: ReturnType<typeof withDefaults>; readonly bound: Listener; readonly baseUrl: string; readonly calls: TokenCalls };

const face = ({ watch, ledger, journal, script }: Parts, { options, bound, baseUrl, calls }: Bound): Upstream => {
  const browser = createBrowser({ baseUrl, ca: options.tls?.cert ?? null });
  const upstream: Upstream = {
    baseUrl,
    requests: journal.requests,
    requestsTotal: journal.total,
    tokenCalls: () => ({ ...calls }),
    openStreams: () => [...journal.open()].filter(({ streaming }) => streaming).length,
    openRequests: () => journal.open().size,
    connectionsAccepted: bound.accepted,
    openConnections: bound.open,
    waitFor: (predicate, deadlineMs = 5000) => watch.waitFor(() => predicate(upstream), deadlineMs, predicate.toString()),
    script: script.add,
    clearScript: script.clear,
    issueTokens({ accessTokenSeconds, scopes = defaultScopes, account } = {}) {
      return grantOf(ledger.issueFor({ person: findPerson(account), clientId, scopes }, accessTokenSeconds), options.clock.now());
    },
    issueApiKey: (account) => secret(ledger.addKey(findPerson(account))),
    expireAccessTokens: ledger.expireAccess,
    revokeAll: ledger.revokeAll,
    approve: (authorizeUrl, visit) => browser.decide(authorizeUrl, "authorize", visit),
    deny: (authorizeUrl, visit) => browser.decide(authorizeUrl, "deny", visit),
    settings: () => settingsOf(baseUrl),
    close: bound.close,
  };
  return upstream;
};
