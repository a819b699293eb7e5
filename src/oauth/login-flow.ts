// The sign-in from link to stored credential: what a person, a browser and the HTTP API can do to it. One sign-in at a time,
// for ten minutes. A code is exchanged once; a failure of the network leaves everything as it was, so that the same paste can
// be tried again; a grant that could not be stored is kept for the next try.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import { sameSecret, sameText } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import type { CallbackResult, LoginAttempt, SubmitOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { TokenAnswer, TokenGrant } from "../messages/tokens.ts";
import { createAuthorizationRequest } from "./authorization-request.ts";
import type { AuthorizationRequest, LoginKind, OAuthSettings } from "./authorization-request.ts";
import { readCallbackQuery } from "./callback-query.ts";
import { readPastedCode } from "./pasted-code.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";

/** Ten minutes from link to code. */
export const loginLifeMs = 10 * 60 * 1000;

/** A sign-in that the server granted. */
export type GrantedLogin = {
  readonly kind: LoginKind;
  /** The account that the options named. */
  readonly accountId: string | null;
  readonly grant: TokenGrant;
  readonly settings: OAuthSettings;
};

/** The addresses of this machine, when something listens. */
export type Loopback = {
  /** `http://localhost:PORT/callback`, null when `oauth.callback` is off. */
  readonly redirectUri: string | null;
  /** `http://localhost:PORT/login`, null when no server of ours answers it. */
  readonly shortUrl: string | null;
};

export type LoginFlowDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly settings: OAuthSettings;
  readonly tokenEndpoint: Pick<TokenEndpoint, "exchange">;
  /** Asked at every start: a port may be known only later. Null: nothing listens. */
  readonly loopback: () => Loopback | null;
  /** Stores the credential durably. May throw `AppError`; the next try calls it again with the same grant. */
  readonly keep: (login: GrantedLogin) => Promise<{ readonly accountId: string; readonly expiresAt: number | null }>;
};

export type LoginOptions = {
  readonly kind?: LoginKind;
  readonly accountId?: string;
  /** What this account has of its own (client id, addresses, scopes). */
  readonly settings?: Partial<OAuthSettings>;
};

export type LoginFlow = {
  /** Opens a sign-in; one that was open is closed. */
  start(options: LoginOptions): LoginAttempt;
  pending(): LoginAttempt | null;
  /** `attemptId` null means the open one. Throws `AppError` `login-expired` when it is not open (any more). */
  submit(pasted: Secret, attemptId: string | null): Promise<SubmitOutcome>;
  /** The query of a request for the redirect address. Never throws. */
  completeCallback(query: string): Promise<CallbackResult>;
  /** Nothing happens when that attempt is not open. */
  cancel(attemptId: string): void;
};

type OpenAttempt = {
  readonly view: LoginAttempt;
  /**
   * One for each link, with a state, a verifier and a redirect of its own. The state that comes back tells which link was
   * used, and only that link's redirect may be named at the exchange (RFC 6749 section 4.1.3).
   */
  readonly requests: readonly AuthorizationRequest[];
  readonly accountId: string | null;
  readonly settings: OAuthSettings;
  timer: Timer | null;
  /** The exchange under way: a paste and a callback at the same moment share it. */
  running: Promise<ExchangeOutcome> | null;
  /** Granted but not yet stored: a code cannot be exchanged twice. */
  grant: TokenGrant | null;
};

type ExchangeOutcome = Exclude<SubmitOutcome, { outcome: "nothing" | "bad-paste" }>;

