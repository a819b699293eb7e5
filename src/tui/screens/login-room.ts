// One sign-in form's state and its single end. It owns the pasted text, hands out a picture with a mask
// in its place, and gives the attempt back unless it led to an account.
import type { Clock } from "../../lib/clock.ts";
import type { Bus } from "../../messages/bus.ts";
import type { Commands, LoginAttempt } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import type { LoginHelp } from "./login-help.ts";
import { statesOf } from "./login-mask.ts";
import { emptyForm, viewOf } from "./login-state.ts";
import type { LoginFormState, LoginView } from "./login-state.ts";

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
  readonly commands: Pick<Commands, "submitCode" | "cancelLogin">;
  readonly subscribe: Bus["subscribe"];
  readonly clock: Clock;
  readonly help: LoginHelp;
};

export type FormRoom = {
  readonly deps: FormDeps;
  /** Rejects only with what nobody foresaw. */
  readonly ended: Promise<FormEnd>;
  get(): LoginFormState;
  set(change: Partial<LoginFormState>): void;
  /** Only the first call counts. */
  end(result: FormEnd): void;
  isDone(): boolean;
  fail(error: unknown): void;
  /** Milliseconds until the attempt expires; negative afterwards. */
  leftMs(): number;
  /** Draws anew, for the countdown. */
  tell(): void;
  /** `subscribe` and `snapshot` fit React's `useSyncExternalStore`. */
  subscribe(listener: () => void): () => void;
  snapshot(): LoginView;
  /** Forgets the text. */
  close(): void;
};

export const createFormRoom = (deps: FormDeps): FormRoom => {
  const { attempt, clock } = deps;
  const states = statesOf(attempt);
  const listeners = new Set<() => void>();
  const { promise: ended, resolve, reject } = Promise.withResolvers<FormEnd>();
  let state = emptyForm;
  let done = false;
  const leftMs = (): number => attempt.expiresAt - clock.now();
  const picture = (): LoginView => viewOf(state, { states, leftMs: leftMs(), monotonic: clock.monotonic() });
  let view = picture();
  const set = (change: Partial<LoginFormState>): void => {
    state = { ...state, ...change };
    view = picture();
    for (const listener of listeners) listener();
  };
  const close = (): void => {
    done = true;
    state = emptyForm;
  };
  return {
    deps,
    ended,
    get: () => state,
    set,
    end(result) {
      if (done) return;
      close();
      try {
        if (result.outcome !== "signed-in") giveBack(deps.commands, attempt);
        resolve(result);
      } catch (error) {
        reject(error);
      }
    },
    isDone: () => done,
    fail: reject,
    leftMs,
    tell: () => set({}),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => view,
    close,
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
