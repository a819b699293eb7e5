// What becomes of a code: exchanged once, stored, or asked about first, and given back to the server when it leads nowhere.
import type { Random } from "../lib/random.ts";
import { base64url } from "../lib/random.ts";
import { sameText } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { Publish } from "../messages/bus.ts";
import { AppError } from "../messages/errors.ts";
import { nameOf } from "../messages/identity.ts";
import type { AskedIdentity, IdentityQuestion } from "../messages/identity.ts";
import type { TokenAnswer, TokenGrant } from "../messages/tokens.ts";
import type { AuthorizationRequest } from "./authorization-request.ts";
import type { ExchangeOutcome } from "./callback-answer.ts";
import { loginOf } from "./login-attempt.ts";
import type { GrantedLogin, OpenAttempt } from "./login-attempt.ts";
import type { RevokeAnswer, TokenEndpoint } from "./token-endpoint.ts";

/** `asked`: nothing was stored, because a person has to agree first. */
export type Kept = { readonly accountId: string; readonly expiresAt: number | null } | { readonly asked: AskedIdentity };

export type ExchangeDeps = {
  readonly random: Random;
  readonly publish: Publish;
  readonly tokenEndpoint: Pick<TokenEndpoint, "exchange">;
  /** Stores the credential durably; `accepted` was agreed to. May throw `AppError`; the next try calls it again with the same grant. */
  readonly keep: (login: GrantedLogin, accepted: AskedIdentity | null) => Promise<Kept>;
  /** Gives a grant that is not kept back to the server. Never throws. */
  readonly giveBack: (login: GrantedLogin) => Promise<RevokeAnswer>;
};

/** The attempt that is open, and those that are over: remembered for the browser that comes back too late. */
export type Attempts = { open: OpenAttempt | null; readonly over: OpenAttempt[] };

const mostRemembered = 8;

export type Exchanges = {
  /** A paste and a callback at the same moment share one exchange. */
  exchange(attempt: OpenAttempt, request: AuthorizationRequest, code: Secret): Promise<ExchangeOutcome>;
  /** Throws `conflict` when `confirm` belongs to nothing that is asked. */
  answer(attempt: OpenAttempt, confirm: string, accept: boolean): Promise<ExchangeOutcome>;
  /** Closes `attempt` if it is still the open one, and keeps nothing of it. */
  fail(attempt: OpenAttempt, errorCode: string, message: string): ExchangeOutcome;
  publishWaiting(attempt: OpenAttempt, step: "code" | "exchange" | "confirm"): void;
};

