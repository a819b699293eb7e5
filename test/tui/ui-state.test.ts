import { describe, expect, it } from "vitest";
import { initialUi, reduceUi } from "../../src/tui/ui-state.ts";
import type { UiAction, UiState } from "../../src/tui/ui-state.ts";
import { stateOf } from "./scene.ts";

const after = (...actions: readonly UiAction[]): UiState => actions.reduce(reduceUi, initialUi);
const ids = ["a", "b", "c", "d"];
const move = (how: Extract<UiAction, { type: "move" }>["how"], list = ids): UiAction => ({ type: "move", how, ids: list });

describe("the selection", () => {
  it("starts at the newest row, and the first step leaves follow", () => {
    expect(after(move({ by: 1 }))).toMatchObject({ follow: false, selected: { requests: "b" } });
  });

  it("stays on its row when others arrive", () => {
    expect(after(move({ by: 1 }), move({ by: 1 }, ["new", ...ids])).selected.requests).toBe("c");
  });

  it("stops at both ends, and going to the start follows again", () => {
    expect(after(move({ by: 99 })).selected.requests).toBe("d");
    expect(after(move({ by: 2 }), move({ by: -99 }))).toMatchObject({ follow: false, selected: { requests: "a" } });
    expect(after(move({ by: 2 }), move({ to: "start" }))).toMatchObject({ follow: true, selected: { requests: "a" } });
    expect(after(move({ to: "end" }))).toMatchObject({ follow: false, selected: { requests: "d" } });
  });

  it("begins anew when its row has gone, and does nothing in an empty list", () => {
    expect(after(move({ by: 2 }), move({ by: 1 }, ["x", "y"])).selected.requests).toBe("y");
    expect(after(move({ by: 1 }, []))).toBe(initialUi);
  });

  it("is kept for each pane, and other panes do not touch follow", () => {
    const ui = after({ type: "show-pane", pane: "events" }, move({ by: 1 }), { type: "turn-pane", by: 1 });
    expect(ui).toMatchObject({ pane: "requests", follow: true, selected: { events: "b", requests: null } });
  });
});

it("a question takes the message's place", () => {
  const said = after({ type: "say", message: { text: "m", alert: "good", until: 9 } });
  expect(reduceUi(said, { type: "ask", prompt: { kind: "add-key" } })).toMatchObject({ message: null, prompt: { kind: "add-key" } });
});

describe("panes", () => {
  it("go round in both directions", () => {
    expect(after({ type: "turn-pane", by: -1 }).pane).toBe("events");
    expect(after({ type: "turn-pane", by: 1 }, { type: "turn-pane", by: 1 }, { type: "turn-pane", by: 1 }, { type: "turn-pane", by: 1 }).pane).toBe("requests");
  });
});

describe("back", () => {
  const deep: readonly UiAction[] = [
    { type: "filter", text: "opus" },
    { type: "toggle-errors" },
    { type: "open", overlay: { kind: "request", id: "a" } },
    { type: "say", message: { text: "m", alert: "good", until: 9 } },
    { type: "ask-quit", until: 9 },
  ];

  it("goes exactly one step: question, overlay, message, filter, errors, nothing more", () => {
    const steps = [1, 2, 3, 4, 5, 6].map((count) => after(...deep, ...Array.from({ length: count }, (): UiAction => ({ type: "back" }))));
    expect(steps.map((ui) => [ui.quitUntil !== null, ui.overlay !== null, ui.message !== null, ui.filter, ui.errorsOnly])).toEqual([
      [false, true, true, "opus", true],
      [false, false, true, "opus", true],
      [false, false, false, "opus", true],
      [false, false, false, "", true],
      [false, false, false, "", false],
      [false, false, false, "", false],
    ]);
    const [last = initialUi] = steps.slice(-1);
    expect(reduceUi(last, { type: "back" })).toBe(last);
  });

  it("leaves another pane for the requests", () => expect(after({ type: "show-pane", pane: "accounts" }, { type: "back" }).pane).toBe("requests"));

  it("clears the filter that is being typed", () => {
    const ui = after({ type: "ask", prompt: { kind: "filter" } }, { type: "filter", text: "x" }, { type: "back" });
    expect(ui).toMatchObject({ prompt: null, filter: "" });
  });

  it("keeps the filter when another prompt is closed", () => {
    const ui = after({ type: "filter", text: "x" }, { type: "ask", prompt: { kind: "add-key" } }, { type: "back" });
    expect(ui).toMatchObject({ prompt: null, filter: "x" });
  });
});

describe("pause, clear, expiry", () => {
  it("pause keeps the state of its moment and gives it up again", () => {
    const state = stateOf();
    const paused = after({ type: "toggle-pause", state });
    expect(paused.paused).toBe(state);
    expect(reduceUi(paused, { type: "toggle-pause", state }).paused).toBeNull();
  });

  it("clearing ends a pause", () => expect(after({ type: "toggle-pause", state: stateOf() }, { type: "clear", at: 5 })).toMatchObject({ clearedAt: 5, paused: null }));

  it("questions and messages end by themselves, the others stay the same object", () => {
    const ui = after({ type: "ask-quit", until: 3000 }, { type: "say", message: { text: "m", alert: "good", until: 4000 } });
    expect(reduceUi(ui, { type: "expire", now: 2999 })).toBe(ui);
    expect(reduceUi(ui, { type: "expire", now: 3000 })).toMatchObject({ quitUntil: null, message: { text: "m" } });
    expect(reduceUi(ui, { type: "expire", now: 4000 }).message).toBeNull();
  });

  it("scrolling stays inside the text", () => {
    expect(after({ type: "scroll", how: { by: 5 }, last: 3 }).scroll).toBe(3);
    expect(after({ type: "scroll", how: { by: 1 }, last: -4 }).scroll).toBe(0);
    expect(after({ type: "scroll", how: { to: "end" }, last: 7 }, { type: "scroll", how: { to: "start" }, last: 7 }).scroll).toBe(0);
  });
});
