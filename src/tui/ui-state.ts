// What the person does to the screen: pane, selection, filter, pause, overlay. Knows nothing of the
// program behind it; selection is by id, so that the cursor stays on its row when others arrive.
import type { AppState } from "../state/state.ts";
import type { Tone } from "./theme.ts";

export const panes = ["requests", "sessions", "accounts", "events"] as const;
export type Pane = (typeof panes)[number];

/** What lies over the panes. */
export type Overlay =
  | { readonly kind: "help" }
  | { readonly kind: "request"; readonly id: string }
  | { readonly kind: "session"; readonly id: string }
  | { readonly kind: "account"; readonly id: string }
  | { readonly kind: "event"; readonly id: string };

/** A question in the last line that takes the keys until it is answered. */
export type Prompt =
  | { readonly kind: "filter" }
  | { readonly kind: "rename" | "priority" | "remove"; readonly accountId: string }
  | { readonly kind: "add-key" };

export type Message = { readonly text: string; readonly tone: Tone; readonly until: number };

export type UiState = {
  readonly pane: Pane;
  readonly overlay: Overlay | null;
  /** First line of the overlay that is shown. */
  readonly scroll: number;
  readonly prompt: Prompt | null;
  readonly selected: Readonly<Record<Pane, string | null>>;
  /** The selection sticks to the newest row. */
  readonly follow: boolean;
  /** The picture at the moment of the pause. */
  readonly frozen: AppState | null;
  readonly filter: string;
  readonly errorsOnly: boolean;
  /** Closed requests received up to this moment are out of sight; wall milliseconds. */
  readonly clearedAt: number;
  readonly message: Message | null;
  /** Quitting waits for a second key until then; wall milliseconds. */
  readonly quitUntil: number | null;
  /** A second Ctrl+Z until then really stops the process; wall milliseconds. */
  readonly freezeUntil: number | null;
};

export const initialUi: UiState = {
  pane: "requests",
  overlay: null,
  scroll: 0,
  prompt: null,
  selected: { requests: null, sessions: null, accounts: null, events: null },
  follow: true,
  frozen: null,
  filter: "",
  errorsOnly: false,
  clearedAt: 0,
  message: null,
  quitUntil: null,
  freezeUntil: null,
};

export type Movement = { readonly by: number } | { readonly to: "start" | "end" };

export type UiAction =
  | { readonly type: "show-pane"; readonly pane: Pane }
  | { readonly type: "turn-pane"; readonly by: 1 | -1 }
  /** `ids` are those of the list as it is drawn. */
  | { readonly type: "move"; readonly how: Movement; readonly ids: readonly string[] }
  | { readonly type: "scroll"; readonly how: Movement; readonly last: number }
  | { readonly type: "open"; readonly overlay: Overlay }
  | { readonly type: "back" }
  | { readonly type: "toggle-follow" }
  | { readonly type: "toggle-pause"; readonly picture: AppState }
  | { readonly type: "toggle-errors" }
  | { readonly type: "filter"; readonly text: string }
  | { readonly type: "clear"; readonly at: number }
  | { readonly type: "ask"; readonly prompt: Prompt }
  | { readonly type: "answered" }
  | { readonly type: "say"; readonly message: Message }
  | { readonly type: "ask-quit"; readonly until: number }
  | { readonly type: "ask-freeze"; readonly until: number }
  | { readonly type: "expire"; readonly now: number };
