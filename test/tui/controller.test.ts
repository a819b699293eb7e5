import { beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/messages/errors.ts";
import { createController } from "../../src/tui/controller.ts";
import type { Controller } from "../../src/tui/controller.ts";
import type { AppState } from "../../src/state/state.ts";
import type { Commands } from "../../src/messages/commands.ts";
import { glyphsFor } from "../../src/tui/theme.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { fact } from "../state/facts.ts";
import { about, afternoon, noon, stateOf } from "./scene.ts";

type Call = readonly [string, ...unknown[]];
const none = { ctrl: false, meta: false, shift: false, upArrow: false, downArrow: false, pageUp: false, pageDown: false, home: false, end: false, return: false, escape: false, tab: false };

const setUp = (live: AppState = stateOf(afternoon)) => {
  const calls: Call[] = [];
  const clock = createFakeClock(noon);
  const program = { live, fails: null as Error | null };
  const call = (name: string) => async (...args: unknown[]) => {
    calls.push([name, ...args]);
    if (program.fails !== null) throw program.fails;
    return name === "refresh" ? { outcome: "refreshed", expiresAt: noon + 3_600_000 } : name === "addApiKey" ? { accountId: "key-1" } : { removed: [] };
  };
  const names = ["refresh", "addApiKey", "setEnabled", "rename", "setPriority", "logout", "stop"] as const;
  const commands = Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Commands;
  const controller: Controller = createController({
    app: { store: { snapshot: () => program.live, subscribe: () => () => {} }, commands },
    clock,
    about,
    glyphs: glyphsFor(false),
    copy: async (text) => (calls.push(["copy", text]), { ok: true, message: "Copied" }),
    size: () => ({ columns: 120, rows: 30 }),
    memory: () => null,
    login: (accountId) => calls.push(["login", accountId]),
    redraw: () => calls.push(["redraw"]),
    suspend: async () => void calls.push(["suspend"]),
    changed: () => {},
  });
  const special: Readonly<Record<string, object>> = {
    Enter: { return: true }, Esc: { escape: true }, Tab: { tab: true }, Down: { downArrow: true }, PageDown: { pageDown: true },
    PageUp: { pageUp: true }, End: { end: true }, Back: { backspace: true },
  };
  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      if (key.startsWith("Ctrl+")) controller.press(key.slice(5).toLowerCase(), { ...none, ctrl: true });
      else controller.press(special[key] === undefined ? key : "", { ...none, ...special[key] });
      await clock.advance(0);
    }
  };
  return { calls, clock, controller, press, program, ui: () => controller.ui() };
};

let screen: ReturnType<typeof setUp>;
beforeEach(() => void (screen = setUp()));

describe("quitting", () => {
  it("asks when requests are open, and a second q within three seconds drains (N13)", async () => {
    await screen.press("q");
    expect(screen.calls).toEqual([]);
    expect(screen.ui().quitUntil).toBe(noon + 3000);
    await screen.press("q");
    expect(screen.calls.map(([name]) => name)).toEqual(["stop"]);
  });

  it("a second q after three seconds asks again (N13)", async () => {
    await screen.press("q");
    await screen.clock.advance(3000);
    screen.controller.view(false);
    await screen.press("q");
    expect(screen.calls).toEqual([]);
    expect(screen.ui().quitUntil).toBe(noon + 6000);
  });

  it("Ctrl+C twice does not wait for the drain (N13)", async () => {
    await screen.press("Ctrl+C", "Ctrl+C");
    expect(screen.calls.map(([name]) => name)).toEqual(["stop", "stop"]);
  });

  it("while stopping, q changes nothing and Ctrl+C cuts the drain short (N13)", async () => {
    screen.program.live = stateOf([...afternoon, fact("server.stopping")]);
    await screen.press("q");
    expect(screen.calls).toEqual([]);
    await screen.press("Ctrl+C");
    expect(screen.calls.map(([name]) => name)).toEqual(["stop"]);
  });

  it("Esc answers the question and leaves what lies below it", async () => {
    await screen.press("Enter", "q", "Esc");
    expect(screen.ui()).toMatchObject({ quitUntil: null, overlay: { kind: "request" } });
  });

  it("Esc stays, and so does any other key, which then does what it always does", async () => {
    await screen.press("q", "Esc");
    expect(screen.ui()).toMatchObject({ quitUntil: null, pane: "requests" });
    await screen.press("q", "3");
    expect(screen.ui()).toMatchObject({ quitUntil: null, pane: "accounts" });
    expect(screen.calls).toEqual([]);
  });

  it("happens at once when nothing is open", async () => {
    const quiet = setUp(stateOf());
    await quiet.press("q");
    expect(quiet.calls.map(([name]) => name)).toEqual(["stop"]);
  });
});

describe("Ctrl+Z", () => {
  it("warns first that the proxy would stop too", async () => {
    await screen.press("Ctrl+Z");
    expect(screen.calls).toEqual([]);
    await screen.press("Ctrl+Z");
    expect(screen.calls).toEqual([["suspend"]]);
  });

  it("forgets the first press after another key", async () => {
    await screen.press("Ctrl+Z", "j", "Ctrl+Z");
    expect(screen.calls).toEqual([]);
  });
});

