// The paste field at work: keys, pastes, events and time in, one end out. It lets nothing of the pasted
// text reach React, a sentence or an error; it draws nothing itself.
import type { LoginEvent } from "../../messages/events.ts";
import { createFormRoom } from "./login-room.ts";
import type { FormDeps, FormRoom } from "./login-room.ts";
import { emptyForm, expired } from "./login-state.ts";
import { helpOut, onLoginEvent, pressed, takeBurst } from "./login-steps.ts";
import type { PressedKey } from "./login-steps.ts";
import { createBurstJoiner } from "./paste-burst.ts";

export type LoginForm = Pick<FormRoom, "ended" | "subscribe" | "snapshot" | "close"> & {
  /** What Ink's `useInput` reports. */
  input(text: string, key: PressedKey): void;
  /** What Ink's `usePaste` reports. */
  paste(text: string): void;
  /** Opens the page as `o` does, but says nothing where that is not tried. */
  openPage(): void;
  quit(): void;
};

/** Starts the countdown and listens at once; `close`, which stops both, is the caller's duty. */
export const createLoginForm = (deps: FormDeps): LoginForm => {
  const room = createFormRoom(deps);
  const joiner = createBurstJoiner(deps.clock, (burst) => room.isDone() || takeBurst(room, burst));
  const stopListening = deps.subscribe((event) => {
    if (!room.isDone() && event.type.startsWith("login.")) onLoginEvent(room, event as LoginEvent);
  }, "the sign-in form");
  const ticking = deps.clock.setInterval(() => tick(room), 1000);
  return {
    ended: room.ended,
    subscribe: room.subscribe,
    snapshot: room.snapshot,
    input(text, key) {
      if (room.isDone()) return;
      if (key.ctrl) return text === "c" ? room.end({ outcome: "quit" }) : undefined;
      if (!isNamed(key)) return text === "" || key.meta ? undefined : joiner.push(text);
      if (!key.escape) joiner.flush();
      // Esc takes back what was typed a moment ago, before it means anything else.
      else if (joiner.drop() && room.get().phase === "waiting") return;
      pressed(room, key);
    },
    paste: (text) => void (room.isDone() || joiner.paste(text)),
    openPage: () => void helpOut(room, "o", false),
    quit: () => room.end({ outcome: "quit" }),
    close() {
      joiner.drop();
      stopListening();
      ticking.cancel();
      room.close();
    },
  };
};

const isNamed = (key: PressedKey): boolean => key.return || key.escape || key.backspace || key.delete;

const tick = (room: FormRoom): void => {
  if (room.isDone()) return;
  const { phase } = room.get();
  if (room.leftMs() <= 0 && phase !== "exchanging" && phase !== "over") room.set({ ...emptyForm, phase: "over", note: expired });
  else room.tell();
};
