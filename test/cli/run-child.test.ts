// One child process: when its signals are listened for, and what stays of that.
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { runChild } from "../../src/cli/commands/run-child.ts";

const names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

const set = (words: readonly string[], { environment = process.env, isTerminal = false } = {}) => {
  const signals = new EventEmitter();
  const told: string[] = [];
  const start = (): Promise<number> => runChild({ words, environment, signals, isTerminal, tell: (text) => void told.push(text) });
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
    const { signals, start } = set(["true"], { environment });
    expect(await start()).toBe(0);
    expect(heard).toEqual([1, 1, 1, 1]);
  });

  it("takes the place of who listened before, also after its end: a late signal does not change the exit code", async () => {
    const { signals, start } = set(["sh", "-c", "exit 7"]);
    const before: string[] = [];
    signals.on("SIGTERM", () => void before.push("SIGTERM"));
    const ended = start();
    expect(await ended).toBe(7);
    expect(signals.emit("SIGTERM")).toBe(true);
    expect(before).toEqual([]);
  });

  it("gets a signal, but not what its terminal has sent it already", async () => {
    const { signals, start } = set(["sleep", "30"], { isTerminal: true });
    const ended = start();
    signals.emit("SIGINT");
    signals.emit("SIGQUIT");
    signals.emit("SIGHUP");
    expect(await ended).toBe(129);
  });

  it("that does not exist is 127 and a sentence with its name made harmless", async () => {
    const { told, start } = set(["no-such\u001B[2J"]);
    expect(await start()).toBe(127);
    expect(told.join("")).toContain("could not be started (ENOENT)");
    expect(told.join("")).not.toContain("\u001B");
  });
});
