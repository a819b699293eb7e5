import * as fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { dashboardLines } from "../../../src/tui/screens/dashboard.ts";
import type { View } from "../../../src/tui/view.ts";
import { panes } from "../../../src/tui/ui-state.ts";
import type { Overlay, UiState } from "../../../src/tui/ui-state.ts";
import { timesAsMuch } from "../../helpers/growth.ts";
import { fact } from "../../state/facts.ts";
import { hostile, steers } from "../hostile.ts";
import { afternoon, noon, stateOf, textOf, viewAt } from "../scene.ts";

const sizes: readonly (readonly [number, number])[] = [
  [120, 30], [200, 60], [110, 24], [109, 24], [80, 24], [80, 16], [80, 12], [70, 10], [69, 12], [40, 10], [40, 6], [39, 20], [30, 3], [20, 5], [60, 2], [40, 1], [3, 3], [1, 1],
];
const frame = (view: View): readonly string[] => dashboardLines(view).map(textOf);

const expectFits = (view: View): void => {
  const { columns, rows } = view.layout;
  const lines = frame(view);
  expect(lines).toHaveLength(rows);
  for (const line of lines) expect({ line, tooWide: stringWidth(line) > columns }).toEqual({ line, tooWide: false });
  // The last cell of the last row stays blank: some consoles scroll when it is written.
  expect(stringWidth((lines.at(-1) ?? "").trimEnd())).toBeLessThan(Math.max(2, columns));
};

describe.each(sizes)("a terminal of %dx%d", (columns, rows) => {
  it("is filled, and nothing is wider than it", () => {
    for (const pane of panes) expectFits(viewAt({ columns, rows, ui: { pane } }));
    for (const ascii of [true, false]) expectFits(viewAt({ columns, rows, ascii, live: stateOf() }));
    expectFits(viewAt({ columns, rows, slow: true, ui: { errorsOnly: true, filter: "!sonnet" } }));
  });

  it("is filled by every overlay, question and message", () => {
    const details = [["request", "r3"], ["request", "gone"], ["session", "6f1c1d9e-0000-4000-8000-000000000001"], ["account", "main"], ["event", "1"]] as const;
    const overlays: readonly Overlay[] = [{ kind: "help" }, ...details.map(([kind, id]) => ({ kind, id }))];
    for (const overlay of overlays) expectFits(viewAt({ columns, rows, ui: { overlay, scroll: 3 } }));
    expectFits(viewAt({ columns, rows, ui: { quitUntil: noon + 1000 } }));
    expectFits(viewAt({ columns, rows, ui: { suspendUntil: noon + 1000 } }));
    expectFits(viewAt({ columns, rows, ui: { message: { text: "m".repeat(300), alert: "good", until: noon + 1 } } }));
    expectFits(viewAt({ columns, rows, ui: { prompt: { kind: "filter" }, filter: "x".repeat(60) } }));
  });

  it("always shows the state and the token, and with three rows how to get help and out", () => {
    const lines = frame(viewAt({ columns, rows }));
    if (columns < 15) return;
    expect(lines[0]).toMatch(/RUN/);
    expect(lines.slice(0, 2).join(" ")).toMatch(/TOKEN/);
    if (rows < 3) return;
    expect(lines.at(-1)).toMatch(/\? help/);
    expect(lines.at(-1)).toMatch(/q quit/);
  });
});

