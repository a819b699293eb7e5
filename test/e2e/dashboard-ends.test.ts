// Every way in which the dashboard ends, by a key, a signal, a closed window or a crash: the exit code, and a
// terminal, a port and a credentials file that are as they should be.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { childrenOf, openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import type { Signed } from "../helpers/dashboard.ts";
import { eventually } from "../helpers/eventually.ts";
import { launcher } from "../helpers/program.ts";
import type { Terminal } from "../helpers/terminal.ts";
import { hasTmux, startTmux } from "../helpers/tmux.ts";

const bindable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

const leftIn = (session: number): string => spawnSync("ps", ["-o", "args=", "-s", String(session)], { encoding: "utf8" }).stdout.trim();

/** The program has ended with `code`, and whatever it had taken is back. */
const finish = async (proxy: Signed, terminal: Terminal, code: number): Promise<string> => {
  await terminal.waitForExit({ within: 15_000 });
  const text = terminal.everything();
  expect(text).toContain(`code ${code}`);
  expect(text).toContain("terminal as before");
  expect([terminal.alternate(), terminal.cursor().visible, terminal.bracketedPaste(), terminal.mouse()]).toEqual([false, true, false, false]);
  expect(await bindable(proxy.port)).toBe(true);
  expect(leftIn(terminal.pid)).toBe("");
  expect(proxy.stored()["ada"]?.refresh_token).toMatch(/^sk-ant-/);
  return text;
};

/** A stream that stands still after its first events, for `ms` or for ever. */
const openStream = async (proxy: Signed, terminal: Terminal, ms?: number): Promise<{ readonly text: Promise<string> }> => {
  proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "silence", afterBytes: 900, ...(ms === undefined ? {} : { ms }) } });
  const stream = await proxy.stream();
  await terminal.waitFor(/1 open/);
  return stream;
};

const nodeIn = (terminal: Terminal): number => childrenOf(terminal.pid)[0] ?? 0;

describe("by a key", () => {
  it("q asks while a stream is open, q again drains with a countdown, and the client gets all of it (N13)", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { inShell: true });
    const { text } = await openStream(proxy, terminal, 3000);
    terminal.write("q");
    await terminal.waitFor("1 open. q again: stop");
    terminal.write("q");
    await terminal.waitFor(/^ STOPPING, 1 open, (?:9|10)s left/m);
    await terminal.waitFor(/^ STOPPING, 1 open, 8s left/m);
    expect(await text).toContain("message_stop");
    expect(await finish(proxy, terminal, 0)).toMatch(/^claude-oauth-proxy: served 1 request in \d+s, token valid until \d\d:\d\d$/m);
  });

  it("Ctrl+C twice does not wait for a stream (F10)", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { inShell: true, args: ["--set", "server.drainSeconds=300"] });
    const { text } = await openStream(proxy, terminal);
    terminal.write("\u0003");
    await terminal.waitFor("1 open. q again: stop");
    terminal.write("\u0003");
    await finish(proxy, terminal, 0);
    expect(await text).toContain("broken off");
  });
});

describe("by a signal", () => {
  it.each([["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const)("%s ends with %i (U10)", async (signal, code) => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { inShell: true });
    process.kill(nodeIn(terminal), signal);
    expect(await finish(proxy, terminal, code)).toMatch(/^claude-oauth-proxy: served 0 requests/m);
  });

  it("SIGINT twice cuts a stream off at once (F10)", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { inShell: true, args: ["--set", "server.drainSeconds=300"] });
    const { text } = await openStream(proxy, terminal);
    process.kill(nodeIn(terminal), "SIGINT");
    await terminal.waitFor("STOPPING, 1 open");
    process.kill(nodeIn(terminal), "SIGINT");
    await finish(proxy, terminal, 130);
    expect(await text).toContain("broken off");
  });
});

/** Runs `command` in a pane, and its exit code into a file. */
const inPane = async (proxy: Signed, around: (command: string) => string) => {
  const file = join(proxy.home, "code");
  const command = around(`node ${launcher}; echo $? > ${file}.new; mv ${file}.new ${file}`);
  const tmux = startTmux({ command: ["sh", "-c", command], home: proxy.home, env: proxy.env });
  await tmux.waitFor("RUNNING");
  return { tmux, code: () => eventually(() => (existsSync(file) ? readFileSync(file, "utf8").trim() : ""), (text) => text !== "", { what: "the exit code" }) };
};

describe.skipIf(!hasTmux)("by a window that is closed (needs tmux)", () => {
  it.each([
    // The pane's own shell dies of it, and then the kernel tells whoever is in the foreground.
    ["the hang-up of a killed pane", (command: string) => `sh -c 'trap : HUP; ${command}'; true`],
    // In a session of its own no signal comes: all there is to notice is that standard input has ended.
    ["the end of standard input alone", (command: string) => `setsid sh -c '${command}'; sleep 60`],
  ])("%s ends with 129 and leaves nothing behind (U10)", async (_, around) => {
    const proxy = await prepareSigned();
    const { tmux, code } = await inPane(proxy, around);
    expect((await proxy.ask()).status).toBe(200);
    tmux.killPane();
    expect(await code()).toBe("129");
    expect(await bindable(proxy.port)).toBe(true);
    expect(proxy.stored()["ada"]?.refresh_token).toMatch(/^sk-ant-/);
  });
});

describe("by a crash", () => {
  it.each([
    ["an exception that nobody catches", "throw error;"],
    ["a rejection that nobody handles", "void Promise.reject(error);"],
  ])("%s ends with 1, a sentence and no token (F13)", async (_, crash) => {
    const proxy = await prepareSigned();
    const preload = join(proxy.home, "preload.mjs");
    writeFileSync(preload, `process.on("SIGUSR2", () => { const error = new Error("boom with sk-ant-oat01-canary-canary-canary"); ${crash} });`);
    const terminal = await openDashboard(proxy, { inShell: true, nodeArgs: ["--import", preload] });
    await openStream(proxy, terminal);
    process.kill(nodeIn(terminal), "SIGUSR2");
    const text = await finish(proxy, terminal, 1);
    expect(text).toContain("boom with");
    expect(text).not.toContain("canary");
    expect(text).not.toMatch(/^ +at /m);
  });
});
