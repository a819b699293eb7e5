// What drawing costs, counted in the bytes that reach a real terminal: every frame is one synchronised update.
import { expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import type { Terminal } from "../helpers/terminal.ts";

const framesIn = (terminal: Terminal): number => terminal.bytes().split("\u001b[?2026h").length - 1;

const passing = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Frames while `work` runs, and how many seconds that took. */
const framesDuring = async (terminal: Terminal, work: () => Promise<unknown>): Promise<{ readonly frames: number; readonly seconds: number }> => {
  const [before, started] = [framesIn(terminal), performance.now()];
  await work();
  return { frames: framesIn(terminal) - before, seconds: (performance.now() - started) / 1000 };
};

it("U8 twenty requests a second are drawn at most as often as ui.maxFps says, and a screen at rest not at all", async () => {
  const proxy = await prepareSigned();
  const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
  const busy = await framesDuring(terminal, async () => {
    const asked: Promise<unknown>[] = [];
    for (let count = 0; count < 100; count += 1) {
      asked.push(proxy.ask());
      await passing(50);
    }
    await Promise.all(asked);
  });
  expect(busy.frames / busy.seconds).toBeLessThanOrEqual(5);
  expect(busy.frames / busy.seconds).toBeGreaterThan(0.5);
  await terminal.waitFor("in-flight 0");
  await terminal.waitFor("FOLLOW 100");
  // The last change of all is the lull after it.
  await framesDuring(terminal, () => passing(600));
  const written = terminal.bytes().length;
  expect((await framesDuring(terminal, () => passing(3000))).frames).toBe(0);
  expect(terminal.bytes().length).toBe(written);
});

it("F15 a terminal of one cell draws on, and a larger one afterwards shows everything", async () => {
  const proxy = await prepareSigned();
  const terminal = await openDashboard(proxy, { cols: 80, rows: 24 });
  terminal.resize(1, 1);
  for (let count = 0; count < 10; count += 1) expect((await proxy.ask()).status).toBe(200);
  terminal.resize(80, 24);
  await terminal.waitFor(/^ RUNNING http[^]*FOLLOW 10 /);
  expect(terminal.everything().split("\n")).toHaveLength(24);
});
