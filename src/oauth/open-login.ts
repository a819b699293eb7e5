// The one sign-in that is open. One at a time, for ten minutes; a code is exchanged once; a failure of
// the network leaves everything as it was, so that the same paste can be tried again. A grant that
// could not be stored is kept for the next try. The verifier goes to the token endpoint and nowhere else.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import type { LoginAttempt, SubmitOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { TokenAnswer, TokenGrant } from "../messages/tokens.ts";
import type { LoginKind, OAuthSettings } from "./authorize-url.ts";
import type { Leg, OpenedAttempt } from "./login-attempt.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";

/** A sign-in that the server granted, for whoever keeps credentials. */
export type GrantedLogin = {
  readonly kind: LoginKind;
  /** The account that the wish named. */
  readonly accountId: string | null;
  readonly grant: TokenGrant;
  readonly settings: OAuthSettings;
};

export type OpenLoginDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly tokenEndpoint: Pick<TokenEndpoint, "exchange">;
  /** Stores the credential durably. May throw `AppError`; the next try calls it again with the same grant. */
  readonly keep: (login: GrantedLogin) => Promise<{ readonly accountId: string; readonly expiresAt: number | null }>;
};

/** Ten minutes from link to code. */
export const loginLifeMs = 10 * 60 * 1000;

export type Attempt = OpenedAttempt & {
  readonly accountId: string | null;
  readonly settings: OAuthSettings;
  timer: Timer | null;
  /** The exchange under way: a paste and a callback at the same moment share it. */
  running: Promise<Settled> | null;
  /** Granted but not yet stored: a code cannot be exchanged twice. */
  grant: TokenGrant | null;
};

/** What became of a code. */
export type Settled = Exclude<SubmitOutcome, { outcome: "nothing" | "bad-paste" }>;

export type OpenLogin = {
  current(): Attempt | null;
  /** Makes `attempt` the open one; one that was open is closed. */
  begin(attempt: Attempt): LoginAttempt;
  /** Exchanges `code` and stores what came of it. Never throws. */
  settle(attempt: Attempt, leg: Leg, code: Secret): Promise<Settled>;
  /** Closes `attempt` if it is still the open one. */
  fail(attempt: Attempt, errorCode: string, message: string): Settled;
};

export const createOpenLogin = (deps: OpenLoginDeps): OpenLogin => {
  let open: Attempt | null = null;

  const fail = (attempt: Attempt, errorCode: string, message: string): Settled => {
    if (open === attempt) {
      open = null;
      attempt.timer?.cancel();
      deps.publish({ type: "login.failed", attemptId: attempt.view.attemptId, errorCode, message });
    }
    return { outcome: "failed", errorCode, message };
  };

  const waiting = (attempt: Attempt, step: "code" | "exchange"): void => {
    if (open === attempt) deps.publish({ type: "login.waiting", attemptId: attempt.view.attemptId, step });
  };

  const again = (attempt: Attempt, message: string): Settled => {
    waiting(attempt, "code");
    return { outcome: "retry", message };
  };

  const keep = async (attempt: Attempt, grant: TokenGrant): Promise<Settled> => {
    attempt.grant = grant;
    if (open !== attempt) return fail(attempt, "cancelled", "The sign-in was cancelled.");
    const kept = await stored(deps.keep, attempt, grant);
    if (!kept.ok) return again(attempt, kept.message);
    open = open === attempt ? null : open;
    attempt.timer?.cancel();
    deps.publish({ type: "login.succeeded", attemptId: attempt.view.attemptId, accountId: kept.accountId });
    return { outcome: "signed-in", accountId: kept.accountId, expiresAt: kept.expiresAt };
  };

  const run = async (attempt: Attempt, leg: Leg, code: Secret): Promise<Settled> => {
    waiting(attempt, "exchange");
    if (attempt.grant !== null) return keep(attempt, attempt.grant);
    const answer = await exchange(deps.tokenEndpoint, attempt.settings, leg, code);
    if (answer.outcome === "granted") return keep(attempt, answer.grant);
    return answer.outcome === "refused" ? fail(attempt, answer.errorCode, refusal(answer)) : again(attempt, answer.message);
  };

  // An exchange under way decides first: a code that was accepted in time is not thrown away.
  const expire = (attempt: Attempt): void => {
    const end = (): void => void fail(attempt, "login-expired", "The sign-in was not finished within 10 minutes. Start it again.");
    if (attempt.running === null) end();
    else void attempt.running.then(end);
  };

  return {
    current: () => open,
    begin(attempt) {
      if (open !== null) fail(open, "superseded", "Another sign-in was started.");
      const { attemptId, kind, expiresAt } = attempt.view;
      open = attempt;
      attempt.timer = deps.clock.setTimeout(() => expire(attempt), loginLifeMs);
      deps.publish({ type: "login.started", attemptId, kind, expiresAt });
      waiting(attempt, "code");
      return attempt.view;
    },
    settle(attempt, leg, code) {
      attempt.running ??= run(attempt, leg, code).finally(() => {
        attempt.running = null;
      });
      return attempt.running;
    },
    fail,
  };
};

type Kept = { readonly ok: true; readonly accountId: string; readonly expiresAt: number | null } | { readonly ok: false; readonly message: string };

const stored = async (keep: OpenLoginDeps["keep"], attempt: Attempt, grant: TokenGrant): Promise<Kept> => {
  const { view, accountId, settings } = attempt;
  try {
    return { ok: true, ...(await keep({ kind: view.kind, accountId, grant, settings })) };
  } catch (error) {
    return { ok: false, message: error instanceof AppError ? error.message : "The sign-in could not be stored." };
  }
};

const exchange = (endpoint: Pick<TokenEndpoint, "exchange">, { tokenUrl, clientId }: OAuthSettings, leg: Leg, code: Secret): Promise<TokenAnswer> =>
  endpoint.exchange({ tokenUrl, clientId, code, state: leg.state, verifier: leg.verifier, redirectUri: leg.redirectUri });

const refusal = ({ errorCode, message }: Extract<TokenAnswer, { outcome: "refused" }>): string =>
  errorCode === "invalid_grant" ? "The code is used up or too old." : `The sign-in was refused: ${message}`;
