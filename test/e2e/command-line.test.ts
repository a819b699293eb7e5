// What only a process shows: signals, exit codes, closed outputs, taken ports, broken folders.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { startProgram } from "../helpers/program.ts";
import type { Program, ProgramOptions } from "../helpers/program.ts";

const script = join(import.meta.dirname, "../cli/launch.ts");
const program = (args: readonly string[], more: ProgramOptions = {}): Program => startProgram({ script, args, ...more });
const headless = (args: readonly string[] = [], more: ProgramOptions = {}): Program => program(["--headless", "--port", "0", "--log-format", "json", ...args], more);

const end = async (args: readonly string[], more: ProgramOptions = {}) => {
  const running = program(args, more);
  running.endInput();
  const { code } = await running.waitForExit({ within: 20_000 });
  return { code, out: running.stdout(), err: running.stderr(), home: running.home };
};

const run = (command: readonly string[], more: ProgramOptions = {}) => end(["run", "--mode", "pass-through", "--", ...command], more);

const typesIn = (lines: string): string[] => lines.trim().split("\n").map((line) => (JSON.parse(line) as { type: string }).type);

describe("a headless proxy", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("says where it listens, and on %s stops in order with %i (F9)", async (signal, code) => {
    const running = headless();
    const { url } = await running.waitForEvent("server.listening");
    expect((await fetch(`${url}/health`)).status).toBe(503);
    running.kill(signal);
    expect(await running.waitForExit()).toEqual({ code, signal: null });
    expect(running.stderr()).toBe("");
    const types = typesIn(running.stdout());
    expect(types[0]).toBe("server.listening");
    expect(types.slice(-2)).toEqual(["server.stopping", "server.stopped"]);
  });

  it("without an account says how to sign in, and keeps running", async () => {
    const running = program(["--headless", "--port", "0"]);
    const line = await running.waitForLine("no account can serve yet");
    expect(line).toMatch(/`claude-oauth-proxy login` or at http:\/\/127\.0\.0\.1:\d+\/auth\/device/);
    expect(running.child.exitCode).toBe(null);
  });

  it("goes on serving when nobody reads its output any more (F15)", async () => {
    const running = headless(["--log-level", "debug"]);
    const { url } = await running.waitForEvent("server.listening");
    running.child.stdout.destroy();
    running.child.stderr.destroy();
    for (let count = 0; count < 20; count += 1) expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/health`)).status).toBe(503);
    running.kill("SIGTERM");
    expect((await running.waitForExit()).code).toBe(143);
  });

  it("the log file and the recording are private and hold the same events", async () => {
    const home = temporaryFolder();
    const [log, record] = [join(home, "proxy.log"), join(home, "events.ndjson")];
    const running = headless(["--log-file", log, "--record", record], { home });
    await running.waitForEvent("server.listening");
    running.kill();
    await running.waitForExit();
    expect(typesIn(readFileSync(log, "utf8"))).toContain("server.stopped");
    expect(typesIn(readFileSync(record, "utf8"))).toEqual(expect.arrayContaining(["config.loaded", "server.listening", "server.stopped"]));
  });
});

describe("an open debugger", () => {
  const preload = `data:text/javascript,import inspector from "node:inspector"; inspector.open(0)`;

  it.each<[string, ProgramOptions]>([
    ["NODE_OPTIONS=--inspect", { env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" } }],
    ["a module that opens it before", { nodeArgs: [`--import=${preload}`] }],
  ])("by %s is told at the start: every user of the machine can read the memory", async (_, more) => {
    const running = headless([], more);
    const { message, hint } = await running.waitForEvent("notice", ({ code }) => code === "debugger-open");
    // Node itself prints the whole address, with the path that a reader of the log must not get.
    const [, address = "nothing"] = /ws:\/\/([\d.]+:\d+)\//.exec(running.stderr()) ?? [];
    expect(message).toContain(`is open at ${address}: every user of this machine can read its memory`);
    expect(hint).toContain("NODE_OPTIONS");
    expect(running.stdout()).not.toMatch(/ws:|[0-9a-f]{8}-[0-9a-f]{4}-/);
    const listed = await end(["accounts", "list"], more);
    expect([listed.code, listed.err]).toEqual([0, expect.stringContaining("the debugger of this process is open at 127.0.0.1:")]);
  });
});

describe("a port that is taken", () => {
  it("ends with 4, says whether it is our own proxy, and offers the next free port (F12)", async () => {
    const first = headless();
    const { port } = await first.waitForEvent("server.listening");
    const again = await end(["--headless", "--port", String(port)], { home: first.home });
    expect([again.code, again.out]).toEqual([4, ""]);
    expect(again.err).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken by another claude-oauth-proxy of yours`));
    expect(again.err).toMatch(/claude-oauth-proxy --port \d+`/);
    const elsewhere = await end(["--headless", "--port", String(port)]);
    expect([elsewhere.code, elsewhere.err.includes("with another data folder")]).toEqual([4, true]);
    const status = await end(["status", "--json", "--set", `server.port=${port}`], { home: first.home });
    expect(JSON.parse(status.out)).toMatchObject({ running: true, status: "sign-in-needed" });
  });
});

describe("wrong words and broken folders", () => {
  it("a wrong flag or setting ends with 2 and one sentence, never a stack", async () => {
    const flag = await end(["--prot", "1"]);
    expect([flag.code, flag.out]).toEqual([2, ""]);
    expect(flag.err).toContain("Did you mean --port?");
    const setting = await end(["--headless"], { env: { CLAUDE_OAUTH_PROXY_SERVER__PORT: "x", CLAUDE_OAUTH_PROXY_MODE: "y" } });
    expect(setting.code).toBe(2);
    expect(setting.err).toContain("2 settings are wrong");
    expect(setting.err).not.toMatch(/^\s+at /m);
  });

  it("a data folder that cannot be made is named, with the next step", async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, "file"), "");
    const { code, err } = await end(["--headless", "--port", "0", "--dir", join(home, "file/data")], { home });
    expect(code).toBe(1);
    expect(err.split("\n")[0]).toContain(join(home, "file"));
    expect(err.trim().split("\n")).toHaveLength(2);
  });

  it("a torn accounts file is moved aside and named, and the proxy starts (D3)", async () => {
    const home = temporaryFolder();
    const dir = join(home, "data");
    mkdirSync(dir, { mode: 0o700 });
    writeFileSync(join(dir, "accounts.json"), '{"version":1,"acc', { mode: 0o600 });
    const running = program(["--headless", "--port", "0", "--dir", dir], { home });
    await running.waitForLine("no account can serve yet");
    const kept = readdirSync(dir).filter((name) => name.startsWith("accounts.json") && readFileSync(join(dir, name), "utf8") === '{"version":1,"acc');
    expect(kept).toHaveLength(1);
    expect(running.stdout()).toContain(kept[0]);
  });
});

describe("run", () => {
  it("gives the command its environment and takes over its exit code", async () => {
    const shell = 'printf "%s|%s|%s" "$ANTHROPIC_BASE_URL" "${ANTHROPIC_AUTH_TOKEN-none}" "${CLAUDE_OAUTH_PROXY_PASSPHRASE-none}"; exit 7';
    const { code, out, err } = await run(["sh", "-c", shell], { env: { CLAUDE_OAUTH_PROXY_PASSPHRASE: "canary" } });
    expect([code, err]).toEqual([7, ""]);
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\|none\|none$/);
  });

  it("a command that dies of a signal, does not exist or may not run has the shell's codes", async () => {
    expect((await run(["sh", "-c", "kill -9 $$"])).code).toBe(137);
    const missing = await run(["no-such-command-here"]);
    expect([missing.code, missing.err.includes("could not be started (ENOENT)")]).toEqual([127, true]);
    expect((await run(["/etc/passwd"])).code).toBe(126);
  });

  it("without any account it ends with 3 before the command runs", async () => {
    const { code, out, err } = await end(["run", "--", "echo", "never"]);
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain("claude-oauth-proxy login");
  });

  it("hands a signal on to the command and waits for it", async () => {
    const trap = 'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
    const running = program(["run", "--mode", "pass-through", "--", "sh", "-c", trap]);
    await running.waitForLine("ready");
    running.kill("SIGTERM");
    expect((await running.waitForExit()).code).toBe(5);
    expect(running.stdout()).toBe("ready\ngot it\n");
  });

  it("uses the proxy that runs already", async () => {
    const first = headless(["--mode", "pass-through"]);
    const { url, port } = await first.waitForEvent("server.listening");
    const env = { CLAUDE_OAUTH_PROXY_SERVER__PORT: String(port), CLAUDE_OAUTH_PROXY_MODE: "pass-through" };
    const { out } = await end(["run", "sh", "-c", "echo $ANTHROPIC_BASE_URL"], { home: first.home, env });
    expect(out).toBe(`${url}\n`);
  });
});

describe("the demo", () => {
  it("signs in by itself without a screen, serves traffic, and leaves nothing behind", async () => {
    const running = program(["demo", "--traffic", "--headless", "--port", "0", "--log-format", "json"]);
    await running.waitForEvent("login.succeeded");
    await running.waitForEvent("request.finished", ({ status }) => status === 200);
    running.kill("SIGINT");
    expect((await running.waitForExit({ within: 15_000 })).code).toBe(130);
    expect(running.stdout()).not.toMatch(/sk-ant-|cop_[\w-]{20}/);
    const left = await eventually(() => readdirSync(running.home).filter((name) => name.startsWith("claude-oauth-proxy-demo")), ({ length }) => length === 0);
    expect(left).toEqual([]);
    expect(readdirSync(running.home)).not.toContain(".config");
  });
});
