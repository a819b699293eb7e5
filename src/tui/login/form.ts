// One sign-in attempt as a form: keys, pastes, events and time in, one end out. It owns the pasted text and lets
// nothing of it reach React, a sentence or an error: what it hands out holds a mask. It draws nothing itself, and
// gives the attempt back unless that led to an account.
import type { Clock, Timer } from "../../lib/clock.ts";
import { joinedLines } from "../../lib/joined-lines.ts";
import { secret } from "../../lib/secret.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Bus } from "../../messages/bus.ts";
import { linkNotice } from "../../messages/commands.ts";
import type { Commands, LoginAttempt, SubmitOutcome } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import type { LoginEvent } from "../../messages/events.ts";
import type { IdentityQuestion } from "../../messages/identity.ts";
import { loginKeyFor, openPage } from "./keys.ts";
import type { LoginEdges } from "./keys.ts";
import { createBurstJoiner } from "./paste.ts";
import type { Burst } from "./paste.ts";
import { loginView } from "./view.ts";
import type { LoginView } from "./view.ts";

/**
 * `rejected`: a paste that cannot be a code of this attempt, still in the field. `retry`: the same
 * code may be sent again. `asking`: granted, kept only after a yes. `over`: this attempt has ended, only a new link helps.
 */
export type LoginPhase = "waiting" | "editing" | "exchanging" | "rejected" | "retry" | "asking" | "over";

export type Note = { readonly tone: "info" | "error"; readonly text: string };

export type FormState = {
  readonly phase: LoginPhase;
  readonly text: Secret | null;
  readonly note: Note | null;
  /** Monotonic milliseconds when the exchange began. */
  readonly since: number | null;
  readonly question: IdentityQuestion | null;
  /** A key that was typed ahead must not answer: not before no key has come for a moment. */
  readonly ready: boolean;
  /** The short link does not work any more; stays whatever else is cleared. */
  readonly linkLost?: true;
};

/** Far more than any code; what is longer is refused with its length. */
const longestText = 1_048_576;

export const emptyForm: FormState = { phase: "waiting", text: null, note: null, since: null, question: null, ready: false };

/** Longer than a terminal takes between two bytes of a paste. */
const quietMs = 600;

const timedOut: Note = { tone: "error", text: "This sign-in has timed out. Enter starts again with a new link." };

export type FormEnd =
  | { readonly outcome: "signed-in"; readonly accountId: string }
  /** Esc; the attempt was given back. */
  | { readonly outcome: "cancelled" }
  /** Ctrl+C, or the terminal has gone. */
  | { readonly outcome: "quit" }
  /** A new link was asked for. */
  | { readonly outcome: "again" };

export type FormDeps = {
  readonly attempt: LoginAttempt;
  readonly commands: Pick<Commands, "submitCode" | "pendingLogin" | "answerIdentity" | "cancelLogin">;
  readonly subscribe: Bus["subscribe"];
  readonly clock: Clock;
  readonly edges: LoginEdges;
};

/** The part of Ink's key report that is needed here. */
export type PressedKey = { readonly return: boolean; readonly escape: boolean; readonly backspace: boolean; readonly delete: boolean; readonly ctrl: boolean; readonly meta: boolean };

export type LoginForm = {
  /** Rejects only with an unforeseen error. */
  readonly ended: Promise<FormEnd>;
  /** `subscribe` and `snapshot` fit React's `useSyncExternalStore`. */
  subscribe(listener: () => void): () => void;
  snapshot(): LoginView;
  /** What Ink's `useInput` reports. */
  input(text: string, key: PressedKey): void;
  /** What Ink's `usePaste` reports. */
  paste(text: string): void;
  /** The answer to the question; nothing happens while none is asked. */
  answer(accept: boolean): void;
  /** Opens the page as `o` does, but says nothing where that is not tried. */
  openPage(): void;
  quit(): void;
  /** Forgets the text, and stops listening and counting down. */
  close(): void;
};

/** What the keys and the steps of the form work with. */
export type FormContext = {
  readonly deps: FormDeps;
  readonly get: () => FormState;
  readonly set: (change: Partial<FormState>) => void;
  /** Empties the field. */
  readonly clear: () => void;
  /** Sends the text; `note` stays before the sentence about the exchange. */
  readonly submit: (text: Secret, note?: Note | null) => void;
  /** Sends what the field holds. */
  readonly resend: () => void;
  /** Puts the question in the place of the field. */
  readonly ask: (question: IdentityQuestion, note?: Note | null) => void;
  /** Only the first call counts. */
  readonly end: (result: FormEnd) => void;
  readonly isDone: () => boolean;
};

