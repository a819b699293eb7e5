import { describe, expect, it } from "vitest";
import { summaryLine } from "../../src/tui/run.tsx";
import { eventually } from "../helpers/eventually.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, stateOf } from "./scene.ts";
import { account, listening, openGlass, received } from "./window-glass.ts";
import type { Glass } from "./window-glass.ts";

const finish = (glass: Glass, requestId: string): void =>
  glass.publish({ type: "request.finished", requestId, status: 200, outcome: "ok", durationMs: 5, ttfbMs: 2, longestSilenceMs: 1, bytesIn: 1, bytesOut: 1, attempts: 1, upstreamRequestId: null, blame: null, errorCode: null, message: null, nextStep: null });

/** The screen without what the clock changes. */
const steady = (glass: Glass): string => glass.screen().replace(/\d+\.\ds|\d\d:\d\d:\d\d|\d+s|<1m/g, "#").replace(/ +/g, " ");

/** Bells that are no end of a title or another OSC. */
const bellsIn = (bytes: string): number => bytes.split("\u001b]").map((part, index) => part.split("\u0007").length - 1 - (index > 0 ? 1 : 0)).reduce((sum, count) => sum + count, 0);

describe("the terminal", () => {
  it("U10 is taken over whole and given back as it was", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING http://127.0.0.1:4001");
    expect([glass.alternate(), glass.cursorVisible(), glass.rawMode()]).toEqual([true, false, true]);
    glass.stop();
    expect(await glass.running.finished).toMatch(/^claude-oauth-proxy: served 0 requests in 0s, token valid until/);
    await eventually(() => !glass.alternate() && !glass.rawMode(), Boolean);
    expect(glass.cursorVisible()).toBe(true);
    expect(glass.bytes()).not.toContain("\u001b[?1000h");
    // The title of before is remembered at the start and brought back at the end.
    expect(glass.bytes().indexOf("\u001b[22;0t")).toBeLessThan(glass.bytes().indexOf("\u001b]0;claude-oauth-proxy :4001\u0007"));
    expect(glass.bytes().lastIndexOf("\u001b[23;0t")).toBeGreaterThan(0);
  });

  it("can be given back at once, and twice", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.running.unmount();
    glass.running.unmount();
    await eventually(() => !glass.alternate() && glass.cursorVisible(), Boolean);
  });

  it("nothing scrolls, and nothing of the local key is on it", async () => {
    const glass = openGlass({ columns: 80, rows: 12 });
    await glass.waitFor("No requests yet");
    for (let index = 0; index < 30; index += 1) glass.publish(received(`r${index}`));
    await glass.waitFor("30 open");
    expect(glass.rows()[0]).toMatch(/^ RUNNING/);
    expect(glass.rows().at(-1)).toMatch(/FOLLOW 30/);
    expect(glass.bytes()).not.toContain("local-key-canary");
  });

  it("F15 may shrink to one cell and grow again", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.resize(1, 1);
    glass.publish(received("r1"));
    glass.resize(80, 24);
    await glass.waitFor("1 open");
  });

  it("F15 may go away: the program behind goes on and stops when it is asked to", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.hangUp();
    for (let index = 0; index < 20; index += 1) glass.publish(received(`r${index}`));
    glass.press("j");
    glass.stop();
    expect(await glass.running.finished).toContain("served 20 requests");
  });
});

