import { describe, expect, it } from "vitest";
import { summaryLine } from "../../src/tui/run.tsx";
import { eventually } from "../helpers/eventually.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, stateOf } from "./scene.ts";
import { account, listening, openDashboard, received } from "./dashboard-terminal.ts";
import type { DashboardTerminal } from "./dashboard-terminal.ts";

const finish = (terminal: DashboardTerminal, requestId: string): void =>
  terminal.publish({
    type: "request.finished", requestId, status: 200, outcome: "ok", durationMs: 5, ttfbMs: 2, longestSilenceMs: 1, bytesIn: 1, bytesOut: 1, attempts: 1,
    upstreamRequestId: null, blame: null, errorCode: null, message: null, nextStep: null,
  });

/** The screen without what the clock changes. */
const steady = (terminal: DashboardTerminal): string => terminal.screen().replace(/\d+\.\ds|\d\d:\d\d:\d\d|\d+s|<1m/g, "#").replace(/ +/g, " ");

/** Bells that are no end of a title or another OSC. */
const bellsIn = (bytes: string): number => bytes.split("\u001b]").map((part, index) => part.split("\u0007").length - 1 - (index > 0 ? 1 : 0)).reduce((sum, count) => sum + count, 0);

describe("the terminal", () => {
  it("is taken over whole and given back as it was (U10)", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING http://127.0.0.1:4001");
    expect([terminal.alternate(), terminal.cursorVisible(), terminal.rawMode()]).toEqual([true, false, true]);
    terminal.stop();
    expect(await terminal.running.finished).toMatch(/^claude-oauth-proxy: served 0 requests in \d+s, token valid until/);
    await eventually(() => !terminal.alternate() && !terminal.rawMode(), Boolean);
    expect(terminal.cursorVisible()).toBe(true);
    expect(terminal.bytes()).not.toContain("\u001b[?1000h");
    // The title of before is remembered at the start and brought back at the end.
    expect(terminal.bytes().indexOf("\u001b[22;0t")).toBeLessThan(terminal.bytes().indexOf("\u001b]0;claude-oauth-proxy :4001\u0007"));
    expect(terminal.bytes().lastIndexOf("\u001b[23;0t")).toBeGreaterThan(0);
  });

  it("can be given back at once, and twice", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.running.unmount();
    terminal.running.unmount();
    await eventually(() => !terminal.alternate() && terminal.cursorVisible(), Boolean);
  });

  it("nothing scrolls, and nothing of the local key is on it", async () => {
    const terminal = openDashboard({ columns: 80, rows: 12 });
    await terminal.waitFor("No requests yet");
    for (let index = 0; index < 30; index += 1) terminal.publish(received(`r${index}`));
    await terminal.waitFor("30 open");
    expect(terminal.rows()[0]).toMatch(/^ RUNNING/);
    expect(terminal.rows().at(-1)).toMatch(/FOLLOW 30/);
    expect(terminal.bytes()).not.toContain("local-key-canary");
  });

  it("may shrink to one cell and grow again (F15)", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.resize(1, 1);
    terminal.publish(received("r1"));
    terminal.resize(80, 24);
    await terminal.waitFor("1 open");
  });

  it("may go away: the program behind goes on and stops when it is asked to (F15)", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.hangUp();
    for (let index = 0; index < 20; index += 1) terminal.publish(received(`r${index}`));
    terminal.press("j");
    terminal.stop();
    expect(await terminal.running.finished).toContain("served 20 requests");
  });
});