export const createExchanges = (deps: ExchangeDeps, attempts: Attempts): Exchanges => {
  const close = (attempt: OpenAttempt): void => {
    attempts.open = null;
    attempt.timer?.cancel();
    attempts.over.unshift(attempt);
    attempts.over.length = Math.min(attempts.over.length, mostRemembered);
  };

  /** Null when there is nothing to give back. */
  const giveBack = (attempt: OpenAttempt): Promise<RevokeAnswer> | null => {
    const { grant } = attempt;
    attempt.grant = null;
    attempt.question = null;
    return grant === null ? null : deps.giveBack(loginOf(attempt, grant));
  };

  const fail = (attempt: OpenAttempt, errorCode: string, message: string): ExchangeOutcome => {
    if (attempts.open === attempt) {
      attempt.ended = message;
      close(attempt);
      deps.publish({ type: "login.failed", attemptId: attempt.attemptId, errorCode, message });
    }
    // What is being stored at this moment is not given back: the end of that decides.
    if (attempt.running === null) void giveBack(attempt);
    return { outcome: "failed", errorCode, message };
  };

  const publishWaiting = ({ attemptId }: OpenAttempt, step: "code" | "exchange" | "confirm"): void => {
    if (attempts.open?.attemptId === attemptId) deps.publish({ type: "login.waiting", attemptId, step });
  };

  const retry = (attempt: OpenAttempt, message: string): ExchangeOutcome => {
    publishWaiting(attempt, attempt.question === null ? "code" : "confirm");
    return { outcome: "retry", message };
  };

  const store = async (attempt: OpenAttempt, grant: TokenGrant, accepted: AskedIdentity | null): Promise<ExchangeOutcome> => {
    if (attempts.open !== attempt) return fail(attempt, "cancelled", "The sign-in was cancelled.");
    try {
      const kept = await deps.keep(loginOf(attempt, grant), accepted);
      if ("asked" in kept) return attempt.acceptIdentity ? await store(attempt, grant, kept.asked) : ask(attempt, kept.asked);
      attempt.grant = null;
      attempt.question = null;
      attempt.storedAs = kept.accountId;
      if (attempts.open === attempt) close(attempt);
      deps.publish({ type: "login.succeeded", attemptId: attempt.attemptId, accountId: kept.accountId });
      return { outcome: "signed-in", accountId: kept.accountId, expiresAt: kept.expiresAt };
    } catch (error) {
      return retry(attempt, error instanceof AppError ? error.message : "The sign-in could not be stored.");
    }
  };

  const ask = (attempt: OpenAttempt, asked: AskedIdentity): ExchangeOutcome => {
    if (attempts.open !== attempt) return fail(attempt, "cancelled", "The sign-in was cancelled.");
    attempt.question = { ...asked, confirm: base64url(deps.random(16)) };
    publishWaiting(attempt, "confirm");
    return { outcome: "confirm", question: attempt.question };
  };

  const exchangeAndStore = async (attempt: OpenAttempt, { state, verifier, redirectUri }: AuthorizationRequest, code: Secret): Promise<ExchangeOutcome> => {
    if (attempt.question !== null) return { outcome: "confirm", question: attempt.question };
    publishWaiting(attempt, "exchange");
    if (attempt.grant !== null) return store(attempt, attempt.grant, null);
    const { tokenUrl, clientId } = attempt.settings;
    const answer = await deps.tokenEndpoint.exchange({ tokenUrl, clientId, code, state, verifier, redirectUri });
    if (answer.outcome !== "granted") return answer.outcome === "refused" ? fail(attempt, answer.errorCode, refusalSentence(answer)) : retry(attempt, answer.message);
    attempt.grant = answer.grant;
    attempt.winner = code;
    return store(attempt, answer.grant, null);
  };

  /** One at a time: whoever comes meanwhile gets the outcome of the one under way. */
  const run = (attempt: OpenAttempt, code: Secret, work: () => Promise<ExchangeOutcome>): Promise<ExchangeOutcome> => {
    const end = (): void => {
      attempt.running = null;
      if (attempts.open !== attempt) void giveBack(attempt);
    };
    attempt.running ??= { code, outcome: work().finally(end) };
    return attempt.running.outcome;
  };

  const exchange = (attempt: OpenAttempt, request: AuthorizationRequest, code: Secret): Promise<ExchangeOutcome> =>
    run(attempt, code, () => exchangeAndStore(attempt, request, code));

  const decline = async (attempt: OpenAttempt, question: IdentityQuestion): Promise<ExchangeOutcome> => {
    const answer = giveBack(attempt);
    const errorCode = "declined";
    fail(attempt, errorCode, "The answer was no: the sign-in was not kept.");
    return { outcome: "failed", errorCode, message: declinedSentence(question, await answer) };
  };

  return {
    exchange,
    fail,
    publishWaiting,
    async answer(attempt, confirm, accept) {
      const { question, grant, winner, running } = attempt;
      if (question === null || grant === null || winner === null || running !== null || !sameText(confirm, question.confirm)) throw nothingAsked();
      return accept ? run(attempt, winner, () => store(attempt, grant, question)) : decline(attempt, question);
    },
  };
};

const declinedSentence = (question: IdentityQuestion, revoked: RevokeAnswer | null): string => {
  const before = question.replaces === null ? `${nameOf(question)} was not added` : `The account "${question.accountId}" was left as it is`;
  return revoked?.ok === false
    ? `${before}; the new tokens are forgotten here, but the server did not take them back: ${revoked.message}`
    : `${before}, and the new tokens were given back to the server.`;
};

const nothingAsked = (): AppError =>
  new AppError({ code: "conflict", message: "This sign-in asks nothing that this answer belongs to.", hint: "Look at what it asks now, or start it again." });

const refusalSentence = ({ errorCode, message }: Extract<TokenAnswer, { outcome: "refused" }>): string =>
  errorCode === "invalid_grant" ? "The code is used up or too old." : `The sign-in was refused: ${message}`;