export const createLoginFlow = (deps: LoginFlowDeps): LoginFlow => {
  let open: OpenAttempt | null = null;

  /** Closes `attempt` if it is still the open one. */
  const fail = (attempt: OpenAttempt, errorCode: string, message: string): ExchangeOutcome => {
    if (open === attempt) {
      open = null;
      attempt.timer?.cancel();
      deps.publish({ type: "login.failed", attemptId: attempt.view.attemptId, errorCode, message });
    }
    return { outcome: "failed", errorCode, message };
  };

  const publishWaiting = (attempt: OpenAttempt, step: "code" | "exchange"): void => {
    if (open === attempt) deps.publish({ type: "login.waiting", attemptId: attempt.view.attemptId, step });
  };

  const retry = (attempt: OpenAttempt, message: string): ExchangeOutcome => {
    publishWaiting(attempt, "code");
    return { outcome: "retry", message };
  };

  const store = async (attempt: OpenAttempt, grant: TokenGrant): Promise<ExchangeOutcome> => {
    const { view, accountId, settings } = attempt;
    attempt.grant = grant;
    if (open !== attempt) return fail(attempt, "cancelled", "The sign-in was cancelled.");
    try {
      const stored = await deps.keep({ kind: view.kind, accountId, grant, settings });
      if (open === attempt) open = null;
      attempt.timer?.cancel();
      deps.publish({ type: "login.succeeded", attemptId: view.attemptId, accountId: stored.accountId });
      return { outcome: "signed-in", accountId: stored.accountId, expiresAt: stored.expiresAt };
    } catch (error) {
      return retry(attempt, error instanceof AppError ? error.message : "The sign-in could not be stored.");
    }
  };

  const exchangeAndStore = async (attempt: OpenAttempt, { state, verifier, redirectUri }: AuthorizationRequest, code: Secret): Promise<ExchangeOutcome> => {
    publishWaiting(attempt, "exchange");
    if (attempt.grant !== null) return store(attempt, attempt.grant);
    const { tokenUrl, clientId } = attempt.settings;
    const answer = await deps.tokenEndpoint.exchange({ tokenUrl, clientId, code, state, verifier, redirectUri });
    if (answer.outcome === "granted") return store(attempt, answer.grant);
    return answer.outcome === "refused" ? fail(attempt, answer.errorCode, refusalSentence(answer)) : retry(attempt, answer.message);
  };

  const exchange = (attempt: OpenAttempt, request: AuthorizationRequest, code: Secret): Promise<ExchangeOutcome> => {
    attempt.running ??= exchangeAndStore(attempt, request, code).finally(() => {
      attempt.running = null;
    });
    return attempt.running;
  };

  // An exchange under way decides first: a code that was accepted in time is not thrown away.
  const expire = (attempt: OpenAttempt): void => {
    const end = (): void => void fail(attempt, "login-expired", "The sign-in was not finished within 10 minutes. Start it again.");
    if (attempt.running === null) end();
    else void attempt.running.then(end);
  };

  return {
    start(options) {
      if (open !== null) fail(open, "superseded", "Another sign-in was started.");
      const attempt = openAttempt(deps, options);
      const { attemptId, kind, expiresAt } = attempt.view;
      open = attempt;
      attempt.timer = deps.clock.setTimeout(() => expire(attempt), loginLifeMs);
      deps.publish({ type: "login.started", attemptId, kind, expiresAt });
      publishWaiting(attempt, "code");
      return attempt.view;
    },
    pending: () => open?.view ?? null,
    async submit(pasted, attemptId) {
      const attempt = open;
      if (attempt === null || (attemptId !== null && !sameText(attemptId, attempt.view.attemptId))) throw notOpen();
      const read = readPastedCode(pasted.reveal(), { states: attempt.requests.map(({ state }) => state), links: attempt.requests.map(({ link }) => link) });
      if (read.outcome !== "code") return read;
      const request = requestOf(attempt, read.state);
      if (request === null) throw notOpen();
      return exchange(attempt, request, read.code);
    },
    async completeCallback(query) {
      const read = readCallbackQuery(query);
      const attempt = open;
      if (attempt === null) return refused("No sign-in is open. Start it again in the terminal.");
      const request = read.says === "nonsense" ? null : requestOf(attempt, read.state);
      if (read.says === "nonsense" || request === null) return refused("This page belongs to another sign-in attempt.");
      if (read.says === "code") return callbackResult(await exchange(attempt, request, read.code));
      if (attempt.running !== null) return callbackResult(await attempt.running);
      return callbackResult(fail(attempt, read.error, denialSentence(read.error, read.description)));
    },
    cancel(attemptId) {
      if (open !== null && sameText(attemptId, open.view.attemptId)) fail(open, "cancelled", "The sign-in was cancelled.");
    },
  };
};

const openAttempt = ({ clock, random, ...deps }: LoginFlowDeps, { kind = "max", accountId, settings: own = {} }: LoginOptions): OpenAttempt => {
  const settings = { ...deps.settings, ...own };
  const loopback = deps.loopback();
  const manual = createAuthorizationRequest(random, { kind, settings, redirectUri: settings.redirectUri });
  const browser = loopback?.redirectUri == null ? null : createAuthorizationRequest(random, { kind, settings, redirectUri: loopback.redirectUri });
  const view: LoginAttempt = {
    attemptId: base64url(random(16)),
    kind,
    authorizeUrl: manual.link,
    browserUrl: browser?.link ?? null,
    shortUrl: loopback?.shortUrl ?? null,
    expiresAt: clock.now() + loginLifeMs,
  };
  return { view, requests: browser === null ? [manual] : [manual, browser], accountId: accountId ?? null, settings, timer: null, running: null, grant: null };
};

// Every state is compared, so that the time does not tell which one was close.
const requestOf = ({ requests }: OpenAttempt, state: Secret): AuthorizationRequest | null => requests.filter((request) => sameSecret(request.state, state))[0] ?? null;

const notOpen = (): AppError =>
  new AppError({ code: "login-expired", message: "This sign-in is not open any more.", hint: "Start it again: a new link is needed." });

const refusalSentence = ({ errorCode, message }: Extract<TokenAnswer, { outcome: "refused" }>): string =>
  errorCode === "invalid_grant" ? "The code is used up or too old." : `The sign-in was refused: ${message}`;

const denialSentence = (error: string, description: string): string =>
  error === "access_denied" ? "The sign-in was refused on the page." : `The sign-in page reported ${error}${description === "" ? "" : `: ${description}`}.`;

const refused = (message: string): CallbackResult => ({ result: "refused", message });

const callbackResult = (outcome: ExchangeOutcome): CallbackResult => {
  if (outcome.outcome === "signed-in") return { result: "signed-in" };
  if (outcome.outcome === "retry") return { result: "retry", message: `${outcome.message} Reload this page to try again.` };
  return { result: "failed", message: outcome.message };
};
