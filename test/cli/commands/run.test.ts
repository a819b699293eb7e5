// A proxy around one command: which proxy it is, when the command is not begun, and where signals go.
import { EventEmitter } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { App } from "../../../src/app/app.ts";
import { runChild } from "../../../src/cli/commands/run.ts";
import { connectTo } from "../../../src/cli/connection.ts";
import type { AccountRow } from "../../../src/state/state.ts";
import { eventually } from "../../helpers/eventually.ts";
import { appKey, fakeApps } from "../fake-app.ts";
import { account, fakeContext, localKey } from "../fake-context.ts";
import type { FakeContext } from "../fake-context.ts";
import { forged, health, proxyAnswers } from "../fake-proxy.ts";

const shellPath = { PATH: process.env["PATH"] ?? "" };

/** Runs a command that writes down where it is sent, with `port` as the configured one. */
const besidePort = async (port: number, ...flags: readonly string[]) => {
  const apps = fakeApps({ accounts: [account("claude")] });
  const environment = { ...shellPath, CLAUDE_OAUTH_PROXY_SERVER__PORT: String(port) };
  const context = fakeContext({ environment, parts: { createApp: apps.createApp }, connect: connectTo });
  const trace = join(context.dir, "../trace");
  expect(await context.run("run", ...flags, "--", "sh", "-c", `printf %s "$ANTHROPIC_BASE_URL $ANTHROPIC_AUTH_TOKEN" > ${trace}`)).toBe(0);
  return { own: apps.created, seen: readFileSync(trace, "utf8"), said: context.said.err() };
};

/** The same beside a proxy that answers `/health` with `more`. */
const besideRunning = async (more: { readonly mode?: string; readonly status?: string }, ...flags: readonly string[]) => {
  const { port } = await proxyAnswers({ health: { ...health, ...more } });
  return { port, ...(await besidePort(port, ...flags)) };
};

const tokenFrom = async (change: (app: App) => App): Promise<string> => {
  const apps = fakeApps({ accounts: [account("claude")] });
  const context = fakeContext({ environment: shellPath, parts: { createApp: async (options) => change(await apps.createApp(options)) } });
  const trace = join(context.dir, "../trace");
  await context.run("run", "--", "sh", "-c", `printf %s "$ANTHROPIC_AUTH_TOKEN" > ${trace}`);
  return readFileSync(trace, "utf8");
};

describe("the proxy of run", () => {
  it("is the one that runs already, with its address and the local key", async () => {
    const { port, own, seen } = await besideRunning({});
    expect([own, seen]).toEqual([[], `http://127.0.0.1:${port} ${localKey}`]);
  });

  it.each([
    ["needs a sign-in", { status: "sign-in-needed" }],
    ["has another mode", { mode: "pass-through" }],
  ])("is one of its own when the one that runs %s", async (_, more) => {
    const { port, own, seen } = await besideRunning(more);
    expect(own).toHaveLength(1);
    expect(seen).not.toContain(String(port));
  });

  it("is one of its own when something else answers on the port, and the command never hears of that port (S3)", async () => {
    const { port, seen: shown } = await forged();
    const { own, seen, said } = await besidePort(port);
    expect(own).toMatchObject([{ forOneCommand: true }]);
    expect(seen).not.toContain(String(port));
    expect(said).toContain(`something else answers at http://127.0.0.1:${port}; it did not prove that it knows our local key; the command gets a proxy of its own`);
    expect(shown.join()).not.toContain(localKey);
  });

  it("is one of its own with the key of that one, or with the local key where none is asked for", async () => {
    expect(await tokenFrom((app) => app)).toBe(appKey);
    expect(await tokenFrom((app) => ({ ...app, key: null }))).toBe(localKey);
  });

  it("is one of its own when something is asked of the proxy itself", async () => {
    expect((await besideRunning({}, "--account", "claude")).own).toHaveLength(1);
    expect((await besideRunning({}, "--set", "log.level=error")).own).toHaveLength(1);
  });
});