describe("copying", () => {
  it("c copies the lines for Claude Code, in a request its id", async () => {
    await screen.press("c", "Enter", "c");
    expect(screen.calls).toEqual([["copy", 'export ANTHROPIC_BASE_URL=http://127.0.0.1:4001\nexport ANTHROPIC_AUTH_TOKEN="$(claude-oauth-proxy print-key)"\nclaude\n'], ["copy", "req_011"]]);
    expect(screen.ui().message).toMatchObject({ text: "request id: Copied", alert: "good" });
  });

  it("x in a request copies curl, in the list it clears (N7)", async () => {
    await screen.press("Enter", "x");
    expect(screen.calls[0]?.[1]).toMatch(/^curl -sS -X POST/);
    await screen.press("Esc", "x");
    expect(screen.ui().clearedAt).toBe(noon);
  });
});

describe("moving", () => {
  it("opens the row under the cursor, and Esc comes back", async () => {
    await screen.press("j", "j", "Enter");
    expect(screen.ui().overlay).toEqual({ kind: "request", id: "r4" });
    await screen.press("Esc");
    expect(screen.ui()).toMatchObject({ overlay: null, selected: { requests: "r4" } });
  });

  it("a held key that arrives in one piece moves as often as it was pressed, up and down, at most fifty times", async () => {
    await screen.press("jjj");
    expect(screen.ui().selected.requests).toBe("r3");
    await screen.press("kk");
    expect(screen.ui().selected.requests).toBe("r5");
    const many = setUp(stateOf(Array.from({ length: 90 }, (_, index) => fact("request.received", { requestId: `n${index}` }))));
    await many.press("j".repeat(80));
    expect(many.controller.view(false).live.requests.rows.findIndex(({ id }) => id === many.ui().selected.requests)).toBe(50);
  });

  it("a page down and a page up are a list's height less one row", async () => {
    const many = setUp(stateOf(Array.from({ length: 90 }, (_, index) => fact("request.received", { requestId: `n${index}` }))));
    await many.press("PageDown", "PageDown", "PageUp");
    expect(many.ui().selected.requests).toBe(`n${89 - 19}`);
  });

  it("text that strayed here does nothing", async () => {
    await screen.press("quit now please", "xr", "abc#def\r");
    expect(screen.calls).toEqual([]);
    expect(screen.ui()).toMatchObject({ overlay: null, clearedAt: 0, quitUntil: null });
  });

  it("Tab and digits change the pane, ? opens and closes the help", async () => {
    await screen.press("Tab");
    expect(screen.ui().pane).toBe("sessions");
    await screen.press("4", "?");
    expect(screen.ui()).toMatchObject({ pane: "events", overlay: { kind: "help" } });
    await screen.press("j", "?");
    expect(screen.ui().overlay).toBeNull();
  });
});

describe("the filter", () => {
  it("takes letters as text, keeps with Enter, clears with Esc", async () => {
    await screen.press("/", "q", "u", "i", "Back", "Enter");
    expect(screen.ui()).toMatchObject({ filter: "qu", prompt: null });
    await screen.press("/", "x", "Esc");
    expect(screen.ui()).toMatchObject({ filter: "", prompt: null });
    expect(screen.calls).toEqual([]);
  });

  it("may arrive in one piece, and may be pasted", async () => {
    await screen.press("/opus\r");
    expect(screen.ui()).toMatchObject({ filter: "opus", prompt: null });
    await screen.press("/");
    screen.controller.paste("-4\n\u001b[31m");
    expect(screen.ui().filter).toBe("opus-4[31m");
    await screen.press("Ctrl+U");
    expect(screen.ui().filter).toBe("");
  });

  it("holds sixty characters", async () => {
    await screen.press("/");
    screen.controller.paste("x".repeat(100));
    await screen.press("y");
    expect(screen.ui().filter).toBe("x".repeat(60));
  });

  it("a paste outside of it does nothing", () => {
    screen.controller.paste("q");
    expect(screen.ui()).toMatchObject({ filter: "", quitUntil: null });
  });
});

describe("pause", () => {
  it("freezes the lists and not the header", async () => {
    await screen.press("p");
    screen.program.live = stateOf([...afternoon, fact("request.received", { requestId: "late" })]);
    const view = screen.controller.view(false);
    expect([view.shown.requests.total, view.live.requests.total]).toEqual([6, 7]);
    await screen.press(" ");
    expect(screen.controller.view(false).shown.requests.total).toBe(7);
  });
});

