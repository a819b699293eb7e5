// The credential of a request: which account serves it, and which one after a 401 or when a server cannot be reached. Answers
// at once while a token is fresh; a request waits for a refresh only inside the mandatory window, and never longer than the
// token it already has would live.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { sameSecret } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { AccountKind, PickReason } from "../messages/events.ts";
import type { Account } from "./account.ts";
import type { AccountEntry } from "./account-state.ts";
import { canServe } from "./can-serve.ts";
import { chooseAccount } from "./choose-account.ts";
import type { Choice } from "./choose-account.ts";
import type { UpstreamResponse } from "./health.ts";
import { refreshNeed } from "./refresh-plan.ts";
import type { RefreshSettings } from "./refresh-plan.ts";
import type { Refresher } from "./refresher.ts";
import type { Registry, Reload } from "./registry.ts";

/** What is sent upstream for one attempt. */
export type Credential = {
  readonly accountId: string;
  readonly kind: AccountKind;
  readonly token: Secret;
  /** Null: the configured upstream. */
  readonly baseUrl: string | null;
  readonly reason: PickReason;
};

export type CredentialRefusal = {
  readonly ok: false;
  readonly code: "sign-in-needed";
  readonly message: string;
  readonly hint: string;
  /** When a refresh may bring a credential back; null: only a person can. */
  readonly retryAfterSeconds: number | null;
};

export type CredentialOutcome = { readonly ok: true; readonly credential: Credential } | CredentialRefusal;

export type CredentialRequest = {
  /** `x-claude-code-session-id`: a session stays on its account. */
  readonly sessionId: string | null;
  /** The account that the model map or `--account` asks for. */
  readonly accountId: string | null;
};

export type FailedConnection = {
  readonly sessionId: string | null;
  /** The code of the failure, such as `ECONNREFUSED`. */
  readonly reason: string;
  /** Every base URL that failed for this request, null for the configured upstream. */
  readonly unreachable: readonly (string | null)[];
};

export type Credentials = {
  /** Refuses only when no account can serve. A promise only inside the mandatory refresh window, or when the store is read first. */
  acquire(request: CredentialRequest): CredentialOutcome | Promise<CredentialOutcome>;
  /** After a 401 with `used`: a newer token if there is one, else one refresh. A refusal means: give the client the 401. */
  renew(used: Credential): Promise<CredentialOutcome>;
  /**
   * The server of `used` could not be reached and nothing was sent: a healthy account with another server, which
   * also lets the first one cool. Null when there is none, or when the account was asked for by name.
   */
  elsewhere(used: Credential, failed: FailedConnection): Promise<Credential | null> | null;
  /** What the upstream answered: health and limits follow from it. Header names are lower case. */
  observe(used: Credential, response: UpstreamResponse): void;
};

export type CredentialsDeps = {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly refresher: Pick<Refresher, "refresh" | "nextTryAt" | "lastFailure">;
  readonly reload: Reload;
  readonly settings: RefreshSettings & { readonly strategy: "round-robin" | "priority"; readonly sticky: boolean };
};

/** With a token that still lives, a request waits for its successor this long at most. */
const longestWaitMs = 10_000;

/** Before a request is refused the store is read, because another process may have signed in; not more often than this. */
const reloadGapMs = 1000;

/** A server that could not be reached is tried again after this long, by one request that another account then takes over. */
const unreachableMs = 30_000;

/** As long as after a refusal for billing reasons: nothing that a minute would change. */
const refusedMs = 300_000;

/** A token that a 401 has just brought is not refreshed for a second 401: then the 401 is not about the token. */
const noSecondRefreshMs = 60_000;

const none: ReadonlySet<string> = new Set();

