// Turns keys into what happens: changes of the screen at once, the rest through the program's commands. Owns the
// state of the screen; outlives the drawing, which may be taken down for a sign-in and put up again.
import type { App } from "../app/app.ts";
import type { Clock } from "../lib/clock.ts";
import { answerPrompt, confirmQuit } from "./actions.ts";
import { bindingFor, keyName, placeOf } from "./keymap.ts";
import type { Binding, KeyReport } from "./keymap.ts";
import { currentListing, selectedId } from "./screens/dashboard.ts";
import { overlayHeight, overlayText } from "./screens/overlay.ts";
import type { Alert, Glyphs } from "./theme.ts";
import { initialUi, reduceUi } from "./ui-state.ts";
import type { Movement, Overlay, Pane, UiAction, UiState } from "./ui-state.ts";
import { viewOf } from "./view.ts";
import type { About, View } from "./view.ts";

export type ControllerDeps = {
  readonly app: Pick<App, "store" | "commands">;
  readonly clock: Clock;
  readonly about: About;
  readonly glyphs: Glyphs;
  readonly copy: (text: string) => Promise<{ readonly ok: boolean; readonly message: string }>;
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly memory: () => number | null;
  /** Leaves the dashboard for the sign-in screen and comes back. */
  readonly login: (accountId: string | null) => void;
  readonly redraw: () => void;
  /** Stops the process until the shell continues it. */
  readonly suspend: () => Promise<void>;
  /** Something on the screen is different now. */
  readonly changed: () => void;
};

export type Controller = {
  ui(): UiState;
  view(slow: boolean): View;
  /** One key, or a piece of text that arrived as one. */
  press(input: string, key: PressedKey): void;
  /** Text from the clipboard, arrived in one piece: goes into the filter or nowhere. */
  paste(text: string): void;
  /** The answer to the prompt that is open; null cancels. */
  answer(text: string | null): void;
  say(text: string, alert: Alert): void;
};

export type PressedKey = KeyReport & { readonly backspace?: boolean; readonly delete?: boolean };

/** What the keys of the table work with. */
export type ControllerContext = {
  readonly deps: ControllerDeps;
  readonly ui: () => UiState;
  readonly view: () => View;
  readonly dispatch: (action: UiAction) => void;
  readonly say: (text: string, alert: Alert) => void;
  /** Runs a command of the program; says what it resolves to, or why it failed. */
  readonly perform: (command: () => Promise<string>) => void;
  /** Moves the selection of the list, or the text of the overlay. */
  readonly move: (how: Movement) => void;
  /** Rows of a page. */
  readonly page: () => number;
  /** The id under the cursor; null in an empty list. */
  readonly selectedId: () => string | null;
  /** Opens the details of what is under the cursor. */
  readonly open: () => void;
};

/** How long a message stays, milliseconds; bad news stay longer. */
const messageMs: Readonly<Partial<Record<Alert, number>>> = { warning: 8000, error: 10_000 };

export const createController = (deps: ControllerDeps): Controller => {
  let ui = initialUi;
  const dispatch = (action: UiAction): void => {
    const next = reduceUi(ui, action);
    if (next === ui) return;
    ui = next;
    deps.changed();
  };
  const say = (text: string, alert: Alert): void => dispatch({ type: "say", message: { text, alert, until: deps.clock.now() + (messageMs[alert] ?? 4000) } });
  const view = (slow = false): View =>
    viewOf({ live: deps.app.store.snapshot(), ui, now: deps.clock.now(), glyphs: deps.glyphs, slow, memory: deps.memory(), about: deps.about, ...deps.size() });
  const perform = async (command: () => Promise<string>): Promise<void> => {
    try {
      say(await command(), "good");
    } catch (error) {
      say(reasonOf(error), "error");
    }
  };
  const context: ControllerContext = { deps, ui: () => ui, view, dispatch, say, perform: (command) => void perform(command), ...movements(view, dispatch) };
  return {
    ui: () => ui,
    view(slow) {
      ui = reduceUi(ui, { type: "expire", now: deps.clock.now() });
      return view(slow);
    },
    press(input, key) {
      // A mistake on the screen must not end the proxy behind it.
      try {
        press(context, input, key);
      } catch (error) {
        say(reasonOf(error), "error");
      }
    },
    paste(text) {
      if (ui.prompt?.kind === "filter") dispatch({ type: "filter", text: filterText(ui.filter + text) });
    },
    answer: (text) => answerPrompt(context, text),
    say,
  };
};

