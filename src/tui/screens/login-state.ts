// The paste field as a value, and what is drawn of it. Pure. The text is a secret; only its mask gets
// into the picture.
import { assertNever } from "../../lib/assert-never.ts";
import type { Secret } from "../../lib/secret.ts";
import { maskPaste } from "./login-mask.ts";

/**
 * `rejected`: a paste that cannot be a code of this attempt, still in the field. `retry`: the same
 * code may be sent again. `over`: this attempt has ended, only a new link helps.
 */
export type LoginPhase = "waiting" | "editing" | "exchanging" | "rejected" | "retry" | "over";

export type Note = { readonly tone: "info" | "error"; readonly text: string };

export type LoginFormState = {
  readonly phase: LoginPhase;
  readonly text: Secret | null;
  readonly note: Note | null;
  /** Monotonic milliseconds when the exchange began. */
  readonly since: number | null;
};

export const emptyForm: LoginFormState = { phase: "waiting", text: null, note: null, since: null };

export const expired: Note = { tone: "error", text: "This sign-in has timed out. Enter starts again with a new link." };

/** One key of the footer: the key, what it does, and the same in fewer columns. */
export type KeyHint = { readonly key: string; readonly does: string; readonly short?: string };

/** What the screen draws. */
export type LoginView = {
  readonly field: string;
  readonly line: { readonly tone: "busy" | "info" | "error"; readonly text: string } | null;
  readonly keys: readonly KeyHint[];
  readonly left: string;
};

export type LoginNow = { readonly states: readonly string[]; readonly leftMs: number; readonly monotonic: number };

export const viewOf = (state: LoginFormState, { states, leftMs, monotonic }: LoginNow): LoginView => ({
  field: state.text === null ? "" : maskPaste(state.text.reveal(), states),
  line: lineOf(state, monotonic),
  keys: keysOf(state.phase),
  left: state.phase === "over" ? "" : `${clockFace(leftMs)} left`,
});

const lineOf = ({ phase, note, since }: LoginFormState, monotonic: number): LoginView["line"] => {
  if (phase !== "exchanging") return note;
  const seconds = Math.floor((monotonic - (since ?? monotonic)) / 1000);
  const before = note === null ? "" : `${note.text} `;
  return { tone: "busy", text: `${before}Exchanging the code ... ${seconds}s` };
};

const clockFace = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

const helps: readonly KeyHint[] = [
  { key: "o", does: "open" },
  { key: "c", does: "copy link", short: "copy" },
  { key: "u", does: "file" },
  { key: "v", does: "clipboard" },
];
const clear: KeyHint = { key: "Esc", does: "clear" };
const cancel: KeyHint = { key: "Esc", does: "cancel" };
const quit: KeyHint = { key: "Ctrl+C", does: "quit" };

const keysOf = (phase: LoginPhase): readonly KeyHint[] => {
  switch (phase) {
    case "waiting":
      return [...helps, cancel, quit];
    case "rejected":
      return [...helps, clear, quit];
    case "retry":
      return [{ key: "r", does: "try again" }, ...helps, clear, quit];
    case "editing":
      return [{ key: "Enter", does: "send" }, clear, quit];
    case "exchanging":
      return [cancel, quit];
    case "over":
      return [{ key: "Enter", does: "new link" }, cancel, quit];
    default:
      return assertNever(phase);
  }
};