describe("commands of the program", () => {
  it("r refreshes whatever serves, in the accounts pane the selected account", async () => {
    await screen.press("r", "3", "r");
    expect(screen.calls).toEqual([["refresh", null], ["refresh", "main"]]);
    expect(screen.ui().message?.text).toBe("Token refreshed, valid until 13:00");
  });

  it("are refused with a sentence and a hint", async () => {
    screen.program.fails = new AppError({ code: "store-unwritable", message: "The disk is full.", hint: "Free some space." });
    await screen.press("r");
    expect(screen.ui().message).toMatchObject({ text: "The disk is full. Free some space.", alert: "error" });
  });

  it("l signs in the account that is signed out, else the one in the header", async () => {
    await screen.press("l");
    screen.program.live = stateOf([fact("account.added", { accountId: "b" }), fact("account.needs-login", { accountId: "b" })]);
    await screen.press("l");
    screen.program.live = stateOf([fact("account.removed")]);
    await screen.press("l");
    expect(screen.calls).toEqual([["login", "main"], ["login", "b"], ["login", null]]);
  });

  it("l in the accounts pane signs in the selected account, and adds one where that has an API key", async () => {
    screen.program.live = stateOf([fact("account.added", { accountId: "b" }), fact("account.needs-login", { accountId: "b" })]);
    await screen.press("3", "l");
    screen.program.live = stateOf([fact("account.removed"), fact("account.added", { accountId: "k", kind: "api_key" })]);
    await screen.press("l");
    expect(screen.calls).toEqual([["login", "main"], ["login", null]]);
  });

  it("say what came of them for four seconds, and for ten what went wrong", async () => {
    await screen.press("r");
    expect(screen.ui().message).toMatchObject({ alert: "good", until: noon + 4000 });
    screen.program.fails = new Error("no");
    await screen.press("r");
    expect(screen.ui().message).toMatchObject({ alert: "error", until: noon + 10_000 });
  });

  it("the accounts pane enables, disables, renames, orders, removes and adds", async () => {
    await screen.press("3", "d", "n");
    screen.controller.answer("  home\u001b[31m ");
    await screen.press("o");
    screen.controller.answer("3");
    await screen.press("x");
    screen.controller.answer("yes");
    await screen.press("a", "y");
    screen.controller.answer(" sk-ant-key ");
    await screen.clock.advance(0);
    expect(screen.calls.slice(0, 5)).toEqual([["setEnabled", "main", false], ["rename", "main", "home·[31m"], ["setPriority", "main", 3], ["logout", "main"], ["login", null]]);
    const [name, request] = screen.calls[5] ?? ["nothing"];
    expect(name).toBe("addApiKey");
    expect((request as { key: { reveal(): string } }).key.reveal()).toBe("sk-ant-key");
    expect(screen.ui().message?.text).toBe("added key-1");
  });

  it("does nothing when a question is answered with nothing, Esc or nonsense", async () => {
    await screen.press("3", "n");
    screen.controller.answer("   ");
    await screen.press("x", "Esc", "o");
    screen.controller.answer("high");
    await screen.clock.advance(0);
    expect(screen.calls).toEqual([]);
    expect(screen.ui().message?.text).toBe("A priority is a whole number; lower comes first.");
  });

  it("keys belong to the question while one is open", async () => {
    await screen.press("3", "n", "q", "x", "d");
    expect(screen.calls).toEqual([]);
    expect(screen.ui().prompt).toEqual({ kind: "rename", accountId: "main" });
    await screen.press("Ctrl+C");
    expect(screen.ui().prompt).toBeNull();
  });
});

describe("a key that is off", () => {
  it.each(["r", "l"])("%s says in pass-through mode that there is nothing to sign in", async (key) => {
    const { press, ui, calls } = setUp(stateOf([], "pass-through"));
    await press(key);
    expect(ui().message).toMatchObject({ text: "In pass-through mode the client keeps its own login; nothing is stored here.", alert: "warning" });
    expect(calls).toEqual([]);
  });

  it.each(["a", "y"])("%s in the accounts pane says the same", async (key) => {
    const { press, ui, calls } = setUp(stateOf([], "pass-through"));
    await press("3", key);
    expect(ui()).toMatchObject({ prompt: null, message: { text: "In pass-through mode the client keeps its own login; nothing is stored here." } });
    expect(calls).toEqual([]);
  });

  it.each(["d", "n", "o", "x"])("%s says that there is no account to act on", async (key) => {
    const { press, ui, calls } = setUp(stateOf([fact("account.removed")]));
    await press("3", key);
    expect(ui()).toMatchObject({ prompt: null, message: { text: "There is no account here. a signs one in.", alert: "warning" } });
    expect(calls).toEqual([]);
  });

  it("Enter says that a list is empty", async () => {
    const { press, ui } = setUp(stateOf());
    await press("Enter");
    expect(ui()).toMatchObject({ overlay: null, message: { text: "The list is empty." } });
  });

  it.each(["c", "x"])("%s in the details of a request says that it is no longer in memory", async (key) => {
    const { press, ui, calls, program } = setUp();
    await press("Enter");
    program.live = stateOf();
    await press(key);
    expect(ui().message).toMatchObject({ text: "This request is no longer in memory.", alert: "warning" });
    expect(calls).toEqual([]);
  });
});