const details: Readonly<Record<Pane, Exclude<Overlay["kind"], "help">>> = { requests: "request", sessions: "session", accounts: "account", events: "event" };

const movements = (view: () => View, dispatch: (action: UiAction) => void): Pick<ControllerContext, "move" | "page" | "selectedId" | "open"> => ({
  move(how) {
    const seen = view();
    if (seen.ui.overlay !== null) return dispatch({ type: "scroll", how, last: overlayText(seen).length - overlayHeight(seen) });
    dispatch({ type: "move", how, ids: currentListing(seen).ids.filter((id) => id !== null) });
  },
  page: () => Math.max(1, view().layout.list - 1),
  selectedId: () => selectedId(view()),
  open() {
    const seen = view();
    const id = selectedId(seen);
    if (id !== null) dispatch({ type: "open", overlay: { kind: details[seen.ui.pane], id } });
  },
});

// Commands refuse with a sentence and a hint that are made for people.
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "That did not work.";
  const hint = "hint" in error && typeof error.hint === "string" ? ` ${error.hint}` : "";
  return `${error.message}${hint}`;
};

// What a key means depends on what is open: text of the filter, answer to a question, or a key of the table.
const press = (context: ControllerContext, input: string, key: PressedKey): void => {
  const { prompt } = context.ui();
  if (prompt?.kind === "filter") return editFilter(context, input, key);
  const name = keyName(input, key);
  // The inputs of the other prompts read the keys themselves.
  if (prompt !== null) return name === "Esc" || name === "Ctrl+C" ? answerPrompt(context, null) : undefined;
  if (name === null) return typedAhead(context, input);
  const binding = bindingFor(name, placeOf(context.ui()));
  if (!answersQuestion(context, binding) && binding !== null) run(context, binding);
};

const run = (context: ControllerContext, { off, run: act }: Binding): void => {
  const reason = off?.(context) ?? null;
  if (reason === null) act(context);
  else context.say(reason, "warning");
};

// An open question takes its own key as yes. Any other key is a no, and then means what it always means;
// Esc means no and nothing else. True when there is nothing left to do.
const answersQuestion = ({ ui, dispatch }: ControllerContext, binding: Binding | null): boolean => {
  const { quitUntil, suspendUntil } = ui();
  if (quitUntil === null && suspendUntil === null) return false;
  if (binding?.confirms !== undefined && ui()[binding.confirms] !== null) return false;
  dispatch({ type: "back" });
  return binding?.name === "back";
};

// A slow line delivers several keys in one piece: the same key held down, or a filter typed quickly.
// Anything else of several characters is a paste that strayed here, and does nothing.
const typedAhead = (context: ControllerContext, input: string): void => {
  const [first = ""] = input;
  const binding = input.length < 2 ? null : bindingFor(first, placeOf(context.ui()));
  if (binding?.name === "filter") {
    run(context, binding);
    typeFilter(context, input.slice(1));
  } else if (binding?.repeats === true && [...input].every((character) => character === first)) {
    for (let count = Math.min(input.length, 50); count > 0; count -= 1) run(context, binding);
  }
};

const longestFilter = 60;

// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const filterText = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, longestFilter);

const editFilter = (context: ControllerContext, input: string, key: PressedKey): void => {
  const { ui, dispatch } = context;
  const edits: Readonly<Record<string, () => void>> = {
    Esc: () => dispatch({ type: "back" }),
    Enter: () => dispatch({ type: "answered" }),
    "Ctrl+C": () => confirmQuit(context, "at-once"),
    "Ctrl+U": () => dispatch({ type: "filter", text: "" }),
  };
  const edit = edits[keyName(input, key) ?? ""];
  if (edit !== undefined) edit();
  else if (key.backspace === true || key.delete === true) dispatch({ type: "filter", text: [...ui().filter].slice(0, -1).join("") });
  else if (!key.ctrl && !key.meta) typeFilter(context, input);
};

// Text and Enter may arrive in one piece.
const typeFilter = ({ ui, dispatch }: ControllerContext, text: string): void => {
  dispatch({ type: "filter", text: filterText(ui().filter + text) });
  if (/[\r\n]$/.test(text)) dispatch({ type: "answered" });
};
