// A proxy around one command: what a signal does before, and after, there is a command to hand it on to.
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { App } from "../../../src/app/app.ts";
import { runChild } from "../../../src/cli/commands/run.ts";
import { fakeApps } from "../fake-app.ts";
import { fakeContext } from "../fake-context.ts";
import type { FakeContext } from "../fake-context.ts";

/** A context whose proxy is changed by `change` before anybody sees it. */
const around = (change: (app: App, context: FakeContext) => App) => {
  const apps = fakeApps();
  const context = fakeContext({ environment: { PATH: process.env["PATH"] ?? "" }, parts: { createApp: async (options) => change(await apps.createApp(options), context) } });
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
