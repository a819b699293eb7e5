// A terminal that stops taking what is written to it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import { launcher } from "../helpers/program.ts";
import { openTerminal } from "../helpers/terminal.ts";

const slowest = async (work: () => Promise<unknown>, forMs: number): Promise<number> => {
  let worst = 0;
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    const started = performance.now();
    await work();
    worst = Math.max(worst, performance.now() - started);
  }
  return worst;
};

const endings = [["when it is told to", "SIGTERM", 143], ["when it crashes", "SIGUSR2", 1]] as const;

/** Stalls a dashboard until its line is full, and lets it end. */
const endStalled = async (signal: NodeJS.Signals) => {
  const proxy = await prepareSigned();
  const preload = join(proxy.home, "preload.mjs");
  writeFileSync(preload, 'process.on("SIGUSR2", () => { throw new Error("boom"); });');
  const terminal = await openDashboard(proxy, { cols: 200, rows: 60, nodeArgs: ["--import", preload] });
  terminal.stall();
  const keys = setInterval(() => terminal.write("?"), 20);
  await slowest(() => proxy.ask(), 1500).finally(() => clearInterval(keys));
  terminal.kill(signal);
  const ended = terminal.waitForExit();
  ended.catch(() => {});
  return { terminal, ended };
};

// What a dashboard gives its terminal until it ends without it is seconds; the other tests run in that time.
let stalled: readonly Awaited<ReturnType<typeof endStalled>>[] = [];
beforeAll(async () => {
  stalled = await Promise.all(endings.map(([, signal]) => endStalled(signal)));
});
afterAll(async () => {
  await Promise.all(stalled.map(({ terminal }) => terminal.close()));
});

it("F15 a terminal that takes nothing for five seconds does not hold up a single request, and is drawn anew afterwards", async () => {
  const proxy = await prepareSigned();
  const terminal = await openDashboard(proxy, { cols: 200, rows: 60 });
  expect((await proxy.ask()).status).toBe(200);
  terminal.stall();
  const before = terminal.bytes().length;
  // Every key draws, so that whatever the line holds is full long before the time is over.
  const keys = setInterval(() => terminal.write("?"), 30);
  const worst = await slowest(() => proxy.ask(), 5000).finally(() => clearInterval(keys));
  // One more answer, and the last key has been read: together with the next one it would be a paste.
  expect((await proxy.ask()).status).toBe(200);
  expect(terminal.bytes().length).toBe(before);
  expect(worst).toBeLessThan(1000);
  terminal.resume();
  // A pane that nothing of the backlog can show.
  terminal.write("4");
  await terminal.waitFor(/\[4 events\].*\n/);
  expect(terminal.rows()).toHaveLength(60);
  terminal.write("q");
  expect(await terminal.waitForExit()).toBe(0);
  expect(terminal.everything()).toMatch(/claude-oauth-proxy: served [\d,]+ requests/);
});

it("F15 log lines on a terminal that takes nothing hold up no request either, and the program ends when it is told to", async () => {
  const proxy = await prepareSigned();
  const terminal = openTerminal({ args: [launcher, "--plain", "--log-level", "debug"], home: proxy.home, env: proxy.env });
  await terminal.waitFor("listening on");
  terminal.stall();
  expect(await slowest(() => Promise.all(Array.from({ length: 20 }, () => proxy.ask())), 2500)).toBeLessThan(1500);
  terminal.kill("SIGTERM");
  const ended = performance.now();
  expect(await terminal.waitForExit()).toBe(143);
  expect(performance.now() - ended).toBeLessThan(6000);
});

it.each(endings.map(([when, , code], index) => [when, code, index] as const))("F15 a dashboard whose terminal takes nothing ends %s", async (_, code, index) => {
  expect(await stalled[index]?.ended).toBe(code);
});
