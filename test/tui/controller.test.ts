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
  const world = { live, fails: null as Error | null };
  const call = (name: string) => async (...args: unknown[]) => {
    calls.push([name, ...args]);
    if (world.fails !== null) throw world.fails;
    return name === "refresh" ? { outcome: "refreshed", expiresAt: noon + 3_600_000 } : name === "addApiKey" ? { accountId: "key-1" } : { removed: [] };
  };
  const names = ["refresh", "addApiKey", "setEnabled", "rename", "setPriority", "logout", "stop"] as const;
  const commands = Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Commands;
  const controller: Controller = createController({
    app: { store: { snapshot: () => world.live, subscribe: () => () => {} }, commands },
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
  const special: Readonly<Record<string, object>> = { Enter: { return: true }, Esc: { escape: true }, Tab: { tab: true }, Down: { downArrow: true }, End: { end: true }, Back: { backspace: true } };
  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      if (key.startsWith("Ctrl+")) controller.press(key.slice(5).toLowerCase(), { ...none, ctrl: true });
      else controller.press(special[key] === undefined ? key : "", { ...none, ...special[key] });
      await clock.advance(0);
    }
  };
  return { calls, clock, controller, press, world, ui: () => controller.ui() };
};

let stage: ReturnType<typeof setUp>;
beforeEach(() => void (stage = setUp()));

describe("quitting", () => {
  it("N13 asks when requests are open, and a second q within three seconds drains", async () => {
    await stage.press("q");
    expect(stage.calls).toEqual([]);
    expect(stage.ui().quitUntil).toBe(noon + 3000);
    await stage.press("q");
    expect(stage.calls.map(([name]) => name)).toEqual(["stop"]);
  });

  it("N13 a second q after three seconds asks again", async () => {
    await stage.press("q");
    await stage.clock.advance(3000);
    stage.controller.view(false);
    await stage.press("q");
    expect(stage.calls).toEqual([]);
    expect(stage.ui().quitUntil).toBe(noon + 6000);
  });

  it("N13 Ctrl+C twice does not wait for the drain", async () => {
    await stage.press("Ctrl+C", "Ctrl+C");
    expect(stage.calls.map(([name]) => name)).toEqual(["stop", "stop"]);
  });

  it("N13 while stopping, q changes nothing and Ctrl+C cuts the drain short", async () => {
    stage.world.live = stateOf([...afternoon, fact("server.stopping")]);
    await stage.press("q");
    expect(stage.calls).toEqual([]);
    await stage.press("Ctrl+C");
    expect(stage.calls.map(([name]) => name)).toEqual(["stop"]);
  });

  it("Esc stays, and so does any other key, which then does what it always does", async () => {
    await stage.press("q", "Esc");
    expect(stage.ui()).toMatchObject({ quitUntil: null, pane: "requests" });
    await stage.press("q", "3");
    expect(stage.ui()).toMatchObject({ quitUntil: null, pane: "accounts" });
    expect(stage.calls).toEqual([]);
  });

  it("happens at once when nothing is open", async () => {
    const quiet = setUp(stateOf());
    await quiet.press("q");
    expect(quiet.calls.map(([name]) => name)).toEqual(["stop"]);
  });
});

describe("Ctrl+Z", () => {
  it("warns first that the proxy would stop too", async () => {
    await stage.press("Ctrl+Z");
    expect(stage.calls).toEqual([]);
    await stage.press("Ctrl+Z");
    expect(stage.calls).toEqual([["suspend"]]);
  });

  it("forgets the first press after another key", async () => {
    await stage.press("Ctrl+Z", "j", "Ctrl+Z");
    expect(stage.calls).toEqual([]);
  });
});

describe("copying", () => {
  it("c copies the lines for Claude Code, in a request its id", async () => {
    await stage.press("c", "Enter", "c");
    expect(stage.calls).toEqual([["copy", 'export ANTHROPIC_BASE_URL=http://127.0.0.1:4001\nexport ANTHROPIC_AUTH_TOKEN="$(claude-oauth-proxy print-key)"\nclaude\n'], ["copy", "req_011"]]);
    expect(stage.ui().message).toMatchObject({ text: "request id: Copied", alert: "good" });
  });

  it("N7 x in a request copies curl, in the list it clears", async () => {
    await stage.press("Enter", "x");
    expect(stage.calls[0]?.[1]).toMatch(/^curl -sS -X POST/);
    await stage.press("Esc", "x");
    expect(stage.ui().clearedAt).toBe(noon);
  });
});

