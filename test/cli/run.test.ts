// A proxy around one command: what a signal does before, and after, there is a command to hand it on to.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { App } from "../../src/app/app.ts";
import { fakeApps } from "./fake-app.ts";
import { fakeContext } from "./fake-context.ts";
import type { FakeContext } from "./fake-context.ts";

/** A context whose proxy is changed by `change` before anybody sees it. */
const around = (change: (app: App, context: FakeContext) => App) => {
  const apps = fakeApps();
  const context = fakeContext({ environment: { PATH: process.env["PATH"] ?? "" }, parts: { createApp: async (wish) => change(await apps.createApp(wish), context) } });
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
