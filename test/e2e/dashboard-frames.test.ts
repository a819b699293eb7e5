// What drawing costs, counted in the bytes that reach a real terminal: every frame is one synchronised update.
import { expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import type { Signed } from "../helpers/dashboard.ts";
import { eventually } from "../helpers/eventually.ts";
import type { Terminal } from "../helpers/terminal.ts";

const framesIn = (terminal: Terminal): number => terminal.bytes().split("\u001b[?2026h").length - 1;

const uptimeOf = async ({ url, key }: Signed): Promise<number> => {
  const response = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${key()}` } });
  return ((await response.json()) as { readonly uptime_seconds: number }).uptime_seconds;
};

/** The frames that were drawn while the program's own clock went on by two seconds. */
const framesInTwoSeconds = async (proxy: Signed, terminal: Terminal): Promise<number> => {
  const [before, startedAt] = [framesIn(terminal), await uptimeOf(proxy)];
  await eventually(() => uptimeOf(proxy), (seconds) => seconds > startedAt + 2, { what: "two seconds of the program's clock" });
  return framesIn(terminal) - before;
};

it("requests one after the other are drawn at most as often as ui.maxFps says, and a screen at rest not at all (U8)", async () => {
  const proxy = await prepareSigned();
  const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
  const [before, startedAt] = [framesIn(terminal), performance.now()];
  for (let count = 0; count < 100; count += 1) await proxy.ask();
  const [frames, seconds] = [framesIn(terminal) - before, (performance.now() - startedAt) / 1000];
  expect(frames).toBeGreaterThan(0);
  // Four a second and a timer's play, and what the first moments of a dashboard and both ends of the time add.
  expect(frames).toBeLessThanOrEqual(seconds * 5 + 4);
  await terminal.waitFor("in-flight 0");
  await terminal.waitFor("FOLLOW 100");
  // The lull itself is drawn once, and so is the minute that may end meanwhile.
  await eventually(() => framesInTwoSeconds(proxy, terminal), (drawn) => drawn === 0, { what: "two seconds without a frame" });
});

it("a terminal of one cell draws on, and a larger one afterwards shows everything (F15)", async () => {
  const proxy = await prepareSigned();
  const terminal = await openDashboard(proxy, { cols: 80, rows: 24 });
  terminal.resize(1, 1);
  for (let count = 0; count < 10; count += 1) expect((await proxy.ask()).status).toBe(200);
  terminal.resize(80, 24);
  await terminal.waitFor(/^ RUNNING http[^]*FOLLOW 10 /);
  expect(terminal.everything().split("\n")).toHaveLength(24);
});
