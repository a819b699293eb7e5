// login.*: how far the open sign-in has come. An event of an attempt that is no longer the open one
// changes nothing.
import type { Event } from "../messages/events.ts";
import type { LoginState } from "./state.ts";

/** Folds one event; the same object when it says nothing new. */
export const foldLogin = (login: LoginState, event: Event): LoginState => {
  if (event.type === "login.started") {
    return { attemptId: event.attemptId, kind: event.kind, step: "code", expiresAt: event.expiresAt, message: null };
  }
  if (!("attemptId" in event) || event.attemptId !== login.attemptId) return login;
  switch (event.type) {
    case "login.waiting":
      return login.step === event.step ? login : { ...login, step: event.step };
    case "login.succeeded":
      return { ...login, step: "succeeded", message: null };
    case "login.failed":
      return { ...login, step: "failed", message: event.message };
    default:
      return login;
  }
};
