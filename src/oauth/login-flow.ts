// The sign-in from link to stored credential: what a person, a browser and the HTTP API can do to it. One sign-in at a time,
// for ten minutes. A code is exchanged once; a failure of the network leaves everything as it was, so that the same paste can
// be tried again; a grant that is not stored yet, because that failed or because a person has to say whose it may be, is kept
// for the next try and given back to the server when there is none. It lives in memory only: a crash forgets it.
import { sameSecret, sameText } from "../lib/secret.ts";
import type { Secret } from "../lib/secret.ts";
import type { CallbackResult, Commands, LinkResult, LinkVisit, LoginAttempt, SubmitOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { AuthorizationRequest } from "./authorization-request.ts";
import { callbackResult, denialSentence, finishedBefore, foreignBrowser, lost, otherAttempt, tooLateToRefuse } from "./callback-answer.ts";
import { readCallbackQuery } from "./callback-query.ts";
import { loginLifeMs, openAttempt, requestsOf, secretsOf, viewOf } from "./login-attempt.ts";
import type { AttemptDeps, LoginOptions, OpenAttempt } from "./login-attempt.ts";
import { createExchanges } from "./login-exchange.ts";
import type { Attempts, ExchangeDeps } from "./login-exchange.ts";
import { readPastedCode } from "./pasted-code.ts";
import { unknownLink } from "./short-link.ts";

export type LoginFlowDeps = AttemptDeps & ExchangeDeps;

export type LoginFlow = Pick<Commands, "openLink" | "completeCallback" | "answerIdentity"> & {
  /** Opens a sign-in; one that was open is closed. Throws `AppError` `bad-config` when its page has no web address. */
  start(options: LoginOptions): LoginAttempt;
  pending(): LoginAttempt | null;
  /** `attemptId` null means the open one. Throws `AppError` `login-expired` when it is not open (any more). */
  submit(pasted: Secret, attemptId: string | null): Promise<SubmitOutcome>;
  /** Nothing happens when that attempt is not open. */
  cancel(attemptId: string): void;
  /** What the open attempt holds and no text may quote. */
  secrets(): readonly Secret[];
};

export const createLoginFlow = (deps: LoginFlowDeps): LoginFlow => {
  const attempts: Attempts = { open: null, over: [] };
  const { exchange, answer, fail, publishWaiting } = createExchanges(deps, attempts);

  // An exchange under way decides first: a code that was accepted in time is not thrown away.
  const expire = (attempt: OpenAttempt): void => {
    const end = (): void => void fail(attempt, "login-expired", "The sign-in was not finished within 10 minutes. Start it again.");
    if (attempt.running === null) end();
    else void attempt.running.outcome.then(end);
  };

  const opened = (attemptId: string | null): OpenAttempt => {
    if (attempts.open === null || (attemptId !== null && !sameText(attemptId, attempts.open.attemptId))) throw notOpen();
    return attempts.open;
  };

  // Whoever reads the arguments of a browser's opener may have been faster than the browser, up to the end.
  const cameLate = (attempt: OpenAttempt, { cookie }: LinkVisit): LinkResult => {
    const { link, storedAs, hasWarned } = attempt;
    if (storedAs === null || link?.isUsed() !== true || link.isOf(cookie)) return { result: "unknown", message: finishedBefore(attempt).message };
    attempt.hasWarned = true;
    const message = "A browser came with the link of a sign-in that another browser had opened and finished.";
    if (!hasWarned) deps.publish({ type: "notice", level: "warning", code: "sign-in-late", message, hint: `If that other one was not yours, sign it out: \`claude-oauth-proxy logout ${storedAs}\`.` });
    return { result: "used", message: "Another browser has opened this link and finished the sign-in. If that was not you, sign that account out and start the sign-in again." };
  };

  const codeCameBack = async (attempt: OpenAttempt, request: AuthorizationRequest, code: Secret): Promise<CallbackResult> => {
    if (attempt.running !== null && !sameSecret(attempt.running.code, code)) await attempt.running.outcome;
    if (attempt.winner !== null && !sameSecret(attempt.winner, code)) return lost;
    return attempts.open === attempt ? callbackResult(await exchange(attempt, request, code)) : finishedBefore(attempt);
  };

  const refusalCameBack = async (attempt: OpenAttempt, error: string, description: string): Promise<CallbackResult> => {
    if (attempt.running !== null) await attempt.running.outcome;
    if (attempt.winner !== null) return tooLateToRefuse;
    return attempts.open === attempt ? callbackResult(fail(attempt, error, denialSentence(error, description))) : finishedBefore(attempt);
  };

  return {
    start(options) {
      const attempt = openAttempt(deps, options);
      if (attempts.open !== null) fail(attempts.open, "superseded", "Another sign-in was started.");
      const { attemptId, kind, expiresAt } = attempt;
      attempts.open = attempt;
      attempt.timer = deps.clock.setTimeout(() => expire(attempt), loginLifeMs);
      deps.publish({ type: "login.started", attemptId, kind, expiresAt });
      publishWaiting(attempt, "code");
      return viewOf(attempt);
    },
    pending: () => (attempts.open === null ? null : viewOf(attempts.open)),
    openLink(visit) {
      const late = attempts.over.find(({ link }) => link?.isToken(visit.token) === true);
      return late === undefined ? (attempts.open?.link?.open(visit) ?? unknownLink) : cameLate(late, visit);
    },
    async submit(pasted, attemptId) {
      const attempt = opened(attemptId);
      const requests = requestsOf(attempt);
      const read = readPastedCode(pasted.reveal(), { states: requests.map(({ state }) => state), links: requests.map(({ link }) => link) });
      if (read.outcome !== "code") return read;
      // Every state is compared, so that the time does not tell which one was close.
      const request = requests.filter(({ state }) => sameSecret(state, read.state))[0];
      if (request === undefined) throw notOpen();
      return exchange(attempt, request, read.code);
    },
    async completeCallback({ query, cookie }) {
      const own = [attempts.open, ...attempts.over].filter((attempt) => attempt?.link?.isOf(cookie) === true);
      if (own.length === 0) return foreignBrowser;
      const read = readCallbackQuery(query);
      if (read.says === "nonsense") return otherAttempt;
      // A code that came by the other link was meant for a paste.
      const attempt = own.find((candidate) => sameSecret(candidate?.byReturn?.state ?? null, read.state));
      if (attempt === undefined || attempt === null || attempt.byReturn === null) return otherAttempt;
      return read.says === "code" ? codeCameBack(attempt, attempt.byReturn, read.code) : refusalCameBack(attempt, read.error, read.description);
    },
    async answerIdentity({ attemptId, confirm, accept }) {
      const attempt = opened(attemptId);
      return answer(attempt, confirm, accept);
    },
    cancel(attemptId) {
      if (attempts.open !== null && sameText(attemptId, attempts.open.attemptId)) fail(attempts.open, "cancelled", "The sign-in was cancelled.");
    },
    secrets: () => (attempts.open === null ? [] : secretsOf(attempts.open)),
  };
};

const notOpen = (): AppError =>
  new AppError({ code: "login-expired", message: "This sign-in is not open any more.", hint: "Start it again: a new link is needed." });