export const createCredentials = (deps: CredentialsDeps): Credentials => {
  const { clock, registry, refresher, settings } = deps;
  const sessions = createSessions();
  /** Access tokens that a refresh after a 401 brought, by account. */
  const broughtBy401 = new Map<string, { readonly token: Secret; readonly at: number }>();
  let last: string | null = null;
  let reloadedAt = Number.NEGATIVE_INFINITY;

  const choose = ({ sessionId, accountId }: CredentialRequest, excluded: ReadonlySet<string>): Choice | null => {
    const session = settings.sticky ? sessionId : null;
    const candidates = registry.list().map((entry) => ({
      id: entry.account.id,
      health: entry.health,
      priority: entry.account.priority,
      usable: !excluded.has(entry.account.id) && entryServes(entry, deps),
      coolingUntil: entry.cooling?.until ?? null,
    }));
    const sticky = session === null ? null : sessions.accountOf(session);
    const choice = chooseAccount(candidates, { strategy: settings.strategy, named: accountId, sticky, last });
    if (choice === null || choice.reason === "named") return choice;
    if (session !== null) sessions.remember(session, choice.id);
    if (choice.reason === settings.strategy) last = choice.id;
    return choice;
  };

  /** Null when no account but those in `excluded` can serve. */
  const find = (request: CredentialRequest, excluded: ReadonlySet<string>): Credential | null | Promise<Credential | null> => {
    const choice = choose(request, excluded);
    const entry = choice === null ? null : registry.get(choice.id);
    if (choice === null || entry === null) return null;
    return mustWait(entry) ? findAfterRefresh(request, choice, excluded) : credentialOf(entry.account, choice.reason);
  };

  const findAfterRefresh = async (request: CredentialRequest, { id, reason }: Choice, excluded: ReadonlySet<string>): Promise<Credential | null> => {
    const remainingMs = registry.get(id)?.remainingMs ?? 0;
    const refreshed = refresher.refresh(id, "mandatory");
    await (remainingMs > 0 ? Promise.race([refreshed, sleep(clock, Math.min(longestWaitMs, remainingMs / 2))]) : refreshed);
    const entry = registry.get(id);
    const lives = entry !== null && (entry.remainingMs === null || entry.remainingMs > 0);
    return lives ? credentialOf(entry.account, reason) : find(request, new Set([...excluded, id]));
  };

  const mustWait = ({ account, remainingMs, renewable, isNew }: AccountEntry): boolean =>
    renewable && !isNew && refreshNeed({ remainingMs, ageMs: null }, settings).need === "now" && refresher.nextTryAt(account.id) === null;

  const outcomeOf = (credential: Credential | null, request: CredentialRequest): CredentialOutcome =>
    credential === null ? noAccountServes(deps, request.accountId) : { ok: true, credential };

  const afterReload = async (request: CredentialRequest): Promise<CredentialOutcome> => {
    reloadedAt = clock.monotonic();
    await deps.reload().catch(() => {});
    return outcomeOf(await find(request, none), request);
  };

  /** The account's present token, unless it is the one that was `used`. */
  const newerThan = (used: Credential): CredentialOutcome => {
    const entry = registry.get(used.accountId);
    if (entry === null) return refusal("The account was removed.");
    if (sameSecret(entry.account.accessToken, used.token)) return refusal("The upstream does not accept the token.");
    return { ok: true, credential: credentialOf(entry.account, used.reason) };
  };

  const wasJustBrought = ({ accountId, token }: Credential): boolean => {
    const brought = broughtBy401.get(accountId);
    return brought !== undefined && sameSecret(brought.token, token) && clock.monotonic() - brought.at < noSecondRefreshMs;
  };

  return {
    acquire(request) {
      registry.expire();
      const found = find(request, none);
      if (found instanceof Promise) return found.then((credential) => outcomeOf(credential, request));
      return found === null && clock.monotonic() - reloadedAt >= reloadGapMs ? afterReload(request) : outcomeOf(found, request);
    },
    async renew(used) {
      const newer = newerThan(used);
      if (newer.ok || used.kind === "api_key" || registry.get(used.accountId) === null || wasJustBrought(used)) return newer;
      const outcome = await refresher.refresh(used.accountId, "unauthorized");
      const renewed = newerThan(used);
      if (renewed.ok) broughtBy401.set(used.accountId, { token: renewed.credential.token, at: clock.monotonic() });
      if (renewed.ok || outcome.outcome !== "failed") return renewed;
      // Refused by the API and not to be had anew: this token must not be sent again.
      if (outcome.needsLogin) registry.tokenRefused(used.accountId);
      return refusal(outcome.message, outcome.nextTryAt === null ? null : secondsUntil(outcome.nextTryAt, clock));
    },
    elsewhere(used, { sessionId, reason, unreachable }) {
      registry.expire();
      const entries = registry.list();
      const unfit = entries.filter(({ account, health }) => health !== "healthy" || unreachable.includes(baseUrlOf(account)));
      if (used.reason === "named" || unfit.length === entries.length) return null;
      registry.cool(used.accountId, unreachableMs, `its server cannot be reached (${reason})`);
      return Promise.resolve(find({ sessionId, accountId: null }, new Set(unfit.map(({ account }) => account.id))));
    },
    observe(used, response) {
      registry.observe(used.accountId, response);
      // Then it is not about the token, and a refresh with every request would not help.
      if (response.status === 401 && wasJustBrought(used)) registry.cool(used.accountId, refusedMs, "the upstream refuses this account with a new token too (401)");
    },
  };
};