it("the command does not inherit what unlocks the store or the outbound proxy", async () => {
  const apps = fakeApps({ accounts: [account("claude")] });
  const secrets = { CLAUDE_OAUTH_PROXY_PASSPHRASE: "canary-one", CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY: "http://me:canary@127.0.0.1:1" };
  const context = fakeContext({ environment: { ...shellPath, ...secrets, KEPT: "kept" }, parts: { createApp: apps.createApp } });
  const trace = join(context.dir, "../trace");
  expect(await context.run("run", "--", "sh", "-c", `env > ${trace}`)).toBe(0);
  expect(readFileSync(trace, "utf8")).toContain("KEPT=kept");
  expect(readFileSync(trace, "utf8")).not.toContain("canary");
});

it("an open debugger is said on standard error before the command begins", async () => {
  const apps = fakeApps({ accounts: [account("claude")] });
  const context = fakeContext({ environment: shellPath, debuggerAt: "127.0.0.1:9229", parts: { createApp: apps.createApp } });
  expect(await context.run("run", "--", "true")).toBe(0);
  expect(context.said.err()).toContain("the debugger of this process is open at 127.0.0.1:9229");
});

const past = Date.UTC(2026, 0, 1);

describe("a command without an account", () => {
  it.each<readonly [string, readonly AccountRow[]]>([
    ["there is none", []],
    ["every one needs a new sign-in", [account("a", { health: "needs-login", expiresAt: past }), account("b", { health: "needs-login", expiresAt: past })]],
    ["every one is disabled", [account("a", { enabled: false, health: "disabled" })]],
  ])("is not begun when %s: exit code 3, and the proxy stops", async (_, accounts) => {
    const apps = fakeApps({ accounts });
    const context = fakeContext({ environment: shellPath, parts: { createApp: apps.createApp } });
    const trace = join(context.dir, "../begun");
    expect(await context.run("run", "--", "sh", "-c", `: > ${trace}`)).toBe(3);
    expect([existsSync(trace), apps.stops]).toEqual([false, ["run finished"]]);
    expect(context.said.err()).toContain("There is no account that could serve the command.");
  });

  it("is begun when one of several can serve, and in pass-through mode", async () => {
    const one = fakeApps({ accounts: [account("a", { health: "needs-login", expiresAt: past }), account("b")] });
    expect(await fakeContext({ environment: shellPath, parts: { createApp: one.createApp } }).run("run", "--", "sh", "-c", "exit 7")).toBe(7);
    expect(await fakeContext({ environment: shellPath, parts: { createApp: fakeApps().createApp } }).run("run", "--mode", "pass-through", "--", "sh", "-c", "exit 7")).toBe(7);
  });
});

describe("the log of run", () => {
  it("is warnings only, on standard error, and an own local key is in none of them", async () => {
    const key = "a key that I have chosen for myself";
    const apps = fakeApps({ accounts: [account("claude")] });
    const context = fakeContext({
      environment: shellPath,
      key,
      parts: {
        async createApp(options) {
          const app = await apps.createApp(options);
          app.bus.publish({ type: "notice", level: "info", code: "x", message: "not worth a line", hint: null });
          app.bus.publish({ type: "notice", level: "warning", code: "x", message: `the key is ${key}`, hint: null });
          return app;
        },
      },
    });
    expect(await context.run("run", "--", "true")).toBe(0);
    expect(context.said.err()).toContain("the key is ***");
    expect(context.said.err()).not.toMatch(/chosen|not worth/);
    expect(context.said.out()).toBe("");
  });
});

/** A context whose proxy is changed by `change` before the command sees it. */
const around = (change: (app: App, context: FakeContext) => App) => {
  const apps = fakeApps();
  const context = fakeContext({ environment: shellPath, parts: { createApp: async (options) => change(await apps.createApp(options), context) } });
  return { apps, context, run: (script: string): Promise<number> => context.run("run", "--mode", "pass-through", "--", "sh", "-c", script) };
};

