// The screen after one action of the person. Pure; one handler for each action.
import { panes } from "./ui-state.ts";
import type { Movement, UiAction, UiState } from "./ui-state.ts";

type Only<T extends UiAction["type"]> = Extract<UiAction, { readonly type: T }>;
type Handlers = { readonly [T in UiAction["type"]]: (ui: UiState, action: Only<T>) => UiState };

/** Folds one action; the same object when it changes nothing. */
export const reduceUi = (ui: UiState, action: UiAction): UiState => (handlers[action.type] as (ui: UiState, action: UiAction) => UiState)(ui, action);

// Exactly one level: question, message, overlay, filter, errors only, another pane.
const back = (ui: UiState): UiState => {
  if (ui.quitUntil !== null || ui.freezeUntil !== null) return { ...ui, quitUntil: null, freezeUntil: null };
  if (ui.prompt !== null) return { ...ui, prompt: null, filter: ui.prompt.kind === "filter" ? "" : ui.filter };
  if (ui.overlay !== null) return { ...ui, overlay: null, scroll: 0 };
  if (ui.message !== null) return { ...ui, message: null };
  return home(ui);
};

const home = (ui: UiState): UiState => {
  if (ui.filter !== "") return { ...ui, filter: "" };
  if (ui.errorsOnly) return { ...ui, errorsOnly: false };
  return ui.pane === "requests" ? ui : { ...ui, pane: "requests" };
};

const turn = (ui: UiState, by: number): UiState => {
  const index = (panes.indexOf(ui.pane) + by + panes.length) % panes.length;
  return { ...ui, pane: panes[index] ?? "requests", overlay: null, scroll: 0 };
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
  if (!gone(ui.quitUntil) && !gone(ui.freezeUntil) && !message) return ui;
  return { ...ui, quitUntil: gone(ui.quitUntil) ? null : ui.quitUntil, freezeUntil: gone(ui.freezeUntil) ? null : ui.freezeUntil, message: message ? null : ui.message };
};

const handlers: Handlers = {
  "show-pane": (ui, { pane }) => ({ ...ui, pane, overlay: null, scroll: 0 }),
  "turn-pane": (ui, { by }) => turn(ui, by),
  move,
  scroll,
  open: (ui, { overlay }) => ({ ...ui, overlay, scroll: 0 }),
  back,
  "toggle-follow": (ui) => ({ ...ui, follow: !ui.follow }),
  "toggle-pause": (ui, { picture }) => ({ ...ui, frozen: ui.frozen === null ? picture : null }),
  "toggle-errors": (ui) => ({ ...ui, errorsOnly: !ui.errorsOnly }),
  filter: (ui, { text }) => (text === ui.filter ? ui : { ...ui, filter: text }),
  clear: (ui, { at }) => ({ ...ui, clearedAt: at, frozen: null }),
  ask: (ui, { prompt }) => ({ ...ui, prompt, message: null }),
  answered: (ui) => (ui.prompt === null ? ui : { ...ui, prompt: null }),
  say: (ui, { message }) => ({ ...ui, message }),
  "ask-quit": (ui, { until }) => ({ ...ui, quitUntil: until, prompt: null }),
  "ask-freeze": (ui, { until }) => ({ ...ui, freezeUntil: until }),
  expire: (ui, { now }) => expire(ui, now),
};