describe("what is drawn where", () => {
  it("at 120x30: three header lines, panes, heads, list, two events, footer", () => {
    const lines = frame(viewAt());
    expect(lines[0]).toBe(" claude-oauth-proxy 0.1.0   RUNNING   http://127.0.0.1:4001                              up 3h12m   in-flight 2   5/min ");
    expect(lines[1]).toMatch(/^ dana \(Max\) {2}TOKEN OK {2}expires in 4h12m at 16:12 {2}5h 42% ↻2h · 7d 13% ↻3d .* last refresh 08:10 lead ok \(#1\) $/);
    expect(lines[2]).toMatch(/^ since start {2}2xx 2 {3}4xx 1 {3}5xx 0 {3}TTFB p50 0\.8s p95 0\.8s {3}in 91\.0k {2}out 1\.6k {3}cache 99% .*upstream ok 1s ago $/);
    expect(lines[3]).toMatch(/^─ \[1 requests\] ── 2 sessions ── 3 accounts ── 4 events ─+$/);
    expect(lines[4]).toMatch(/TIME +ST +METH +PATH +MODEL +TTFB +TOTAL +IN +OUT +CLIENT/);
    expect(lines.slice(25, 29).map((line) => line.slice(0, 12).trim())).toEqual(["────────────", "08:10:00", "11:59:41", "────────────"]);
    expect(lines[29]).toMatch(/^ FOLLOW 6 +q quit {2}\? help {2}Enter detail/);
  });

  it("at 40x10: two header lines, eight rows without heads, footer", () => {
    expect(frame(viewAt({ columns: 40, rows: 10 }))).toEqual([
      "RUN 127.0.0.1:4001          5/min 2 open",
      "TOKEN OK 4h12m                  up 3h12m",
      ">11:59:58 tool  sonnet-4-5   2.0s    310",
      " 11:55:40 tool  silent 259   4m20    310",
      " 11:59:44 200   sonnet-4-5   0.2s    310",
      " 11:59:40 429   opus-4-1     0.3s     10",
      " 11:59:31 200   haiku-4-5    3.3s    310",
      " 11:59:12 499   sonnet-4-5   6.0s    310",
      "",
      "FOLLOW 6   ? help  q quit  Enter detail",
    ]);
  });

  it("at 30x3: address, token, footer", () => {
    expect(frame(viewAt({ columns: 30, rows: 3 })).map((line) => line.trimEnd())).toEqual(["RUN :4001                5/min", "TOKEN 4h12m      last 200 0.2s", "? help  q quit       FOLLOW 6"]);
  });

  it("at 60x1: state and token", () => expect(frame(viewAt({ columns: 60, rows: 1 }))).toEqual(["RUN TOKEN 4h12m 2 open 5/min"]));

  it("open requests stand on top, but take at most half of the list", () => {
    const open = Array.from({ length: 20 }, (_, index) => fact("request.received", { requestId: `o${index}`, at: noon - 60_000 + index }));
    const live = stateOf([...open, fact("request.received", { requestId: "late", at: noon }), fact("request.finished", { requestId: "late", at: noon })]);
    const lines = frame(viewAt({ live, columns: 80, rows: 12 }));
    expect(lines.slice(3, 11).map((line) => line.slice(10, 14).trim())).toEqual(["con", "con", "con", "con", "200", "con", "con", "con"]);
  });

  it("the banner takes the account's line and adds none", () => {
    const live = stateOf([...afternoon, fact("account.needs-login", { at: noon })]);
    const lines = frame(viewAt({ live, columns: 80, rows: 12 }));
    expect(lines[1]).toMatch(/^ x SIGNED OUT: sign in again\. Press l\./);
    expect(lines).toHaveLength(12);
  });

  it("the first screen says how to use the proxy, and never shows the key", () => {
    const text = frame(viewAt({ live: stateOf(), columns: 80, rows: 24 })).join("\n");
    expect(text).toContain("export ANTHROPIC_BASE_URL=http://127.0.0.1:4001");
    expect(text).toContain('export ANTHROPIC_AUTH_TOKEN="$(claude-oauth-proxy print-key)"');
    expect(text).toContain("claude-oauth-proxy run claude");
    expect(frame(viewAt({ live: stateOf(), columns: 40, rows: 10 })).join("\n")).toContain("claude-oauth-proxy run claude");
  });

  it("the list window keeps the selected row in sight", () => {
    const live = stateOf(Array.from({ length: 100 }, (_, index) => [fact("request.received", { requestId: `n${index}` }), fact("request.finished", { requestId: `n${index}` })]).flat());
    const lines = dashboardLines(viewAt({ live, columns: 80, rows: 12, ui: { follow: false, selected: { requests: "n50", sessions: null, accounts: null, events: null } } }));
    expect(lines.filter(({ selected }) => selected)).toHaveLength(1);
    expect(lines.findIndex(({ selected }) => selected)).toBe(7);
    expect(textOf(lines.at(-1) ?? { segments: [], selected: false })).toContain("ROW 50/100");
  });

  it("the newest request stays selected while it is followed, and that concerns no other pane", () => {
    const live = stateOf([...afternoon, fact("notice", { seq: 901, message: "older" }), fact("notice", { seq: 902, message: "newer" })]);
    const selected = { requests: "r1", sessions: null, accounts: null, events: "901" };
    const selectedIn = (ui: Partial<UiState>): string => textOf(dashboardLines(viewAt({ live, ui: { ...ui, selected } })).find((line) => line.selected) ?? { segments: [], selected: false });
    expect([selectedIn({ follow: true }), selectedIn({ follow: false })]).toEqual([expect.stringContaining(" 11:59:58 "), expect.stringContaining(" 11:59:12 ")]);
    expect(selectedIn({ pane: "events", follow: true })).toContain("older");
  });

  it.each([[120, 23, 2], [120, 24, 3], [109, 40, 2], [120, 9, 2], [120, 2, 1]])("at %dx%d there are %d header lines", (columns, rows, count) => {
    expect(viewAt({ columns, rows }).layout.header).toBe(count);
  });

  it("while stopping, the header counts down and the footer tells how not to wait", () => {
    const live = stateOf([...afternoon, fact("server.stopping", { at: noon - 2000, drainSeconds: 10, inFlight: 2 })]);
    const lines = frame(viewAt({ live, columns: 80, rows: 24 }));
    expect(lines[0]).toContain("STOPPING, 2 open, 8s left");
    expect(lines.at(-1)).toContain("Ctrl+C stops now");
  });
});

const wholeRequest = (index: number) => [
  fact("request.received", { requestId: `n${index}`, sessionId: `s${index % 9}` }),
  fact("usage.updated", { requestId: `n${index}` }),
  fact("request.finished", { requestId: `n${index}` }),
];

const withRequests = (count: number): View => viewAt({ live: stateOf(Array.from({ length: count }, (_, index) => wholeRequest(index)).flat()) });

const drawTenTimes = (view: View) => Array.from({ length: 10 }, () => dashboardLines(view));

describe("the cost of a frame", () => {
  it("is with 500 rows in memory what it is with a screenful, because only what is seen is made (L9)", () => {
    const [few, many] = [withRequests(40), withRequests(500)];
    // Measured 0.6 to 1.2 ms with 500 rows.
    expect(timesAsMuch(() => void drawTenTimes(few), () => void drawTenTimes(many))).toBeLessThan(4);
  });
});

describe("hostile text", () => {
  it("cannot leave its column, at any size and in any pane (U1, U3, U5, U7)", () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(...sizes), fc.constantFrom(...panes), fc.boolean(), (text, [columns, rows], pane, ascii) => {
        const live = stateOf([
          fact("account.added", { label: text, lastError: text, accountId: text === "" ? "x" : text }),
          fact("account.cooling", { reason: text, at: noon, until: noon + 5000 }),
          fact("limits.updated", { window: text, status: text, resetsAt: noon + 1000, at: noon }),
          fact("request.received", { requestId: "h", path: text, client: text, method: text, sessionId: text, agentId: text, at: noon }),
          fact("attempt.started", { requestId: "h", modelAsked: text }),
          fact("response.started", { requestId: "h", contentType: text, upstreamRequestId: text, retryAfter: text }),
          fact("request.finished", { requestId: "h", outcome: "failed", status: 500, message: text, errorCode: text, nextStep: text, at: noon }),
          fact("notice", { message: text, hint: text, at: noon }),
        ]);
        for (const overlay of [null, { kind: "request", id: "h" }, { kind: "account", id: text }] as const) {
          const view = viewAt({ live, columns, rows, ascii, ui: { pane, overlay, filter: "", message: null } });
          expectFits(view);
          expect(frame(view).some(steers)).toBe(false);
        }
      }),
      { numRuns: 150 },
    );
  });
});
