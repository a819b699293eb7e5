// A failure becomes one sentence, a hint and an exit code; never a stack, never a secret.
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { describeFailure, wantsStack, watchCrashes } from "../../src/cli/errors.ts";
import { AppError } from "../../src/messages/errors.ts";

const canary = "sk-ant-oat01-canarycanary";

describe("describing a failure", () => {
  it("sentence, hint and exit code come from the failure", () => {
    const error = new AppError({ code: "port-taken", message: "Port 4001 is taken.", hint: "Use --port." });
    expect(describeFailure(error, false)).toEqual({ text: "claude-oauth-proxy: Port 4001 is taken.\n  Use --port.\n", exitCode: 4 });
    expect(describeFailure(new AppError({ code: "bad-usage", message: "m" }), false).exitCode).toBe(2);
    expect(describeFailure(new AppError({ code: "sign-in-needed", message: "m" }), false).exitCode).toBe(3);
    expect(describeFailure("thrown text", false)).toMatchObject({ exitCode: 1, text: expect.stringContaining("thrown text") });
  });

  it("a stack is shown when debugging only, with the causes", () => {
    const error = new AppError({ code: "internal", message: "outer", cause: new Error("inner") });
    expect(describeFailure(error, false).text).not.toMatch(/\bat .*errors\.test/);
    const { text } = describeFailure(error, true);
    expect(text).toMatch(/at .*errors\.test/);
    expect(text).toContain("caused by:");
    expect(text).toContain("inner");
  });

  it("secrets and terminal escapes are taken out, of the stack and the causes too (F13)", () => {
    const error = new AppError({ code: "internal", message: `x ${canary} \u001b[2J`, cause: new Error(`Bearer ${canary}`) });
    for (const debug of [false, true]) {
      const { text } = describeFailure(error, debug);
      expect(text).not.toContain("canary");
      expect(text).not.toContain("\u001b");
    }
  });

  it("debugging is asked for by flag, setting or environment", () => {
    expect([wantsStack(["--log-level", "debug"], {}), wantsStack(["--log-level=debug"], {}), wantsStack(["status", "--set", "log.level=debug"], {})]).toEqual([true, true, true]);
    expect(wantsStack([], { CLAUDE_OAUTH_PROXY_LOG__LEVEL: "debug" })).toBe(true);
    expect(wantsStack(["--log-level", "info"], {})).toBe(false);
  });
});

const crash = (event: string, error: unknown): readonly string[] => {
  const process = new EventEmitter();
  const done: string[] = [];
  watchCrashes({
    process,
    restoreTerminal: () => void done.push("restore"),
    write: (text) => void done.push(text),
    exit: (code) => void done.push(`exit ${code}`),
    debug: false,
  });
  process.emit(event, error);
  return done;
};

describe("crashes", () => {
  it.each(["uncaughtException", "unhandledRejection"])("%s: the terminal first, then a sentence without the secret, then exit 1 (F13)", (event) => {
    const done = crash(event, new Error("broke with Bearer sk-ant-oat01-canary"));
    expect(done).toEqual(["restore", expect.stringContaining("broke with"), "exit 1"]);
    expect(done.join("")).not.toContain("canary");
  });

  it("an output that has gone is no crash (F15)", () => {
    expect(crash("uncaughtException", Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" }))).toEqual([]);
    expect(crash("uncaughtException", Object.assign(new Error("write EIO"), { code: "EIO", syscall: "write" }))).toEqual([]);
  });
});
