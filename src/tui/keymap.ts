// Every key of the dashboard once: what it is called, where it works, what it does, why it may be off, and what
// the help and the footer say of it. Adding a key is adding one record. No key needs Alt, a function key or the
// mouse; letters work in lower case.
import { accountOf, confirmQuit, copyCurl, copyForPlace, login, openRequest, refresh, setEnabled, suspend } from "./actions.ts";
import type { ControllerContext } from "./controller.ts";
import type { Overlay, Pane, UiState } from "./ui-state.ts";

/** Where the keys go: a pane, or what lies over it. */
export type Place = Pane | Overlay["kind"];

export type Binding = {
  /** What it does, in one word for the code. */
  readonly name: string;
  /** Names of keys, as `keyName` gives them. */
  readonly keys: readonly string[];
  /** What `?` says; empty when it is not shown there. */
  readonly help: string;
  /** The footer's word; absent when it is not shown there. */
  readonly hint?: string | ((ui: UiState) => string);
  /** Where it works; absent means everywhere. */
  readonly places?: readonly Place[];
  readonly run: (context: ControllerContext) => void;
  /** Why it does nothing now, in a sentence for a person; null or absent when it works. */
  readonly off?: (context: ControllerContext) => string | null;
  /** Held down on a slow line it arrives as several in one piece, each of which counts. */
  readonly repeats?: true;
  /** The question that this key answers with yes. */
  readonly confirms?: "quitUntil" | "suspendUntil";
};

const lists: readonly Place[] = ["requests", "sessions", "accounts", "events"];
const onAccount: readonly Place[] = ["accounts", "account"];

const passThrough = ({ deps }: ControllerContext): string | null =>
  deps.app.store.snapshot().server.mode === "pass-through" ? "In pass-through mode the client keeps its own login; nothing is stored here." : null;
const noAccount = (context: ControllerContext): string | null =>
  accountOf(context) === undefined ? (passThrough(context) ?? "There is no account here. a signs one in.") : null;
const requestGone = (context: ControllerContext): string | null => (openRequest(context) === undefined ? "This request is no longer in memory." : null);
const nothingListed = (context: ControllerContext): string | null => (context.selectedId() === null ? "The list is empty." : null);

const ask = (kind: "rename" | "priority" | "remove") => (context: ControllerContext): void => {
  const account = accountOf(context);
  if (account !== undefined) context.dispatch({ type: "ask", prompt: { kind, accountId: account.id } });
};