describe("a signal to run", () => {
  it("before the command: the proxy stops in order, and the command is not begun", async () => {
    const { apps, context, run } = around((app, { signals }) => ({
      ...app,
      start() {
        signals.emit("SIGTERM");
        return app.start();
      },
    }));
    const trace = join(context.dir, "../begun");
    expect(await run(`: > ${trace}`)).toBe(143);
    expect(apps.stops).toEqual(["SIGTERM", "run finished"]);
    expect(existsSync(trace)).toBe(false);
  });

  it.each([
    ["reaches it from the terminal, and is not sent a second time", true, 7],
    ["is handed on where there is no terminal", false, 130],
  ])("while the command runs: Ctrl+C %s", async (_, isTTY, code) => {
    const { context, run } = around((app) => app);
    Object.assign(context.stdin, { isTTY });
    const [begun, go] = [join(context.dir, "../begun"), join(context.dir, "../go")];
    const done = run(`: > ${begun}; while [ ! -e ${go} ]; do sleep 0.01; done; exit 7`);
    await eventually(() => existsSync(begun), Boolean);
    context.signals.emit("SIGINT");
    writeFileSync(go, "");
    expect(await done).toBe(code);
  });

  it("after the command: the exit code comes when the proxy has stopped", async () => {
    const stopped: string[] = [];
    const { run } = around((app) => ({ ...app, commands: { ...app.commands, stop: (reason) => new Promise((resolve) => void setImmediate(() => resolve(void stopped.push(reason)))) } }));
    expect(await run("exit 7")).toBe(7);
    expect(stopped).toEqual(["run finished"]);
  });

  it("after the command: what it left open is not waited for, and its exit code stays", async () => {
    const { apps, run } = around((app, { signals }) => ({
      ...app,
      commands: {
        ...app.commands,
        async stop(reason) {
          const stopped = app.commands.stop(reason);
          if (reason === "run finished") signals.emit("SIGTERM");
          await stopped;
        },
      },
    }));
    expect(await run("exit 7")).toBe(7);
    expect(apps.stops).toEqual(["run finished", "SIGTERM"]);
  });
});

const names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

const child = (command: readonly string[], { environment = process.env, isTerminal = false } = {}) => {
  const signals = new EventEmitter();
  const told: string[] = [];
  const start = (): Promise<number> => runChild({ command, environment, signals, isTerminal, write: (text) => void told.push(text) });
  return { signals, told, start };
};

describe("a child of run", () => {
  it("has its signals listened for before it exists, or a quick one leaves it alone behind", async () => {
    const heard: number[] = [];
    const environment = {
      get PATH() {
        heard.push(...names.map((name) => signals.listenerCount(name)));
        return process.env["PATH"];
      },
    };
    const { signals, start } = child(["true"], { environment });
    expect(await start()).toBe(0);
    expect(heard).toEqual([1, 1, 1, 1]);
  });

  it("takes the place of who listened before, also after its end: a late signal does not change the exit code", async () => {
    const { signals, start } = child(["sh", "-c", "exit 7"]);
    const before: string[] = [];
    signals.on("SIGTERM", () => void before.push("SIGTERM"));
    const ended = start();
    expect(await ended).toBe(7);
    expect(signals.emit("SIGTERM")).toBe(true);
    expect(before).toEqual([]);
  });

  it("gets a signal, but not what its terminal has sent it already", async () => {
    const { signals, start } = child(["sleep", "30"], { isTerminal: true });
    const ended = start();
    signals.emit("SIGINT");
    signals.emit("SIGQUIT");
    signals.emit("SIGHUP");
    expect(await ended).toBe(129);
  });

  it("that does not exist is 127 and a sentence with its name made harmless", async () => {
    const { told, start } = child(["no-such\u001B[2J"]);
    expect(await start()).toBe(127);
    expect(told.join("")).toContain("could not be started (ENOENT)");
    expect(told.join("")).not.toContain("\u001B");
  });
});