describe("moving", () => {
  it("opens the row under the cursor, and Esc comes back", async () => {
    await stage.press("j", "j", "Enter");
    expect(stage.ui().overlay).toEqual({ kind: "request", id: "r4" });
    await stage.press("Esc");
    expect(stage.ui()).toMatchObject({ overlay: null, selected: { requests: "r4" } });
  });

  it("a held key that arrives in one piece moves as often as it was pressed", async () => {
    await stage.press("jjj");
    expect(stage.ui().selected.requests).toBe("r3");
  });

  it("text that strayed here does nothing", async () => {
    await stage.press("quit now please", "xr", "abc#def\r");
    expect(stage.calls).toEqual([]);
    expect(stage.ui()).toMatchObject({ overlay: null, clearedAt: 0, quitUntil: null });
  });

  it("Tab and digits change the pane, ? opens and closes the help", async () => {
    await stage.press("Tab");
    expect(stage.ui().pane).toBe("sessions");
    await stage.press("4", "?");
    expect(stage.ui()).toMatchObject({ pane: "events", overlay: { kind: "help" } });
    await stage.press("j", "?");
    expect(stage.ui().overlay).toBeNull();
  });
});

describe("the filter", () => {
  it("takes letters as text, keeps with Enter, clears with Esc", async () => {
    await stage.press("/", "q", "u", "i", "Back", "Enter");
    expect(stage.ui()).toMatchObject({ filter: "qu", prompt: null });
    await stage.press("/", "x", "Esc");
    expect(stage.ui()).toMatchObject({ filter: "", prompt: null });
    expect(stage.calls).toEqual([]);
  });

  it("may arrive in one piece, and may be pasted", async () => {
    await stage.press("/opus\r");
    expect(stage.ui()).toMatchObject({ filter: "opus", prompt: null });
    await stage.press("/");
    stage.controller.paste("-4\n\u001b[31m");
    expect(stage.ui().filter).toBe("opus-4[31m");
    await stage.press("Ctrl+U");
    expect(stage.ui().filter).toBe("");
  });

  it("a paste outside of it does nothing", () => {
    stage.controller.paste("q");
    expect(stage.ui()).toMatchObject({ filter: "", quitUntil: null });
  });
});

describe("pause", () => {
  it("freezes the lists and not the header", async () => {
    await stage.press("p");
    stage.world.live = stateOf([...afternoon, fact("request.received", { requestId: "late" })]);
    const view = stage.controller.view(false);
    expect([view.shown.requests.total, view.live.requests.total]).toEqual([6, 7]);
    await stage.press(" ");
    expect(stage.controller.view(false).shown.requests.total).toBe(7);
  });
});

describe("wishes to the program", () => {
  it("r refreshes whatever serves, in the accounts pane the selected account", async () => {
    await stage.press("r", "3", "r");
    expect(stage.calls).toEqual([["refresh", null], ["refresh", "main"]]);
    expect(stage.ui().message?.text).toBe("Token refreshed, valid until 13:00");
  });

  it("says in its own words why a wish was refused", async () => {
    stage.world.fails = new AppError({ code: "store-unwritable", message: "The disk is full.", hint: "Free some space." });
    await stage.press("r");
    expect(stage.ui().message).toMatchObject({ text: "The disk is full. Free some space.", alert: "error" });
  });

  it("l signs in the account that is signed out, else the one in the header", async () => {
    await stage.press("l");
    stage.world.live = stateOf([fact("account.added", { accountId: "b" }), fact("account.needs-login", { accountId: "b" })]);
    await stage.press("l");
    stage.world.live = stateOf([fact("account.removed")]);
    await stage.press("l");
    expect(stage.calls).toEqual([["login", "main"], ["login", "b"], ["login", null]]);
  });

  it("the accounts pane enables, disables, renames, orders, removes and adds", async () => {
    await stage.press("3", "d", "n");
    stage.controller.answer("  home\u001b[31m ");
    await stage.press("o");
    stage.controller.answer("3");
    await stage.press("x");
    stage.controller.answer("yes");
    await stage.press("a", "y");
    stage.controller.answer(" sk-ant-key ");
    await stage.clock.advance(0);
    expect(stage.calls.slice(0, 5)).toEqual([["setEnabled", "main", false], ["rename", "main", "home·[31m"], ["setPriority", "main", 3], ["logout", "main"], ["login", null]]);
    const [name, wish] = stage.calls[5] ?? ["nothing"];
    expect(name).toBe("addApiKey");
    expect((wish as { key: { reveal(): string } }).key.reveal()).toBe("sk-ant-key");
    expect(stage.ui().message?.text).toBe("added key-1");
  });

  it("does nothing when a question is answered with nothing, Esc or nonsense", async () => {
    await stage.press("3", "n");
    stage.controller.answer("   ");
    await stage.press("x", "Esc", "o");
    stage.controller.answer("high");
    await stage.clock.advance(0);
    expect(stage.calls).toEqual([]);
    expect(stage.ui().message?.text).toBe("A priority is a whole number; lower comes first.");
  });

  it("keys belong to the question while one is open", async () => {
    await stage.press("3", "n", "q", "x", "d");
    expect(stage.calls).toEqual([]);
    expect(stage.ui().prompt).toEqual({ kind: "rename", accountId: "main" });
    await stage.press("Ctrl+C");
    expect(stage.ui().prompt).toBeNull();
  });
});
