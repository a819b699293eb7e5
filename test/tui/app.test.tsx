import { describe, expect, it } from "vitest";
import { DashboardApp } from "../../src/tui/app.tsx";
import type { Lend, Snapshots } from "../../src/tui/app.tsx";
import { dashboardLines } from "../../src/tui/screens/dashboard.ts";
import type { Prompt, UiState } from "../../src/tui/ui-state.ts";
import type { View } from "../../src/tui/view.ts";
import { eventually } from "../helpers/eventually.ts";
import { fact } from "../state/facts.ts";
import { draw } from "./component.tsx";
import { afternoon, noon, stateOf, textOf, viewAt } from "./scene.ts";

type Call = readonly [string, ...unknown[]];

const open = async (first: View = viewAt({ columns: 80, rows: 24 })) => {
  const calls: Call[] = [];
  const listeners = new Set<() => void>();
  let frame = { view: first, generation: 0 };
  let lend: Lend | null = null;
  const snapshots: Snapshots = {
    snapshot: () => frame,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const controller = {
    press: (input: string) => void calls.push(["press", input]),
    paste: (text: string) => void calls.push(["paste", text]),
    answer: (text: string | null) => void calls.push(["answer", text]),
  };
  const screen = await draw(<DashboardApp snapshots={snapshots} controller={controller} onLend={(given) => (lend = given)} />, null);
  return {
    ...screen,
    calls,
    lend: (): Lend | null => lend,
    answers: () => calls.filter(([name]) => name === "answer").map(([, text]) => text),
    show(view: View): void {
      frame = { view, generation: frame.generation };
      for (const listener of listeners) listener();
    },
  };
};

const asking = (prompt: Prompt, columns = 80): View => viewAt({ columns, rows: 24, ui: { pane: "accounts", prompt } });
const rowsOf = (text: string): readonly string[] => text.split("\n").map((row) => row.trimEnd());
const lastRow = (text: string): string => text.split("\n").at(-1) ?? "";
const enter = "\r";
const escape = "\u001b";

describe("the window", () => {
  it.each([[120, 30], [80, 24], [40, 10], [30, 3], [60, 1], [120, 120]])("of %d by %d shows the lines of the frame and nothing else", async (columns, rows) => {
    const view = viewAt({ columns, rows });
    const { text } = await open(view);
    expect(rowsOf(text())).toEqual(rowsOf(dashboardLines(view).map(textOf).join("\n")));
  });

  it("draws the next frame when there is one, hands over keys and pastes, and lends the terminal", async () => {
    const { show, waitFor, press, paste, calls, lend } = await open();
    show(viewAt({ columns: 80, rows: 24, ui: { pane: "sessions" } }));
    await waitFor("[2 sessions]");
    press("j");
    paste("a paste");
    await eventually(() => calls, (seen) => seen.length === 2);
    expect(calls).toEqual([["press", "j"], ["paste", "a paste"]]);
    expect(lend()).toBeTypeOf("function");
  });

  it("says so when a frame cannot be drawn, and draws the next one", async () => {
    const broken = { ...viewAt({ columns: 80, rows: 24 }), live: { ...stateOf(), get server(): never { throw new Error("no server\u001b[2J"); } } };
    const { text, show, waitFor } = await open(broken);
    expect(text()).toContain("x The screen could not be drawn (no server·[2J). The proxy goes on. q quits.");
    show(viewAt({ columns: 80, rows: 24 }));
    await waitFor("RUNNING");
  });
});

describe("an alert", () => {
  it("takes the account's row with its sign, and stays one row", async () => {
    const { text } = await open(viewAt({ columns: 80, rows: 24, live: stateOf([...afternoon, fact("account.needs-login", { at: noon })]) }));
    expect(text().split("\n")[1]).toMatch(/^ x SIGNED OUT: sign in again\. Press l\./);
    expect(text().split("\n")).toHaveLength(24);
  });

  it.each([
    ["good", "+ Token refreshed"],
    ["warning", "! Token refreshed"],
    ["error", "x Token refreshed"],
  ] as const)("that is a message in the last row has the sign of what is %s", async (alert, wanted) => {
    const { text } = await open(viewAt({ columns: 80, rows: 24, ui: { message: { text: "Token refreshed", alert, until: noon + 1 } } }));
    expect(lastRow(text())).toBe(` ${wanted}`);
  });

  it("turns a spinner while something is under way", async () => {
    const { waitFor } = await open(viewAt({ columns: 80, rows: 24, ui: { message: { text: "refreshing ...", alert: "busy", until: noon + 1 } } }));
    for (const sign of ["-", "\\", "|", "/"]) await waitFor(` ${sign} refreshing ...`);
  });

  it.each([1, 2, 3, 4, 5])("is cut like any other line at a width of %d", async (columns) => {
    const view = viewAt({ columns, rows: 3, live: stateOf([fact("account.removed")]) });
    const { text } = await open(view);
    expect(rowsOf(text())).toEqual(rowsOf(dashboardLines(view).map(textOf).join("\n")));
  });
});

describe("a prompt in the last row", () => {
  it("for a name shows the present one and takes what is typed behind it", async () => {
    const { text, press, waitFor, answers } = await open(asking({ kind: "rename", accountId: "main" }));
    expect(lastRow(text())).toMatch(/^ New name of dana \(Max\): dana \(Max\)/);
    press(" two");
    await waitFor("dana (Max) two");
    press("\u007f");
    await waitFor(/dana \(Max\) tw\s*$/);
    press(enter);
    await eventually(answers, (seen) => seen.length > 0);
    expect(answers()).toEqual(["dana (Max) tw"]);
  });

  it("for a priority shows the present one", async () => {
    const { text, press, answers } = await open(asking({ kind: "priority", accountId: "main" }));
    expect(lastRow(text())).toMatch(/^ Priority of dana \(Max\), lower comes first: 1/);
    press(enter);
    await eventually(answers, (seen) => seen.length > 0);
    expect(answers()).toEqual(["1"]);
  });

  it("for an API key shows stars only", async () => {
    const { press, waitFor, written, answers } = await open(asking({ kind: "add-key" }));
    press("sk-ant-canary");
    await waitFor(/API key \(Esc: none\): \*{13}/);
    press(enter);
    await eventually(answers, (seen) => seen.length > 0);
    expect(answers()).toEqual(["sk-ant-canary"]);
    expect(written()).not.toContain("canary");
  });

  it.each([["y", ["yes"]], ["n", [null]], [enter, [null]]])("before an account is removed takes %j as %j", async (key, wanted) => {
    const { text, press, answers } = await open(asking({ kind: "remove", accountId: "main" }));
    expect(lastRow(text())).toBe(" Remove dana (Max) and revoke its tokens? y/N");
    press(key);
    await eventually(answers, (seen) => seen.length > 0);
    expect(answers()).toEqual(wanted);
  });

  it("takes a paste as its text", async () => {
    const { paste, waitFor, calls } = await open(asking({ kind: "rename", accountId: "main" }));
    paste(" pasted");
    await waitFor("dana (Max) pasted");
    expect(calls.filter(([name]) => name === "paste")).toEqual([]);
  });

  it("leaves Esc to the controller", async () => {
    const { press, calls, answers } = await open(asking({ kind: "rename", accountId: "main" }));
    press(escape);
    await eventually(() => calls, (seen) => seen.length > 0);
    expect(calls).toEqual([["press", ""]]);
    expect(answers()).toEqual([]);
  });

  it("is one row in a narrow terminal", async () => {
    const { text } = await open(asking({ kind: "remove", accountId: "main" }, 30));
    expect(text().split("\n")).toHaveLength(24);
    expect(lastRow(text())).toMatch(/^ Remove dana\S*… y\/N$/);
  });

  it("for the filter is a line of the frame", async () => {
    const ui: Partial<UiState> = { prompt: { kind: "filter" }, filter: "opus" };
    const { text } = await open(viewAt({ columns: 80, rows: 24, ui }));
    expect(lastRow(text())).toMatch(/^ \/opus_ .*Enter keep {2}Esc clear$/);
  });
});
