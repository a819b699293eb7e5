// What the person does to the screen: pane, selection, filter, pause, overlay; and the screen after one action.
// Pure. Knows nothing of the program behind it; selection is by id, so that the cursor stays on its row when
// others arrive.
import type { AppState } from "../state/state.ts";
import type { Alert } from "./theme.ts";

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

export type Message = { readonly text: string; readonly alert: Alert; readonly until: number };

export type UiState = {
  readonly pane: Pane;
  readonly overlay: Overlay | null;
  /** First line of the overlay that is shown. */
  readonly scroll: number;
  readonly prompt: Prompt | null;
  readonly selected: Readonly<Record<Pane, string | null>>;
  /** The selection sticks to the newest row. */
  readonly follow: boolean;
  /** What the lists show while they are paused. */
  readonly paused: AppState | null;
  readonly filter: string;
  readonly errorsOnly: boolean;
  /** Closed requests received up to this moment are out of sight; wall milliseconds. */
  readonly clearedAt: number;
  readonly message: Message | null;
  /** Quitting waits for a second key until then; wall milliseconds. */
  readonly quitUntil: number | null;
  /** A second Ctrl+Z until then really stops the process; wall milliseconds. */
  readonly suspendUntil: number | null;
};

export const initialUi: UiState = {
  pane: "requests",
  overlay: null,
  scroll: 0,
  prompt: null,
  selected: { requests: null, sessions: null, accounts: null, events: null },
  follow: true,
  paused: null,
  filter: "",
  errorsOnly: false,
  clearedAt: 0,
  message: null,
  quitUntil: null,
  suspendUntil: null,
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
  | { readonly type: "toggle-pause"; readonly state: AppState }
  | { readonly type: "toggle-errors" }
  | { readonly type: "filter"; readonly text: string }
  | { readonly type: "clear"; readonly at: number }
  | { readonly type: "ask"; readonly prompt: Prompt }
  | { readonly type: "answered" }
  | { readonly type: "say"; readonly message: Message }
  | { readonly type: "ask-quit"; readonly until: number }
  | { readonly type: "ask-suspend"; readonly until: number }
  | { readonly type: "expire"; readonly now: number };

type Only<T extends UiAction["type"]> = Extract<UiAction, { readonly type: T }>;
type Handlers = { readonly [T in UiAction["type"]]: (ui: UiState, action: Only<T>) => UiState };

/** Folds one action; the same object when it changes nothing. */
export const reduceUi = (ui: UiState, action: UiAction): UiState => (handlers[action.type] as (ui: UiState, action: UiAction) => UiState)(ui, action);

// Exactly one level: question, message, overlay, filter, errors only, another pane.
const back = (ui: UiState): UiState => {
  if (ui.quitUntil !== null || ui.suspendUntil !== null) return { ...ui, quitUntil: null, suspendUntil: null };
  if (ui.prompt !== null) return { ...ui, prompt: null, filter: ui.prompt.kind === "filter" ? "" : ui.filter };
  if (ui.overlay !== null) return { ...ui, overlay: null };
  if (ui.message !== null) return { ...ui, message: null };
  return ui.filter !== "" || ui.errorsOnly ? narrowLess(ui) : ui.pane === "requests" ? ui : { ...ui, pane: "requests" };
};

const narrowLess = (ui: UiState): UiState => (ui.filter === "" ? { ...ui, errorsOnly: false } : { ...ui, filter: "" });

const turn = (ui: UiState, by: number): UiState => {
  const index = (panes.indexOf(ui.pane) + by + panes.length) % panes.length;
  return { ...ui, pane: panes[index] ?? "requests", overlay: null };
};

const target = (how: Movement, at: number, last: number): number => {
  const wanted = "by" in how ? at + how.by : how.to === "start" ? 0 : last;
  return Math.max(0, Math.min(wanted, last));
};

// Newest is on top, so going to the start of the requests is following again.
const move = (ui: UiState, { how, ids }: Only<"move">): UiState => {
  if (ids.length === 0) return ui;
  const following = ui.follow && ui.pane === "requests";
  const at = following ? 0 : Math.max(0, ids.indexOf(ui.selected[ui.pane] ?? ""));
  const id = ids[target(how, at, ids.length - 1)] ?? null;
  const follow = ui.pane === "requests" ? "to" in how && how.to === "start" : ui.follow;
  return { ...ui, selected: { ...ui.selected, [ui.pane]: id }, follow };
};

const scroll = (ui: UiState, { how, last }: Only<"scroll">): UiState => {
  const line = target(how, ui.scroll, Math.max(0, last));
  return line === ui.scroll ? ui : { ...ui, scroll: line };
};

const expire = (ui: UiState, now: number): UiState => {
  const gone = (until: number | null): boolean => until !== null && until <= now;
  const message = gone(ui.message?.until ?? null);
  if (!gone(ui.quitUntil) && !gone(ui.suspendUntil) && !message) return ui;
  return { ...ui, quitUntil: gone(ui.quitUntil) ? null : ui.quitUntil, suspendUntil: gone(ui.suspendUntil) ? null : ui.suspendUntil, message: message ? null : ui.message };
};

const handlers: Handlers = {
  "show-pane": (ui, { pane }) => ({ ...ui, pane, overlay: null }),
  "turn-pane": (ui, { by }) => turn(ui, by),
  move,
  scroll,
  open: (ui, { overlay }) => ({ ...ui, overlay, scroll: 0 }),
  back,
  "toggle-follow": (ui) => ({ ...ui, follow: !ui.follow }),
  "toggle-pause": (ui, { state }) => ({ ...ui, paused: ui.paused === null ? state : null }),
  "toggle-errors": (ui) => ({ ...ui, errorsOnly: !ui.errorsOnly }),
  filter: (ui, { text }) => (text === ui.filter ? ui : { ...ui, filter: text }),
  clear: (ui, { at }) => ({ ...ui, clearedAt: at, paused: null }),
  ask: (ui, { prompt }) => ({ ...ui, prompt, message: null }),
  answered: (ui) => (ui.prompt === null ? ui : { ...ui, prompt: null }),
  say: (ui, { message }) => ({ ...ui, message }),
  "ask-quit": (ui, { until }) => ({ ...ui, quitUntil: until, prompt: null }),
  "ask-suspend": (ui, { until }) => ({ ...ui, suspendUntil: until }),
  expire: (ui, { now }) => expire(ui, now),
};
