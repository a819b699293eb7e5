// Every key of the dashboard once: what it is, where it works, what it does, what the help and the
// footer say. No key needs Alt, a function key or the mouse; letters work in lower case.
import type { UiState } from "./ui-state.ts";

/** Where the keys go: a pane, or what lies over it. */
export type Place = "requests" | "sessions" | "accounts" | "events" | "request" | "session" | "account" | "event" | "help";

export type ActionName =
  | "quit" | "interrupt" | "help" | "down" | "up" | "page-down" | "page-up" | "start" | "end" | "open" | "back"
  | "filter" | "errors" | "follow" | "pause" | "copy" | "refresh" | "login" | "next-pane" | "previous-pane"
  | "pane-1" | "pane-2" | "pane-3" | "pane-4" | "clear" | "curl" | "redraw" | "freeze"
  | "toggle-account" | "rename" | "priority" | "remove" | "add-account" | "add-key";

export type Binding = {
  /** Names of keys, as `keyName` gives them. */
  readonly keys: readonly string[];
  readonly action: ActionName;
  /** What `?` says. */
  readonly help: string;
  /** The footer's word; empty when it is not shown there. */
  readonly hint: string;
  /** Where it works; absent means everywhere. */
  readonly places?: readonly Place[];
};

const lists: readonly Place[] = ["requests", "sessions", "accounts", "events"];

export const bindings: readonly Binding[] = [
  { keys: ["q"], action: "quit", help: "quit; asks when requests are open, a second q within 3 s confirms", hint: "quit" },
  { keys: ["Ctrl+C"], action: "interrupt", help: "as q; twice stops at once", hint: "" },
  { keys: ["?", "h"], action: "help", help: "this help", hint: "help" },
  { keys: ["j", "Down"], action: "down", help: "one row down", hint: "" },
  { keys: ["k", "Up"], action: "up", help: "one row up", hint: "" },
  { keys: ["PgDn", "Ctrl+D"], action: "page-down", help: "one page down", hint: "" },
  { keys: ["PgUp", "Ctrl+U"], action: "page-up", help: "one page up", hint: "" },
  { keys: ["g", "Home"], action: "start", help: "to the newest row, and follow", hint: "" },
  { keys: ["G", "End"], action: "end", help: "to the last row", hint: "" },
  { keys: ["Enter"], action: "open", help: "details of the selected row", hint: "detail", places: lists },
  { keys: ["Esc"], action: "back", help: "one step back: close, clear the filter, go to the requests", hint: "back", places: ["request", "session", "account", "event", "help"] },
  { keys: ["Esc"], action: "back", help: "", hint: "", places: lists },
  { keys: ["Tab"], action: "next-pane", help: "next pane", hint: "pane", places: lists },
  { keys: ["Shift+Tab"], action: "previous-pane", help: "previous pane", hint: "", places: lists },
  { keys: ["1"], action: "pane-1", help: "requests", hint: "" },
  { keys: ["2"], action: "pane-2", help: "sessions", hint: "" },
  { keys: ["3"], action: "pane-3", help: "accounts", hint: "" },
  { keys: ["4"], action: "pane-4", help: "events", hint: "" },
  { keys: ["/"], action: "filter", help: "filter the requests: status, model, path, client, session; !text means without; Enter keeps, Esc clears", hint: "filter", places: ["requests"] },
  { keys: ["e"], action: "errors", help: "errors only", hint: "errors", places: ["requests"] },
  { keys: ["f"], action: "follow", help: "follow the newest request", hint: "follow", places: ["requests"] },
  { keys: ["p", "Space"], action: "pause", help: "freeze the lists; the header stays live", hint: "pause", places: lists },
  { keys: ["c"], action: "copy", help: "copy the lines that set up Claude Code", hint: "copy", places: ["requests", "sessions", "accounts", "events"] },
  { keys: ["c"], action: "copy", help: "copy the request id (in a request's details)", hint: "copy id", places: ["request"] },
  { keys: ["x"], action: "curl", help: "copy the request as curl, without secrets (in a request's details)", hint: "curl", places: ["request"] },
  { keys: ["x"], action: "clear", help: "clear the list; the counters stay", hint: "", places: ["requests"] },
  { keys: ["r"], action: "refresh", help: "refresh the token now (in the accounts pane: of the selected account)", hint: "refresh", places: [...lists, "account"] },
  { keys: ["l"], action: "login", help: "sign in again", hint: "login", places: [...lists, "account"] },
  { keys: ["d"], action: "toggle-account", help: "enable or disable the account", hint: "on/off", places: ["accounts", "account"] },
  { keys: ["n"], action: "rename", help: "rename the account", hint: "rename", places: ["accounts", "account"] },
  { keys: ["o"], action: "priority", help: "priority of the account; lower comes first", hint: "order", places: ["accounts", "account"] },
  { keys: ["x"], action: "remove", help: "remove the account, after asking", hint: "remove", places: ["accounts", "account"] },
  { keys: ["a"], action: "add-account", help: "add an account by signing in", hint: "add", places: ["accounts"] },
  { keys: ["y"], action: "add-key", help: "add an account by its API key", hint: "key", places: ["accounts"] },
  { keys: ["Ctrl+L"], action: "redraw", help: "draw the screen anew", hint: "" },
  { keys: ["Ctrl+Z"], action: "freeze", help: "twice: stop the whole process, the proxy too", hint: "" },
];

/** Where the keys go now. */
export const placeOf = ({ overlay, pane }: Pick<UiState, "overlay" | "pane">): Place => overlay?.kind ?? pane;

/** What `key` does in `place`; null when nothing. */
export const actionFor = (key: string, place: Place): ActionName | null =>
  bindings.find(({ keys, places }) => keys.includes(key) && (places?.includes(place) ?? true))?.action ?? null;

/** The part of Ink's key report that is needed here. */
export type KeyReport = {
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly pageUp: boolean;
  readonly pageDown: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly tab: boolean;
};

const special: readonly (readonly [keyof KeyReport, string])[] = [
  ["upArrow", "Up"], ["downArrow", "Down"], ["pageUp", "PgUp"], ["pageDown", "PgDn"],
  ["home", "Home"], ["end", "End"], ["return", "Enter"], ["escape", "Esc"],
];

/** The name of a pressed key as the table has it; null for Alt combinations and text of several characters. */
export const keyName = (input: string, key: KeyReport): string | null => {
  if (key.tab) return key.shift ? "Shift+Tab" : "Tab";
  const named = special.find(([field]) => key[field]);
  if (named !== undefined) return named[1];
  if (key.meta || input.length !== 1) return null;
  if (key.ctrl) return `Ctrl+${input.toUpperCase()}`;
  return input === " " ? "Space" : input;
};