/** Starts the countdown and listens at once; `close`, which stops both, is the caller's duty. */
export const createLoginForm = (deps: FormDeps): LoginForm => {
  const { attempt, commands, clock } = deps;
  const { states } = attempt;
  const listeners = new Set<() => void>();
  const { promise: ended, resolve, reject } = Promise.withResolvers<FormEnd>();
  let state = emptyForm;
  let done = false;
  let typing: Timer | null = null;
  const leftMs = (): number => attempt.expiresAt - clock.now();
  const draw = (): LoginView => loginView(state, { states, leftMs: leftMs(), monotonic: clock.monotonic() });
  let view = draw();
  const set = (change: Partial<FormState>): void => {
    state = { ...state, ...change };
    view = draw();
    for (const listener of listeners) listener();
  };
  const forget = (): void => {
    done = true;
    state = emptyForm;
    typing?.cancel();
  };
  const readySoon = (): void => {
    typing?.cancel();
    typing = clock.setTimeout(() => set({ ready: true }), quietMs);
  };
  const form: FormContext = {
    deps,
    get: () => state,
    set,
    clear: () => set(emptyForm),
    submit: (text, note = null) => void submit(form, text, note).catch(reject),
    resend: () => (state.text === null ? undefined : form.submit(state.text)),
    ask(question, note = null) {
      set({ ...emptyForm, phase: "asking", question, note });
      readySoon();
    },
    end(result) {
      if (done) return;
      forget();
      try {
        if (result.outcome !== "signed-in") giveBack(commands, attempt);
        resolve(result);
      } catch (error) {
        reject(error);
      }
    },
    isDone: () => done,
  };
  const joiner = createBurstJoiner(clock, (burst) => (done ? undefined : takeBurst(form, burst)));
  const unsubscribe = deps.subscribe((event) => {
    if (done) return;
    if (event.type.startsWith("login.")) onLoginEvent(form, event as LoginEvent);
    if (event.type === "notice" && event.code === linkNotice) onLinkLost(form, event.message);
  }, "the sign-in form");
  const countdown = clock.setInterval(() => {
    if (done) return;
    if (leftMs() <= 0 && state.phase !== "exchanging" && state.phase !== "over") set({ ...emptyForm, phase: "over", note: timedOut });
    else set({});
  }, 1000);
  return {
    ended,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => view,
    input(text, key) {
      if (done) return;
      if (state.phase === "asking" && !state.ready) readySoon();
      if (key.ctrl) return text === "c" ? form.end({ outcome: "quit" }) : undefined;
      const name = namedKey(key);
      if (name === null) return text === "" || key.meta ? undefined : joiner.push(text);
      if (name !== "Esc") joiner.flush();
      // Esc takes back what was typed a moment ago, before it means anything else.
      else if (joiner.drop() && state.phase === "waiting") return;
      if (name === "Delete") deleteLetter(form);
      else loginKeyFor(name, state)?.run(form);
    },
    paste: (text) => (done ? undefined : joiner.paste(text)),
    answer: (accept) => (done || state.phase !== "asking" || !state.ready || state.question === null ? undefined : void answer(form, state.question, accept).catch(reject)),
    openPage: () => openPage(form),
    quit: () => form.end({ outcome: "quit" }),
    close() {
      joiner.drop();
      unsubscribe();
      countdown.cancel();
      forget();
    },
  };
};

