// The dashboard with live traffic at every size from a full screen down to one line: nothing wraps, nothing
// scrolls, and state, token and the way out are there as long as there is room for them.
import { describe, expect, it } from "vitest";
import { openDashboard, prepareSigned, settledAt } from "../helpers/dashboard.ts";
import type { Signed } from "../helpers/dashboard.ts";
import { eventually } from "../helpers/eventually.ts";
import type { Terminal } from "../helpers/terminal.ts";
import { launcher } from "../helpers/program.ts";
import { hasTmux, startTmux } from "../helpers/tmux.ts";

/** An answer, a throttle, a refresh, and a stream that thinks and then says nothing more. */
const livenUp = async (proxy: Signed): Promise<void> => {
  expect((await proxy.ask()).status).toBe(200);
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "throttle" } });
  expect((await proxy.ask()).status).toBe(429);
  expect((await proxy.ask({ path: "/auth/refresh", body: {} })).status).toBe(200);
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "silence", afterBytes: 1200 } });
  await proxy.stream({ thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2048 });
};

const notScrolled = (terminal: Terminal, rows: number): void => {
  // A row that wrapped, or one too many, would make another number of lines of them.
  expect(terminal.everything().split("\n")).toHaveLength(rows);
  expect([terminal.alternate(), terminal.scrolled()]).toEqual([true, 0]);
  expect(terminal.cell(terminal.columns() - 1, rows - 1).chars.trim(), "the last cell of all").toBe("");
};

/** What each size shows in its first row, and of the stream in its list. */
const sizes: readonly (readonly [cols: number, rows: number, head: RegExp, list: RegExp | null])[] = [
  [
    120, 30, /^ claude-oauth-proxy \d+\.\d+\.\d+ {3}RUNNING {3}http:\/\/127\.0\.0\.1:\d+ .*in-flight 1 +\d+\/min/,
    /> \d\d:\d\d:\d\d {2}think +POST {2}\/v1\/messages +claude-opus-4-8 +\d\.\ds +\d+\.\ds/,
  ],
  [80, 24, /^ RUNNING http:\/\/127\.0\.0\.1:\d+ .*1 open {2}up/, />\d\d:\d\d:\d\d think messages/],
  [80, 12, /^ RUNNING http:\/\/127\.0\.0\.1:\d+ .*1 open/, />\d\d:\d\d:\d\d think messages/],
  [40, 10, /^RUN 127\.0\.0\.1:\d+ .*1 open/, />\d\d:\d\d:\d\d think opus-4-8 +\d+\.\ds/],
  [30, 3, /^RUN :\d+ +\d+\/min/, null],
  [200, 60, /RUNNING/, / think +POST/],
  [80, 2, /^RUNNING TOKEN \S+ 1 open \d+\/min/, null],
  [30, 1, /^RUN TOKEN \S+ 1 open/, null],
];

describe("the dashboard with live traffic", () => {
  it("shows state, token and the way out at every size, and nothing wraps or scrolls", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { cols: 100, rows: 25 });
    await livenUp(proxy);
    await terminal.waitFor(/ think /);
    for (const [cols, rows, head, list] of sizes) {
      const label = `${cols}x${rows}`;
      await settledAt(terminal, cols, rows);
      await terminal.waitFor(head);
      expect(terminal.rows()[0], label).toMatch(head);
      expect(terminal.rows().slice(0, 3).join("\n"), label).toMatch(/TOKEN (OK )?/);
      if (rows > 2) expect(terminal.rows().at(-1), label).toMatch(/(?=.*\? help)(?=.*q quit)/);
      if (list !== null) for (const one of [list, / 429 /, / 200 /]) expect(terminal.screen(), label).toMatch(one);
      notScrolled(terminal, rows);
    }
    await settledAt(terminal, 80, 24);
    const total = (): string => /think messages.*?\d\.\ds +(\d+)\.\ds/.exec(terminal.screen())?.[1] ?? "";
    const first = total();
    await eventually(total, (seen) => Number(seen) > Number(first), { what: "the seconds of the open stream to go on" });
  });

  it.skipIf(!hasTmux)("leaves no history in a tmux pane, whatever its size becomes (needs tmux)", async () => {
    const proxy = await prepareSigned();
    const tmux = startTmux({ command: [process.execPath, launcher], cols: 80, rows: 24, home: proxy.home, env: proxy.env });
    await tmux.waitFor("RUNNING");
    await livenUp(proxy);
    await tmux.waitFor(/think messages/);
    for (const [cols, rows] of [[80, 12], [40, 10], [30, 3], [120, 30]] as const) {
      tmux.resize(cols, rows);
      await eventually(() => tmux.capture().split("\n")[rows - 1] ?? "", (row) => row.includes("q quit"), { what: `a frame for ${cols}x${rows}` });
      expect([tmux.ask("#{history_size}"), tmux.ask("#{alternate_on}")], `${cols}x${rows}`).toEqual(["0", "1"]);
    }
    // Joining soft-wrapped rows would make fewer lines.
    expect(tmux.capture({ joined: true }).split("\n")).toHaveLength(31);
  });
});

/** A frame without what the clock, the port and a busy machine change. */
const passing = /\d\d:\d\d(?::\d\d)?|\d+h\d+m|up \S+|127\.0\.0\.1:\d+|:\d{4,5}|cop-\w+/g;
const masked = (terminal: Terminal): string => terminal.screen().replace(/ slow(?= )/, "").replace(passing, "#").replace(/[ ─]+/g, " ");

const randomSizes = (count: number): readonly (readonly [cols: number, rows: number])[] =>
  Array.from({ length: count }, () => [1 + Math.floor(Math.random() * 200), 1 + Math.floor(Math.random() * 60)]);

describe("a storm of sizes", () => {
  it.each([[80, 24], [40, 10], [30, 3]])("leaves the frame that a fresh program draws at %ix%i", async (cols, rows) => {
    const [one, other] = [await prepareSigned(), await prepareSigned()];
    const [fresh, stormed] = await Promise.all([openDashboard(one, { cols, rows }), openDashboard(other, { cols: 120, rows: 30 })]);
    const storm = randomSizes(100);
    for (const [index, size] of storm.entries()) {
      stormed.resize(...size);
      // Some are drawn, most come faster than any frame.
      if (index % 10 === 0) await one.ask({ path: "/health" });
    }
    stormed.resize(cols, rows);
    await eventually(() => masked(stormed), (seen) => seen === masked(fresh), { what: `after ${JSON.stringify(storm)}:\n${fresh.screen()}` });
    notScrolled(stormed, rows);
    const before = masked(stormed);
    stormed.write("\f");
    await eventually(() => stormed.bytes(), (bytes) => bytes.includes("\u001b[2J\u001b[H"), { what: "Ctrl+L" });
    await eventually(() => masked(stormed), (seen) => seen === before, { what: before });
  });
});
