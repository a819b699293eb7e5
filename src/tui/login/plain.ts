// Signing in without a screen: the link and the question on standard error, one line from standard
// input, the same sentences. The browser may finish it before anything is typed.
import { sleep } from "../../lib/clock.ts";
import type { Clock } from "../../lib/clock.ts";
import { secret } from "../../lib/secret.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Bus } from "../../messages/bus.ts";
import { linkNotice } from "../../messages/commands.ts";
import type { Commands, LoginAttempt, LoginOptions, SubmitOutcome } from "../../messages/commands.ts";
import { identityConflict, identityQuestion } from "../../messages/identity.ts";
import type { IdentityQuestion } from "../../messages/identity.ts";
import type { OpenBrowser, Opened } from "../edges/browser.ts";
import { giveBack } from "./form.ts";

export type PlainLoginDeps = {
  readonly commands: Pick<Commands, "startLogin" | "submitCode" | "pendingLogin" | "answerIdentity" | "cancelLogin">;
  readonly subscribe: Bus["subscribe"];
  readonly clock: Clock;
  readonly login: LoginOptions;
  /** Where everything is written: standard error. */
  readonly write: (text: string) => void;
  /** One line, null when the input has ended; stops when the signal fires. */
  readonly askLine: (question: string, signal: AbortSignal) => Promise<Secret | null>;
  /** A person types: a bad paste may be followed by another one. */
  readonly interactive: boolean;
  /** Null: `--no-browser`. */
  readonly openBrowser: OpenBrowser | null;
  readonly signal?: AbortSignal;
};

export type PlainLoginEnd =
  | { readonly outcome: "signed-in"; readonly accountId: string }
  | { readonly outcome: "cancelled" }
  /** `closed`: the core has ended the attempt; otherwise it was given back. */
  | { readonly outcome: "failed"; readonly errorCode: string; readonly message: string; readonly closed: boolean };

const triesWithoutAnswer = 3;
const pauseMs = 1000;

/** Throws what `startLogin` and `submitCode` throw (`AppError`); an attempt that led nowhere is cancelled. */
export const runPlainLogin = async (deps: PlainLoginDeps): Promise<PlainLoginEnd> => {
  const attempt = await deps.commands.startLogin(deps.login);
  deps.write(`Open this link in a browser, sign in and press Authorize:\n\n${attempt.authorizeUrl}\n\n`);
  if (attempt.shortUrl !== null) deps.write(`or on this machine: ${attempt.shortUrl}\n\n`);
  const [stop, asked] = [new AbortController(), new AbortController()];
  const giveUp = (): void => stop.abort();
  deps.signal?.addEventListener("abort", giveUp, { once: true });
  const byBrowser = watchBrowser(deps, attempt, { stop: stop.signal, onQuestion: () => asked.abort() });
  let end: PlainLoginEnd = { outcome: "cancelled" };
  try {
    end = await Promise.race([byBrowser, byLine(deps, attempt, { stop: stop.signal, asked: asked.signal, byBrowser })]);
    return end;
  } finally {
    deps.signal?.removeEventListener("abort", giveUp);
    stop.abort();
    if (end.outcome !== "signed-in") giveBack(deps.commands, attempt);
  }
};

// Resolves with what the core says of this attempt, and as cancelled when `stop` fires.
const watchBrowser = ({ subscribe, write }: PlainLoginDeps, { attemptId }: LoginAttempt, { stop, onQuestion }: { readonly stop: AbortSignal; readonly onQuestion: () => void }): Promise<PlainLoginEnd> =>
  new Promise((resolve) => {
    const unsubscribe = subscribe((event) => {
      if (event.type === "notice" && event.code === linkNotice) write(`${event.message}\n`);
      if (!("attemptId" in event) || event.attemptId !== attemptId) return;
      if (event.type === "login.waiting" && event.step === "confirm") onQuestion();
      if (event.type === "login.succeeded") resolve({ outcome: "signed-in", accountId: event.accountId });
      // The sentence for the person who said no has more in it.
      if (event.type === "login.failed" && event.errorCode !== "declined") resolve({ outcome: "failed", errorCode: event.errorCode, message: event.message, closed: true });
    }, "the sign-in prompt");
    stop.addEventListener("abort", () => {
      unsubscribe();
      resolve({ outcome: "cancelled" });
    }, { once: true });
  });