export const bindings: readonly Binding[] = [
  {
    name: "quit", keys: ["q"],
    help: "quit; asks when requests are open, a second q within 3 s confirms",
    hint: "quit", repeats: true, confirms: "quitUntil",
    run: (context) => confirmQuit(context, "drain"),
  },
  { name: "interrupt", keys: ["Ctrl+C"], help: "as q; twice stops at once", confirms: "quitUntil", run: (context) => confirmQuit(context, "at-once") },
  {
    name: "help", keys: ["?", "h"],
    help: "this help",
    hint: "help",
    run: ({ ui, dispatch }) => dispatch(ui().overlay?.kind === "help" ? { type: "back" } : { type: "open", overlay: { kind: "help" } }),
  },
  { name: "down", keys: ["j", "Down"], help: "one row down", repeats: true, run: ({ move }) => move({ by: 1 }) },
  { name: "up", keys: ["k", "Up"], help: "one row up", repeats: true, run: ({ move }) => move({ by: -1 }) },
  { name: "page-down", keys: ["PgDn", "Ctrl+D"], help: "one page down", run: ({ move, page }) => move({ by: page() }) },
  { name: "page-up", keys: ["PgUp", "Ctrl+U"], help: "one page up", run: ({ move, page }) => move({ by: -page() }) },
  { name: "start", keys: ["g", "Home"], help: "to the newest row, and follow", run: ({ move }) => move({ to: "start" }) },
  { name: "end", keys: ["G", "End"], help: "to the last row", run: ({ move }) => move({ to: "end" }) },
  { name: "open", keys: ["Enter"], help: "details of the selected row", hint: "detail", places: lists, off: nothingListed, run: ({ open }) => open() },
  {
    name: "back", keys: ["Esc"],
    help: "one step back: close, clear the filter, go to the requests",
    hint: "back", places: ["request", "session", "account", "event", "help"],
    run: ({ dispatch }) => dispatch({ type: "back" }),
  },
  { name: "back", keys: ["Esc"], help: "", places: lists, run: ({ dispatch }) => dispatch({ type: "back" }) },
  { name: "next-pane", keys: ["Tab"], help: "next pane", hint: "pane", places: lists, run: ({ dispatch }) => dispatch({ type: "turn-pane", by: 1 }) },
  { name: "previous-pane", keys: ["Shift+Tab"], help: "previous pane", places: lists, run: ({ dispatch }) => dispatch({ type: "turn-pane", by: -1 }) },
  { name: "pane-1", keys: ["1"], help: "requests", run: ({ dispatch }) => dispatch({ type: "show-pane", pane: "requests" }) },
  { name: "pane-2", keys: ["2"], help: "sessions", run: ({ dispatch }) => dispatch({ type: "show-pane", pane: "sessions" }) },
  { name: "pane-3", keys: ["3"], help: "accounts", run: ({ dispatch }) => dispatch({ type: "show-pane", pane: "accounts" }) },
  { name: "pane-4", keys: ["4"], help: "events", run: ({ dispatch }) => dispatch({ type: "show-pane", pane: "events" }) },
  {
    name: "filter", keys: ["/"],
    help: "filter the requests: status, model, path, client, session; !text means without; Enter keeps, Esc clears",
    hint: "filter", places: ["requests"],
    run: ({ dispatch }) => dispatch({ type: "ask", prompt: { kind: "filter" } }),
  },
  { name: "errors", keys: ["e"], help: "errors only", hint: "errors", places: ["requests"], run: ({ dispatch }) => dispatch({ type: "toggle-errors" }) },
  { name: "follow", keys: ["f"], help: "follow the newest request", hint: "follow", places: ["requests"], run: ({ dispatch }) => dispatch({ type: "toggle-follow" }) },
  {
    name: "pause", keys: ["p", "Space"],
    help: "freeze the lists; the header stays live",
    hint: ({ paused }) => (paused === null ? "pause" : "resume"), places: lists,
    run: ({ dispatch, deps }) => dispatch({ type: "toggle-pause", state: deps.app.store.snapshot() }),
  },
  { name: "copy", keys: ["c"], help: "copy the lines that set up Claude Code", hint: "copy", places: lists, run: copyForPlace },
  { name: "copy", keys: ["c"], help: "copy the request id (in a request's details)", hint: "copy id", places: ["request"], off: requestGone, run: copyForPlace },
  {
    name: "curl", keys: ["x"],
    help: "copy the request as curl, without secrets (in a request's details)",
    hint: "curl", places: ["request"], off: requestGone,
    run: copyCurl,
  },
  {
    name: "clear", keys: ["x"],
    help: "clear the list; the counters stay",
    places: ["requests"],
    run: ({ dispatch, deps }) => dispatch({ type: "clear", at: deps.clock.now() }),
  },
  {
    name: "refresh", keys: ["r"],
    help: "refresh the token now (in the accounts pane: of the selected account)",
    hint: "refresh", places: [...lists, "account"], off: passThrough,
    run: refresh,
  },
  { name: "login", keys: ["l"], help: "sign in again", hint: "login", places: [...lists, "account"], off: passThrough, run: login },
  { name: "toggle-account", keys: ["d"], help: "enable or disable the account", hint: "on/off", places: onAccount, off: noAccount, run: setEnabled },
  { name: "rename", keys: ["n"], help: "rename the account", hint: "rename", places: onAccount, off: noAccount, run: ask("rename") },
  { name: "priority", keys: ["o"], help: "priority of the account; lower comes first", hint: "order", places: onAccount, off: noAccount, run: ask("priority") },
  { name: "remove", keys: ["x"], help: "remove the account, after asking", hint: "remove", places: onAccount, off: noAccount, run: ask("remove") },
  { name: "add-account", keys: ["a"], help: "add an account by signing in", hint: "add", places: ["accounts"], off: passThrough, run: ({ deps }) => deps.login(null) },
  {
    name: "add-key", keys: ["y"],
    help: "add an account by its API key",
    hint: "key", places: ["accounts"], off: passThrough,
    run: ({ dispatch }) => dispatch({ type: "ask", prompt: { kind: "add-key" } }),
  },
  { name: "redraw", keys: ["Ctrl+L"], help: "draw the screen anew", run: ({ deps }) => deps.redraw() },
  { name: "suspend", keys: ["Ctrl+Z"], help: "twice: stop the whole process, the proxy too", confirms: "suspendUntil", run: suspend },
];

/** Where the keys go now. */
export const placeOf = ({ overlay, pane }: Pick<UiState, "overlay" | "pane">): Place => overlay?.kind ?? pane;

/** Does the binding work in `place`. */
export const worksIn = ({ places }: Binding, place: Place): boolean => places?.includes(place) ?? true;

/** What `key` does in `place`; null when nothing. */
export const bindingFor = (key: string, place: Place): Binding | null => bindings.find((binding) => binding.keys.includes(key) && worksIn(binding, place)) ?? null;

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
