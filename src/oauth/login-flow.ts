// The sign-in from link to stored credential: what a person, a browser and the HTTP API can do to it.
// What a paste or a callback says is decided by pure functions; what follows is in `open-login.ts`.
import { sameText } from "../lib/secret.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { CallbackResult, LoginAttempt, SubmitOutcome } from "../messages/commands.ts";
import { AppError } from "../messages/errors.ts";
import type { LoginKind, OAuthSettings } from "./authorize-url.ts";
import { readCallbackQuery } from "./callback-query.ts";
import type { Leg, Loopback } from "./login-attempt.ts";
import { openAttempt } from "./login-attempt.ts";
import type { Attempt, OpenLoginDeps, Settled } from "./open-login.ts";
import { createOpenLogin, loginLifeMs } from "./open-login.ts";
import { readPastedCode } from "./pasted-code.ts";

export type LoginFlowDeps = OpenLoginDeps & {
  readonly random: Random;
  readonly settings: OAuthSettings;
  /** Asked at every start: a port may be known only later. Null: nothing listens. */
  readonly loopback: () => Loopback | null;
};

export type LoginWish = {
  readonly kind?: LoginKind;
  readonly accountId?: string;
  /** What this account has of its own (client id, addresses, scopes). */
  readonly settings?: Partial<OAuthSettings>;
};

export type LoginFlow = {
  /** Opens a sign-in; one that was open is closed. */
  start(wish: LoginWish): LoginAttempt;
  pending(): LoginAttempt | null;
  /** `attemptId` null means the open one. Throws `AppError` `login-expired` when it is not open (any more). */
  submit(pasted: Secret, attemptId: string | null): Promise<SubmitOutcome>;
  /** The query of a request for the redirect address. Never throws. */
  completeCallback(query: string): Promise<CallbackResult>;
  /** Nothing happens when that attempt is not open. */
  cancel(attemptId: string): void;
};

export const createLoginFlow = (deps: LoginFlowDeps): LoginFlow => {
  const open = createOpenLogin(deps);
  return {
    start: (wish) => open.begin(attemptFor(deps, wish)),
    pending: () => open.current()?.view ?? null,
    async submit(pasted, attemptId) {
      const attempt = open.current();
      if (attempt === null || (attemptId !== null && !sameText(attemptId, attempt.view.attemptId))) throw notOpen();
      const read = readPastedCode(pasted.reveal(), { states: attempt.legs.map(({ state }) => state), links: attempt.legs.map(({ link }) => link) });
      if (read.outcome !== "code") return read;
      return open.settle(attempt, legAt(attempt, read.leg), read.code);
    },
    async completeCallback(query) {
      const read = readCallbackQuery(query);
      const attempt = open.current();
      if (attempt === null) return refused("No sign-in is open. Start it again in the terminal.");
      const leg = read.says === "nonsense" ? -1 : legOf(attempt, read.state);
      if (read.says === "nonsense" || leg < 0) return refused("This page belongs to another sign-in attempt.");
      if (read.says === "code") return callbackResult(await open.settle(attempt, legAt(attempt, leg), read.code));
      if (attempt.running !== null) return callbackResult(await attempt.running);
      return callbackResult(open.fail(attempt, read.error, denial(read.error, read.description)));
    },
    cancel(attemptId) {
      const attempt = open.current();
      if (attempt !== null && sameText(attemptId, attempt.view.attemptId)) open.fail(attempt, "cancelled", "The sign-in was cancelled.");
    },
  };
};

const attemptFor = (deps: LoginFlowDeps, wish: LoginWish): Attempt => {
  const settings = { ...deps.settings, ...wish.settings };
  const opened = openAttempt(deps.random, {
    kind: wish.kind ?? "max",
    settings,
    loopback: deps.loopback(),
    expiresAt: deps.clock.now() + loginLifeMs,
  });
  return { ...opened, accountId: wish.accountId ?? null, settings, timer: null, running: null, grant: null };
};

// Every state is compared, so that the time does not tell which one was close.
const legOf = (attempt: Attempt, state: Secret): number =>
  attempt.legs.map((leg) => sameText(leg.state.reveal(), state.reveal())).indexOf(true);

const legAt = (attempt: Attempt, index: number): Leg => {
  const leg = attempt.legs[index];
  if (leg === undefined) throw notOpen();
  return leg;
};

const denial = (error: string, description: string): string =>
  error === "access_denied" ? "The sign-in was refused on the page." : `The sign-in page reported ${error}${description === "" ? "" : `: ${description}`}.`;

const notOpen = (): AppError =>
  new AppError({ code: "login-expired", message: "This sign-in is not open any more.", hint: "Start it again: a new link is needed." });

const refused = (message: string): CallbackResult => ({ result: "refused", message });

const callbackResult = (settled: Settled): CallbackResult => {
  if (settled.outcome === "signed-in") return { result: "signed-in" };
  if (settled.outcome === "retry") return { result: "retry", message: `${settled.message} Reload this page to try again.` };
  return { result: "failed", message: settled.message };
};