/** Cancels what led nowhere. An attempt that has closed by itself needs that no more, whatever the core says. */
export const giveBack = (commands: Pick<Commands, "cancelLogin">, { attemptId }: LoginAttempt): void => {
  try {
    commands.cancelLogin(attemptId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
};

const namedKey = (key: PressedKey): "Esc" | "Enter" | "Delete" | null => {
  if (key.escape) return "Esc";
  if (key.return) return "Enter";
  return key.backspace || key.delete ? "Delete" : null;
};

const deleteLetter = ({ get, set, clear }: FormContext): void => {
  const { phase, text } = get();
  if (text === null || phase === "exchanging" || phase === "asking") return;
  const rest = text.reveal().slice(0, -1);
  if (rest === "") clear();
  else set({ phase: "editing", text: secret(rest), note: null });
};

// Typed letters or a paste: a key, more text for the field, or a code to send at once.
const takeBurst = (form: FormContext, burst: Burst): void => {
  const { phase, text } = form.get();
  if (phase === "exchanging" || phase === "asking" || phase === "over") return;
  const key = burst.text.length === 1 ? loginKeyFor(burst.text, form.get()) : undefined;
  if (key !== undefined) return key.run(form);
  // A whole paste replaces what was refused; typing goes on where it was.
  const before = burst.pasted && phase !== "editing" ? "" : (text?.reveal() ?? "");
  const next = secret(joinedLines(before + burst.text).slice(0, longestText));
  if (burst.pasted || /[\r\n]$/.test(burst.text)) form.submit(next);
  else form.set({ phase: "editing", text: next, note: null });
};

const submit = (form: FormContext, text: Secret, note: Note | null): Promise<void> => {
  const { commands, attempt, clock } = form.deps;
  form.set({ phase: "exchanging", text, note, since: clock.monotonic() });
  return outcomeOf(form, () => commands.submitCode(text, attempt.attemptId));
};

const answer = (form: FormContext, { confirm }: IdentityQuestion, accept: boolean): Promise<void> => {
  const { commands, attempt, clock } = form.deps;
  form.set({ ...emptyForm, phase: "exchanging", note: { tone: "info", text: accept ? "Storing the sign-in." : "Giving the sign-in back." }, since: clock.monotonic() });
  return outcomeOf(form, () => commands.answerIdentity({ attemptId: attempt.attemptId, confirm, accept }));
};

const outcomeOf = async (form: FormContext, command: () => Promise<SubmitOutcome>): Promise<void> => {
  try {
    const outcome = await command();
    if (!form.isDone()) onOutcome(form, outcome);
  } catch (error) {
    if (form.isDone()) return;
    if (!(error instanceof AppError)) throw error;
    form.set({ ...emptyForm, phase: "over", note: { tone: "error", text: [error.message, error.hint].filter(Boolean).join(" ") } });
  }
};

const onOutcome = ({ deps, end, set, clear, ask }: FormContext, outcome: SubmitOutcome): void => {
  if (outcome.outcome === "signed-in") return end({ outcome: "signed-in", accountId: outcome.accountId });
  if (outcome.outcome === "nothing") return clear();
  if (outcome.outcome === "confirm") return ask(outcome.question);
  // Which key helps is known only here: the same sentences go to pipes and to the HTTP API.
  const noteWith = (key: string): Note => ({ tone: "error", text: `${outcome.message}${key}` });
  if (outcome.outcome === "failed") return set({ ...emptyForm, phase: "over", note: noteWith(" Enter starts again with a new link.") });
  const question = deps.commands.pendingLogin()?.question ?? null;
  if (outcome.outcome === "retry") return question === null ? set({ phase: "retry", note: noteWith(" r tries the same code again."), since: null }) : ask(question, noteWith(" y tries it again."));
  const note = noteWith("");
  // A key that was pasted by mistake is not kept, not even behind a mask.
  set(outcome.code === "key" ? { ...emptyForm, note } : { phase: "rejected", note, since: null });
};

// The browser may finish this sign-in by itself, and the core may end it.
const onLoginEvent = ({ deps, get, set, clear, ask, end }: FormContext, event: LoginEvent): void => {
  if (event.attemptId !== deps.attempt.attemptId) return;
  if (event.type === "login.succeeded") return end({ outcome: "signed-in", accountId: event.accountId });
  // While a paste is being sent its own answer says more.
  if (get().text !== null && get().phase === "exchanging") return;
  if (event.type === "login.failed") {
    return set({ ...emptyForm, phase: "over", note: event.errorCode === "login-expired" ? timedOut : { tone: "error", text: event.message } });
  }
  if (event.type !== "login.waiting") return;
  const question = event.step === "confirm" ? (deps.commands.pendingLogin()?.question ?? null) : null;
  if (question !== null) ask(question);
  else if (event.step === "exchange") set({ ...emptyForm, phase: "exchanging", note: { tone: "info", text: "The browser came back." }, since: deps.clock.monotonic() });
  else if (get().phase === "exchanging") clear();
};

const onLinkLost = ({ get, set }: FormContext, message: string): void => {
  const isBusy = ["exchanging", "asking", "over"].includes(get().phase);
  set({ linkLost: true, ...(isBusy ? {} : { note: { tone: "error", text: `${message} n makes a new link.` } }) });
};