type Line = {
  readonly stop: AbortSignal;
  /** Fires when the browser came back with an identity that has to be asked for. */
  readonly asked: AbortSignal;
  readonly byBrowser: Promise<PlainLoginEnd>;
};

const byLine = async (deps: PlainLoginDeps, attempt: LoginAttempt, { stop, asked, byBrowser }: Line): Promise<PlainLoginEnd> => {
  const opened = openPage(deps, attempt);
  for (;;) {
    const code = await deps.askLine("Paste code > ", AbortSignal.any([stop, asked]));
    const question = deps.commands.pendingLogin()?.question ?? null;
    // Without an input the browser that was opened is the only way to finish it.
    if (code === null && question === null) return (await opened).opened ? byBrowser : { outcome: "cancelled" };
    let outcome: SubmitOutcome = question === null ? await submit(deps, attempt, code ?? secret("")) : { outcome: "confirm", question };
    while (outcome.outcome === "confirm") {
      if (!deps.interactive) return cannotAsk(deps, outcome.question);
      outcome = await askPerson(deps, { question: outcome.question, attemptId: attempt.attemptId, stop });
    }
    const end = endOf(outcome);
    if (end.outcome !== "failed" || end.closed || !deps.interactive) return end;
    deps.write(`${end.message}\n`);
  }
};

// Written here, because an error hides e-mail addresses: errors may be logged.
const cannotAsk = ({ write }: PlainLoginDeps, question: IdentityQuestion): PlainLoginEnd => {
  write(`${identityConflict(question)}\n`);
  const way = question.replaces === null ? "" : " sign in without --account to add another account,";
  return { outcome: "failed", errorCode: "conflict", message: `Nothing was stored. Sign in on a terminal to be asked,${way} or give --yes.`, closed: false };
};

type Asking = { readonly question: IdentityQuestion; readonly attemptId: string; readonly stop: AbortSignal };

const askPerson = async ({ commands, write, askLine }: PlainLoginDeps, { question, attemptId, stop }: Asking): Promise<SubmitOutcome> => {
  write(`${identityQuestion(question)}\n`);
  const line = await askLine("y/n > ", stop);
  return commands.answerIdentity({ attemptId, confirm: question.confirm, accept: /^y(?:es)?$/i.test(line?.reveal() ?? "") });
};

const openPage = async ({ openBrowser }: PlainLoginDeps, attempt: LoginAttempt): Promise<Pick<Opened, "opened">> =>
  openBrowser === null || attempt.shortUrl === null ? { opened: false } : openBrowser(attempt.shortUrl);

const endOf = (outcome: Exclude<SubmitOutcome, { outcome: "confirm" }>): PlainLoginEnd => {
  if (outcome.outcome === "signed-in") return { outcome: "signed-in", accountId: outcome.accountId };
  if (outcome.outcome === "nothing") return { outcome: "failed", errorCode: "bad-paste", message: "The line held no code.", closed: false };
  const { message } = outcome;
  if (outcome.outcome === "failed") return { outcome: "failed", errorCode: outcome.errorCode, message, closed: true };
  return { outcome: "failed", errorCode: outcome.outcome === "retry" ? "login-failed" : "bad-paste", message, closed: false };
};

// There is no key to try again with, so the same code is tried a few times by itself.
const submit = async ({ commands, clock }: PlainLoginDeps, { attemptId }: LoginAttempt, code: Secret): Promise<SubmitOutcome> => {
  for (let tries = 1; ; tries += 1) {
    const outcome = await commands.submitCode(code, attemptId);
    if (outcome.outcome !== "retry" || tries === triesWithoutAnswer) return outcome;
    await sleep(clock, pauseMs * tries);
  }
};
