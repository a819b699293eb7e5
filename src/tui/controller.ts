// Turns keys into what happens: changes of the screen at once, wishes to the program through its
// commands. Owns the UI state; outlives the drawing, which may be taken down for a sign-in and put up again.
import type { App } from "../app/app.ts";
import type { Clock } from "../lib/clock.ts";
import { createActions } from "./actions.ts";
import type { KeyReport } from "./keymap.ts";
import { filterText, pressed } from "./press.ts";
import type { Glyphs, Tone } from "./theme.ts";
import { reduceUi } from "./ui-reduce.ts";
import { initialUi } from "./ui-state.ts";
import type { UiAction, UiState } from "./ui-state.ts";
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
  readonly freeze: () => Promise<void>;
  /** Something on the screen is different now. */
  readonly changed: () => void;
};

export type Controller = {
  ui(): UiState;
  view(slow: boolean): View;
  press(input: string, key: KeyReport): void;
  /** Text from the clipboard, arrived in one piece: goes into the filter or nowhere. */
  paste(text: string): void;
  /** The answer to the prompt that is open; null cancels. */
  answer(text: string | null): void;
  say(text: string, tone: Tone): void;
};

/** What actions and prompts get to work with. */
export type Room = {
  readonly deps: ControllerDeps;
  ui(): UiState;
  view(): View;
  dispatch(action: UiAction): void;
  say(text: string, tone: Tone): void;
  /** Runs a wish; says `done`, or why it failed. */
  wish(work: () => Promise<string>): void;
};

/** How long a message stays, milliseconds; bad news stay longer. */
const messageMs: Readonly<Partial<Record<Tone, number>>> = { warning: 8000, error: 10_000 };

export const createController = (deps: ControllerDeps): Controller => {
  let ui = initialUi;
  const dispatch = (action: UiAction): void => {
    const next = reduceUi(ui, action);
    if (next === ui) return;
    ui = next;
    deps.changed();
  };
  const say = (text: string, tone: Tone): void => dispatch({ type: "say", message: { text, tone, until: deps.clock.now() + (messageMs[tone] ?? 4000) } });
  const view = (slow = false): View =>
    viewOf({ live: deps.app.store.snapshot(), ui, now: deps.clock.now(), glyphs: deps.glyphs, slow, memory: deps.memory(), about: deps.about, ...deps.size() });
  const wish = async (work: () => Promise<string>): Promise<void> => {
    try {
      say(await work(), "good");
    } catch (error) {
      say(whyNot(error), "error");
    }
  };
  const room: Room = { deps, ui: () => ui, view, dispatch, say, wish: (work) => void wish(work) };
  const actions = createActions(room);
  return {
    ui: () => ui,
    view(slow) {
      ui = reduceUi(ui, { type: "expire", now: deps.clock.now() });
      return view(slow);
    },
    press(input, key) {
      // A mistake on the screen must not end the proxy behind it.
      try {
        pressed(room, actions, { input, key });
      } catch (error) {
        say(whyNot(error), "error");
      }
    },
    paste(text) {
      if (ui.prompt?.kind === "filter") dispatch({ type: "filter", text: filterText(ui.filter + text) });
    },
    answer: (text) => actions.answer(text),
    say,
  };
};

// Commands refuse with a sentence and a hint that are made for people.
const whyNot = (error: unknown): string => {
  if (!(error instanceof Error)) return "That did not work.";
  const hint = "hint" in error && typeof error.hint === "string" ? ` ${error.hint}` : "";
  return `${error.message}${hint}`;
};