describe("frames", () => {
  it("show a request while it runs and when it ends (N1)", async () => {
    const terminal = openDashboard({ columns: 120, rows: 30 });
    terminal.publish(received("r1"));
    await terminal.waitFor(/> \d\d:\d\d:\d\d {2}con +POST {2}\/v1\/messages/);
    terminal.publish({ type: "response.progress", requestId: "r1", phase: "thinking", bytesOut: 10, outputTokens: 3 });
    await terminal.waitFor(/ think +POST/);
    finish(terminal, "r1");
    await terminal.waitFor(/ 200 +POST/);
  });

  it("come at most as often as ui.maxFps says, however many events there are (U8)", async () => {
    const terminal = openDashboard({ set: ["ui.maxFps=20"] });
    await terminal.waitFor("RUNNING");
    const frames = (): number => terminal.bytes().split("\u001b[?2026h").length;
    const [before, started] = [frames(), performance.now()];
    for (let count = 0; frames() - before < 6; count += 1) {
      for (let index = 0; index < 10; index += 1) terminal.publish(received(`l${count}-${index}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Between six frames lie five pauses of 50 ms; a timer may be a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(5 * 49);
  });

  it.each([[40, 10], [120, 30], [30, 3], [80, 12], [200, 60]])("after a storm of sizes look as if they had begun at %dx%d", async (columns, rows) => {
    const events = [listening, account, received("r1"), received("r2", "/v1/messages/count_tokens")];
    const fresh = openDashboard({ columns, rows, before: events });
    await fresh.waitFor(/RUN/);
    const stormed = openDashboard({ columns: 80, rows: 24, before: events });
    await stormed.waitFor("RUNNING");
    for (let index = 0; index < 40; index += 1) stormed.resize(20 + ((index * 37) % 150), 2 + ((index * 13) % 50));
    stormed.resize(columns, rows);
    await eventually(() => steady(stormed), (seen) => seen === steady(fresh), { what: steady(fresh) });
  });

  it("fill a very tall terminal, where several lines share one node", async () => {
    const terminal = openDashboard({ columns: 120, rows: 120 });
    await terminal.waitFor("No requests yet");
    expect(terminal.rows()[0]).toMatch(/^ claude-oauth-proxy 0\.1\.0/);
    expect(terminal.rows()[116]).toMatch(/valid until/);
    expect(terminal.rows()[119]).toMatch(/^ FOLLOW 0 .*q quit/);
  });

  it("are drawn anew with Ctrl+L when something else has written over them", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("No requests yet");
    const before = terminal.bytes().length;
    terminal.press("\f");
    await eventually(() => terminal.bytes().slice(before).includes("\u001b[2J"), Boolean);
    await terminal.waitFor("No requests yet");
    expect(terminal.rows()[0]).toMatch(/^ RUNNING/);
    expect(terminal.rows().at(-1)).toMatch(/q quit/);
  });
});

describe("a person who is needed", () => {
  const needed = { type: "account.needs-login", accountId: "main", message: "invalid_grant", expiresAt: null } as const;

  it("is called once, and the title says so (N6)", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    expect(bellsIn(terminal.bytes())).toBe(0);
    terminal.publish(needed);
    await terminal.waitFor("x SIGNED OUT: sign in again. Press l.");
    terminal.publish(received("r1"));
    await terminal.waitFor("1 open");
    expect(bellsIn(terminal.bytes())).toBe(1);
    expect(terminal.bytes()).toContain("\u001b]0;! claude-oauth-proxy :4001\u0007");
  });

  it("is called the way the settings say, and titles stay away from a plain terminal (N6)", async () => {
    const terminal = openDashboard({ set: ["ui.notify=osc9"], ascii: true });
    await terminal.waitFor("RUNNING");
    terminal.publish(needed);
    await terminal.waitFor("SIGNED OUT");
    expect(terminal.bytes()).toContain("\u001b]9;claude-oauth-proxy needs you\u0007");
    expect(terminal.bytes()).not.toContain("\u001b]0;");
  });

  it("does not come back from a sign-in when the program has stopped meanwhile", async () => {
    const login = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<AbortSignal>();
    const terminal = openDashboard({ login: ({ signal }) => (asked.resolve(signal), login.promise) });
    await terminal.waitFor("RUNNING");
    terminal.press("l");
    const signal = await asked.promise;
    terminal.stop();
    await terminal.running.finished;
    expect(signal.aborted).toBe(true);
    const before = terminal.bytes().split("\u001b[?1049h").length;
    login.resolve();
    // Another one that opens now has drawn its first frame.
    await openDashboard().waitFor("RUNNING");
    expect([terminal.alternate(), terminal.bytes().split("\u001b[?1049h").length]).toEqual([false, before]);
  });

  it("signs in on the primary screen and comes back to the dashboard", async () => {
    const login = Promise.withResolvers<void>();
    let asked: string | null = null;
    const terminal = openDashboard({ login: ({ accountId }) => ((asked = accountId), login.promise) });
    await terminal.waitFor("RUNNING");
    terminal.press("4");
    await terminal.waitFor("WHAT HAPPENED");
    terminal.press("l");
    await eventually(() => asked === "main" && !terminal.alternate() && !terminal.rawMode(), Boolean);
    login.resolve();
    await terminal.waitFor("WHAT HAPPENED");
    expect([terminal.alternate(), terminal.rawMode()]).toEqual([true, true]);
  });

  it("is not kept in the sign-in by a program that has stopped", async () => {
    let told: AbortSignal | null = null;
    const terminal = openDashboard({ login: ({ signal }) => ((told = signal), new Promise<void>(() => {})) });
    await terminal.waitFor("RUNNING");
    terminal.press("l");
    await eventually(() => told !== null, Boolean);
    terminal.stop();
    expect(await terminal.running.finished).toContain("served 0 requests");
    expect(told).toMatchObject({ aborted: true });
    expect(terminal.alternate()).toBe(false);
  });

  it("is told why a sign-in failed", async () => {
    const terminal = openDashboard({ login: () => Promise.reject(new Error("The page did not answer.")) });
    await terminal.waitFor("RUNNING");
    terminal.press("l");
    await terminal.waitFor("The page did not answer.");
  });
});

describe("a mistake in drawing", () => {
  it("is said on the screen, and keys and program go on", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.publish({ ...received("r1"), path: undefined } as never);
    await terminal.waitFor("The screen could not be drawn");
    terminal.press("j");
    terminal.press("Enter");
    terminal.press("q");
    terminal.press("q");
    await eventually(() => terminal.calls.some(([name]) => name === "stop"), Boolean);
  });
});

describe("hostile text", () => {
  it("reaches the terminal as text, whatever it tries (U1)", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.publish(received("r1", "/v1/\u001b]52;c;aGVsbG8=\u0007\u001b[2J\u009b31m"));
    await terminal.waitFor("]52;c;aGVsb");
    for (const sequence of ["\u001b]52", "\u009b", "\u001b[2J"]) expect(terminal.bytes()).not.toContain(sequence);
  });
});

describe("the last word on the primary screen", () => {
  it("tells requests, time, token and log", () => {
    expect(summaryLine(stateOf(afternoon), noon, "/tmp/log")).toBe("claude-oauth-proxy: served 6 requests in 3h12m, token valid until 16:12, log: /tmp/log");
    expect(summaryLine(stateOf([fact("request.received"), fact("account.needs-login")]), noon, null)).toBe("claude-oauth-proxy: served 1 request in 3h12m, sign in again before the next start");
  });
});
