import { expect, it, onTestFinished } from "vitest";
import { createController } from "../../src/tui/controller.ts";
import type { Controller } from "../../src/tui/controller.ts";
import { glyphsFor } from "../../src/tui/theme.ts";
import type { View } from "../../src/tui/view.ts";
import { createWindow } from "../../src/tui/window.tsx";
import type { Commands } from "../../src/messages/commands.ts";
import { eventually } from "../helpers/eventually.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { createCellTerminal } from "./cell-terminal.ts";
import { configOf } from "./dashboard-terminal.ts";
import { about, afternoon, noon, stateOf } from "./scene.ts";

const nothing = (): void => {};

const setUp = () => {
  const terminal = createCellTerminal();
  const clock = createFakeClock(noon);
  const store = { snapshot: () => stateOf(afternoon), subscribe: () => () => {} };
  const own = createController({
    app: { store, commands: {} as Commands },
    clock,
    about,
    glyphs: glyphsFor(false),
    copy: async () => ({ ok: true, message: "" }),
    size: () => window.size(),
    memory: () => null,
    login: nothing,
    redraw: nothing,
    suspend: async () => {},
    changed: nothing,
  });
  const broken = { view: false };
  // A view without a layout is a mistake that no line catches: React gives up on it.
  const controller: Controller = { ...own, view: (slow) => (broken.view ? ({ ...own.view(slow), layout: undefined } as unknown as View) : own.view(slow)) };
  const window = createWindow({ app: { config: configOf([]), store }, stdout: terminal.stdout, stdin: terminal.stdin, clock, ascii: false, loopDelayMs: () => null, controller });
  onTestFinished(() => window.close());
  return { ...terminal, clock, window, broken };
};

it("a window may be opened twice and closed twice, and is open in between", async () => {
  const { window, waitFor, alternate } = setUp();
  window.open();
  window.open();
  await waitFor("RUNNING");
  expect([window.isOpen(), alternate()]).toEqual([true, true]);
  await window.close();
  await window.close();
  expect(window.isOpen()).toBe(false);
  await eventually(alternate, (shown) => !shown);
  window.open();
  await waitFor("RUNNING");
});

it("a screen that React gave up is put up once more after a second", async () => {
  const { window, waitFor, broken, clock, alternate } = setUp();
  window.open();
  await waitFor("RUNNING");
  broken.view = true;
  await clock.advance(1000);
  window.urgent();
  await eventually(() => window.isOpen(), (open) => !open, { what: "the end of the broken screen" });
  await eventually(alternate, (shown) => !shown);
  broken.view = false;
  await clock.advance(1000);
  expect(window.isOpen()).toBe(true);
  await waitFor("RUNNING");
});

it("a size is known before the window is open, and follows the terminal after the storm", async () => {
  const { window, resize, clock, waitFor } = setUp();
  expect(window.size()).toEqual({ columns: 80, rows: 24 });
  window.open();
  await waitFor("RUNNING");
  resize(40, 10);
  resize(120, 30);
  expect(window.size()).toEqual({ columns: 80, rows: 24 });
  await clock.advance(50);
  expect(window.size()).toEqual({ columns: 120, rows: 30 });
  await waitFor("claude-oauth-proxy 0.1.0   RUNNING");
});