type ServingDeps = { readonly clock: Clock; readonly refresher: Pick<Refresher, "nextTryAt"> };

/** True when a request that comes now gets a credential: of `accountId`, or of any account when that is null. */
export const someAccountServes = (deps: ServingDeps & { readonly registry: Pick<Registry, "list"> }, accountId: string | null): boolean =>
  deps.registry.list().some((entry) => (accountId === null || entry.account.id === accountId) && entryServes(entry, deps));

const entryServes = ({ account, remainingMs, renewable }: AccountEntry, { clock, refresher }: ServingDeps): boolean => {
  const now = clock.now();
  const expiresAt = remainingMs === null ? null : now + remainingMs;
  return canServe({ enabled: account.enabled, expiresAt, renewable, nextRefreshAt: refresher.nextTryAt(account.id) }, now);
};

const credentialOf = (account: Account, reason: PickReason): Credential => ({
  accountId: account.id,
  kind: account.kind,
  token: account.accessToken,
  baseUrl: baseUrlOf(account),
  reason,
});

const baseUrlOf = (account: Account): string | null => account.endpoints?.baseUrl ?? null;

/** Which account a session used last. Bounded: the session that was used longest ago is forgotten first. */
const createSessions = (limit = 1000) => {
  // A Map iterates in the order of insertion: re-inserting on use makes it the order of use.
  const accounts = new Map<string, string>();
  const remember = (sessionId: string, accountId: string): void => {
    accounts.delete(sessionId);
    accounts.set(sessionId, accountId);
    if (accounts.size > limit) accounts.delete(accounts.keys().next().value ?? "");
  };
  return {
    remember,
    accountOf(sessionId: string): string | null {
      const accountId = accounts.get(sessionId);
      if (accountId !== undefined) remember(sessionId, accountId);
      return accountId ?? null;
    },
  };
};

const refusal = (message: string, retryAfterSeconds: number | null = null): CredentialRefusal => ({
  ok: false,
  code: "sign-in-needed",
  message,
  hint: retryAfterSeconds === null ? "Sign in: claude-oauth-proxy login." : "Nothing to do: it is tried again by itself.",
  retryAfterSeconds,
});

/** Why no account serves, and the earliest moment at which a refresh may bring a credential back. */
const noAccountServes = ({ clock, registry, refresher }: CredentialsDeps, named: string | null): CredentialRefusal => {
  const entries = registry.list().filter(({ account }) => named === null || account.id === named);
  const enabled = entries.filter(({ account }) => account.enabled);
  if (entries.length === 0) return refusal(named === null ? "No account is signed in." : `There is no account ${named}.`);
  if (enabled.length === 0) return refusal(named === null ? "Every account is disabled." : `The account ${named} is disabled.`);
  const tries = enabled.flatMap(({ account }) => refresher.nextTryAt(account.id) ?? []);
  if (tries.length > 0) {
    const seconds = secondsUntil(Math.min(...tries), clock);
    const failure = enabled.map(({ account }) => refresher.lastFailure(account.id)).find((why) => why !== null);
    const because = failure === undefined ? "" : ` (${failure.replace(/(?<![.\s])[.\s]+$/, "")})`;
    return refusal(`The token of ${names(enabled)} has ended and could not be refreshed yet${because}; the next try is in ${seconds} s.`, seconds);
  }
  const refused = enabled.find(({ needsLogin }) => needsLogin !== null);
  return refusal(refused === undefined ? `The token of ${names(enabled)} has ended. Sign in again.` : `Sign in again (${refused.account.id}): ${refused.needsLogin}`);
};

const names = (entries: readonly AccountEntry[]): string => entries.map(({ account }) => account.id).slice(0, 3).join(", ");

/** At least one: a client that comes back at once would get the same answer. */
const secondsUntil = (wallMs: number, clock: Clock): number => Math.max(1, Math.ceil((wallMs - clock.now()) / 1000));
