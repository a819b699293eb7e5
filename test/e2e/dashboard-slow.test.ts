// A terminal that stops taking what is written to it. Nothing here measures a time: a program that waited for
// such a terminal would not answer at all.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import type { Signed } from "../helpers/dashboard.ts";
import { launcher } from "../helpers/program.ts";
import { openTerminal } from "../helpers/terminal.ts";
import type { Terminal } from "../helpers/terminal.ts";

// Frames of 200 by 60 cells are some 12 KB, at most 20 of them are drawn in a second, and a pseudo-terminal holds 64 KB.
const requestsThatFill = 300;

/** Stops reading, and presses a key with every request until the frames have filled the line; returns the statuses. */
const fillLine = async (proxy: Signed, terminal: Terminal): Promise<ReadonlySet<number>> => {
  const statuses = new Set<number>();
  terminal.stall();
  for (let count = 0; count < requestsThatFill; count += 1) {
    terminal.write("?");
    statuses.add((await proxy.ask()).status);
  }
  return statuses;
};

const endings = [["when it is told to", "SIGTERM", 143], ["when it crashes", "SIGUSR2", 1]] as const;

const endStalled = async (signal: NodeJS.Signals) => {
  const proxy = await prepareSigned();
  const preload = join(proxy.home, "preload.mjs");
  writeFileSync(preload, 'process.on("SIGUSR2", () => { throw new Error("boom"); });');
  const terminal = await openDashboard(proxy, { cols: 200, rows: 60, nodeArgs: ["--import", preload] });
  await fillLine(proxy, terminal);
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

it("a terminal that takes nothing holds up no request, and is drawn anew afterwards (F15)", async () => {
  const proxy = await prepareSigned();
  const terminal = await openDashboard(proxy, { cols: 200, rows: 60 });
  expect((await proxy.ask()).status).toBe(200);
  const before = terminal.bytes().length;
  expect(await fillLine(proxy, terminal)).toEqual(new Set([200]));
  // One more answer, and the last key has been read: together with the next one it would be a paste.
  expect((await proxy.ask()).status).toBe(200);
  expect(terminal.bytes().length).toBe(before);
  terminal.resume();
  // A pane that nothing of the backlog can show.
  terminal.write("4");
  await terminal.waitFor(/\[4 events\].*\n/);
  expect(terminal.rows()).toHaveLength(60);
  terminal.write("q");
  expect(await terminal.waitForExit()).toBe(0);
  expect(terminal.everything()).toMatch(/claude-oauth-proxy: served [\d,]+ requests/);
});

it("log lines on a terminal that takes nothing hold up no request either, and the program ends when it is told to (F15)", async () => {
  const proxy = await prepareSigned();
  const terminal = openTerminal({ args: [launcher, "--plain", "--log-level", "debug"], home: proxy.home, env: proxy.env });
  await terminal.waitFor("listening on");
  terminal.stall();
  // Some 500 bytes of lines for each request: far more than the line holds.
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => proxy.ask()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  }
  terminal.kill("SIGTERM");
  expect(await terminal.waitForExit()).toBe(143);
});

it.each(endings.map(([when, , code], index) => [when, code, index] as const))("a dashboard whose terminal takes nothing ends %s (F15)", async (_, code, index) => {
  expect(await stalled[index]?.ended).toBe(code);
});