describe("frames", () => {
  it("N1 show a request while it runs and when it ends", async () => {
    const glass = openGlass({ columns: 120, rows: 30 });
    glass.publish(received("r1"));
    await glass.waitFor(/> \d\d:\d\d:\d\d {2}con +POST {2}\/v1\/messages/);
    glass.publish({ type: "response.progress", requestId: "r1", phase: "thinking", bytesOut: 10, outputTokens: 3 });
    await glass.waitFor(/ think +POST/);
    finish(glass, "r1");
    await glass.waitFor(/ 200 +POST/);
  });

  it("come at most as often as ui.maxFps says, however many events there are (U8)", async () => {
    const glass = openGlass({ set: ["ui.maxFps=20"] });
    await glass.waitFor("RUNNING");
    const frames = (): number => glass.bytes().split("\u001b[?2026h").length;
    const [before, started] = [frames(), performance.now()];
    for (let count = 0; frames() - before < 6; count += 1) {
      for (let index = 0; index < 10; index += 1) glass.publish(received(`l${count}-${index}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Between six frames lie five pauses of 50 ms; a timer may be a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(5 * 49);
  });

  it.each([[40, 10], [120, 30], [30, 3], [80, 12], [200, 60]])("after a storm of sizes look as if they had begun at %dx%d", async (columns, rows) => {
    const events = [listening, account, received("r1"), received("r2", "/v1/messages/count_tokens")];
    const fresh = openGlass({ columns, rows, before: events });
    await fresh.waitFor(/RUN/);
    const stormed = openGlass({ columns: 80, rows: 24, before: events });
    await stormed.waitFor("RUNNING");
    for (let index = 0; index < 40; index += 1) stormed.resize(20 + ((index * 37) % 150), 2 + ((index * 13) % 50));
    stormed.resize(columns, rows);
    await eventually(() => steady(stormed), (seen) => seen === steady(fresh), { what: steady(fresh) });
  });

  it("fill a very tall terminal, where several lines share one node", async () => {
    const glass = openGlass({ columns: 120, rows: 120 });
    await glass.waitFor("No requests yet");
    expect(glass.rows()[0]).toMatch(/^ claude-oauth-proxy 0\.1\.0/);
    expect(glass.rows()[116]).toMatch(/valid until/);
    expect(glass.rows()[119]).toMatch(/^ FOLLOW 0 .*q quit/);
  });

  it("are drawn anew with Ctrl+L when something else has written over them", async () => {
    const glass = openGlass();
    await glass.waitFor("No requests yet");
    const before = glass.bytes().length;
    glass.press("\f");
    await eventually(() => glass.bytes().slice(before).includes("\u001b[2J"), Boolean);
    await glass.waitFor("No requests yet");
    expect(glass.rows()[0]).toMatch(/^ RUNNING/);
    expect(glass.rows().at(-1)).toMatch(/q quit/);
  });
});

describe("a person who is needed", () => {
  const needed = { type: "account.needs-login", accountId: "main", message: "invalid_grant", expiresAt: null } as const;

  it("N6 is called once, and the title says so", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    expect(bellsIn(glass.bytes())).toBe(0);
    glass.publish(needed);
    await glass.waitFor("x SIGNED OUT: sign in again. Press l.");
    glass.publish(received("r1"));
    await glass.waitFor("1 open");
    expect(bellsIn(glass.bytes())).toBe(1);
    expect(glass.bytes()).toContain("\u001b]0;! claude-oauth-proxy :4001\u0007");
  });

  it("N6 is called the way the settings say, and titles stay away from a plain terminal", async () => {
    const glass = openGlass({ set: ["ui.notify=osc9"], ascii: true });
    await glass.waitFor("RUNNING");
    glass.publish(needed);
    await glass.waitFor("SIGNED OUT");
    expect(glass.bytes()).toContain("\u001b]9;claude-oauth-proxy needs you\u0007");
    expect(glass.bytes()).not.toContain("\u001b]0;");
  });

  it("signs in on the primary screen and comes back to the dashboard", async () => {
    const login = Promise.withResolvers<void>();
    let asked: string | null = null;
    const glass = openGlass({ login: ({ accountId }) => ((asked = accountId), login.promise) });
    await glass.waitFor("RUNNING");
    glass.press("4");
    await glass.waitFor("WHAT HAPPENED");
    glass.press("l");
    await eventually(() => asked === "main" && !glass.alternate() && !glass.rawMode(), Boolean);
    login.resolve();
    await glass.waitFor("WHAT HAPPENED");
    expect([glass.alternate(), glass.rawMode()]).toEqual([true, true]);
  });

  it("is not kept in the sign-in by a program that has stopped", async () => {
    let told: AbortSignal | null = null;
    const glass = openGlass({ login: ({ signal }) => ((told = signal), new Promise<void>(() => {})) });
    await glass.waitFor("RUNNING");
    glass.press("l");
    await eventually(() => told !== null, Boolean);
    glass.stop();
    expect(await glass.running.finished).toContain("served 0 requests");
    expect(told).toMatchObject({ aborted: true });
    expect(glass.alternate()).toBe(false);
  });

  it("is told why a sign-in failed", async () => {
    const glass = openGlass({ login: () => Promise.reject(new Error("The page did not answer.")) });
    await glass.waitFor("RUNNING");
    glass.press("l");
    await glass.waitFor("The page did not answer.");
  });
});

describe("a mistake in drawing", () => {
  it("is said on the screen, and keys and program go on", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.publish({ ...received("r1"), path: undefined } as never);
    await glass.waitFor("The screen could not be drawn");
    glass.press("j");
    glass.press("Enter");
    glass.press("q");
    glass.press("q");
    await eventually(() => glass.calls.some(([name]) => name === "stop"), Boolean);
  });
});

describe("hostile text", () => {
  it("U1 reaches the terminal as text, whatever it tries", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.publish(received("r1", "/v1/\u001b]52;c;aGVsbG8=\u0007\u001b[2J\u009b31m"));
    await glass.waitFor("]52;c;aGVsb");
    for (const sequence of ["\u001b]52", "\u009b", "\u001b[2J"]) expect(glass.bytes()).not.toContain(sequence);
  });
});

describe("the last word on the primary screen", () => {
  it("tells requests, time, token and log", () => {
    expect(summaryLine(stateOf(afternoon), noon, "/tmp/log")).toBe("claude-oauth-proxy: served 6 requests in 3h12m, token valid until 16:12, log: /tmp/log");
    expect(summaryLine(stateOf([fact("request.received"), fact("account.needs-login")]), noon, null)).toBe("claude-oauth-proxy: served 1 request in 3h12m, sign in again before the next start");
  });
});
