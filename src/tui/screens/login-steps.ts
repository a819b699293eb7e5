// The steps of the sign-in form, one function per thing that can happen to it. Each reads the state,
// asks the core or an edge, and sets the next state; none of them draws, and none holds the text longer
// than the field does.
import { secret } from "../../lib/secret.ts";
import type { Secret } from "../../lib/secret.ts";
import type { SubmitOutcome } from "../../messages/commands.ts";
import { AppError } from "../../messages/errors.ts";
import type { LoginEvent } from "../../messages/events.ts";
import { withoutBreaks } from "./login-mask.ts";
import type { FormRoom } from "./login-room.ts";
import { emptyForm, expired } from "./login-state.ts";
import type { LoginFormState, Note } from "./login-state.ts";
import type { Burst } from "./paste-burst.ts";

/** The part of Ink's key report that is needed here. */
export type PressedKey = { readonly return: boolean; readonly escape: boolean; readonly backspace: boolean; readonly delete: boolean; readonly ctrl: boolean; readonly meta: boolean };

/** Enter, Esc or a deletion. */
export const pressed = (room: FormRoom, key: PressedKey): void => {
  if (key.escape) return onEscape(room);
  const { phase, text } = room.get();
  if (phase === "over" && key.return) return room.end({ outcome: "again" });
  if (text === null || phase === "exchanging") return;
  if (key.return) return void submit(room, text);
  const rest = text.reveal().slice(0, -1);
  room.set(rest === "" ? emptyForm : { phase: "editing", text: secret(rest), note: null });
};

const onEscape = (room: FormRoom): void => {
  const clears = ["editing", "rejected", "retry"].includes(room.get().phase);
  return clears ? room.set(emptyForm) : room.end({ outcome: "cancelled" });
};

/** Typed letters or a paste: a key of the footer, more text for the field, or a code to send at once. */
export const takeBurst = (room: FormRoom, burst: Burst): void => {
  const { phase } = room.get();
  if (phase === "exchanging" || phase === "over") return;
  if (phase !== "editing" && isHelpKey(burst.text, phase)) return void helpOut(room, burst.text, true);
  const next = secret(withoutBreaks(textBefore(room.get(), burst) + burst.text));
  if (burst.pasted || /[\r\n]$/.test(burst.text)) return void submit(room, next);
  room.set({ phase: "editing", text: next, note: null });
};

// A whole paste replaces what was refused; typing goes on where it was.
const textBefore = ({ phase, text }: LoginFormState, { pasted }: Burst): string => (pasted && phase !== "editing" ? "" : (text?.reveal() ?? ""));

const isHelpKey = (text: string, phase: LoginFormState["phase"]): boolean => /^[ocuv]$/.test(text) || (text === "r" && phase === "retry");

const submit = async (room: FormRoom, text: Secret, note: Note | null = null): Promise<void> => {
  const { commands, attempt, clock } = room.deps;
  room.set({ phase: "exchanging", text, note, since: clock.monotonic() });
  try {
    const outcome = await commands.submitCode(text, attempt.attemptId);
    if (!room.isDone()) onOutcome(room, outcome);
  } catch (error) {
    if (room.isDone()) return;
    if (!(error instanceof AppError)) return room.fail(error);
    room.set({ ...emptyForm, phase: "over", note: { tone: "error", text: [error.message, error.hint].filter(Boolean).join(" ") } });
  }
};

const onOutcome = (room: FormRoom, outcome: SubmitOutcome): void => {
  if (outcome.outcome === "signed-in") return room.end({ outcome: "signed-in", accountId: outcome.accountId });
  if (outcome.outcome === "nothing") return room.set(emptyForm);
  // Which key helps is known only here: the same sentences go to pipes and to the HTTP API.
  const noteWith = (key: string): Note => ({ tone: "error", text: `${outcome.message}${key}` });
  if (outcome.outcome === "failed") return room.set({ ...emptyForm, phase: "over", note: noteWith(" Enter starts again with a new link.") });
  if (outcome.outcome === "retry") return room.set({ phase: "retry", note: noteWith(" r tries the same code again."), since: null });
  const note = noteWith("");
  // A key that was pasted by mistake is not kept, not even behind a mask.
  room.set(outcome.code === "key" ? { ...emptyForm, note } : { phase: "rejected", note, since: null });
};

/** The browser may finish this sign-in by itself, and the core may end it. */
export const onLoginEvent = (room: FormRoom, event: LoginEvent): void => {
  if (event.attemptId !== room.deps.attempt.attemptId) return;
  if (event.type === "login.succeeded") return room.end({ outcome: "signed-in", accountId: event.accountId });
  // While a paste is being sent its own answer tells more.
  if (room.get().text !== null && room.get().phase === "exchanging") return;
  if (event.type === "login.failed") {
    return room.set({ ...emptyForm, phase: "over", note: event.errorCode === "login-expired" ? expired : { tone: "error", text: event.message } });
  }
  if (event.type === "login.waiting") onBrowserStep(room, event.step);
};

const onBrowserStep = (room: FormRoom, step: "code" | "exchange"): void => {
  if (step === "exchange") room.set({ ...emptyForm, phase: "exchanging", note: { tone: "info", text: "The browser came back." }, since: room.deps.clock.monotonic() });
  else if (room.get().phase === "exchanging") room.set(emptyForm);
};

/** The keys o, c, u, v and r. What an edge answers is dropped when something newer is said by then. */
export const helpOut = async (room: FormRoom, key: string, asked: boolean): Promise<void> => {
  const { text } = room.get();
  if (key === "r" && text !== null) return submit(room, text);
  if (key === "o" && asked) beforeOpening(room);
  const before = room.get().note;
  const answer = await room.deps.help(key, { asked });
  if (room.isDone() || room.get().phase === "exchanging" || room.get().note !== before) return;
  if (answer.text !== null) return submit(room, answer.text, answer.note);
  if (answer.note !== null) room.set({ note: answer.note });
};

// A new page gives a new code: what was refused is not needed any more.
const beforeOpening = (room: FormRoom): void => {
  if (room.get().phase === "rejected") room.set(emptyForm);
  room.set({ note: { tone: "info", text: "Opening the page ..." } });
};
