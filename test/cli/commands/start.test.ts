// From the command line to a running proxy and back: which front end, what comes first, how it ends.
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Screens } from "../../../src/cli/context.ts";
import { eventually } from "../../helpers/eventually.ts";
import { appKey, fakeApps } from "../fake-app.ts";
import type { FakeApps } from "../fake-app.ts";
import { account, fakeContext } from "../fake-context.ts";
import type { FakeOptions, FakeContext } from "../fake-context.ts";

const never = async (): Promise<never> => {
  throw new Error("this screen was not expected");
};

const refuse = (): never => {
  throw new Error("no dashboard was expected");
};

/** A terminal with the screens that are given. */
const onTerminal = (apps: FakeApps, screens: Partial<Screens>, options: FakeOptions = {}): FakeContext => {
  const all: Screens = { askTerms: never, askPortTaken: never, runLogin: never, runDashboard: refuse, ...screens };
  const context = fakeContext({ ...options, environment: { TERM: "xterm", LANG: "C.UTF-8", ...options.environment }, parts: { createApp: apps.createApp, loadScreens: async () => all } });
  Object.assign(context.stdout, { isTTY: true });
  Object.assign(context.stdin, { isTTY: true, setRawMode: () => {} });
  return context;
};

const dashboard = (apps: FakeApps, seen: unknown[] = []): Pick<Screens, "runDashboard"> => ({
  runDashboard(options) {
    seen.push(options.app.config.mode);
    void apps.quit();
    return { finished: Promise.resolve("one last word"), unmount: () => {} };
  },
});

describe("without a terminal", () => {
  it("log lines go to standard output, and the local key into none of them", async () => {
    const apps = fakeApps({ accounts: [account("claude")] });
    const context = fakeContext({ parts: { createApp: apps.createApp } });
    const done = context.run("start", "--account", "claude", "--port", "5001");
    await eventually(context.said.out, (text) => text.includes("listening on http://127.0.0.1:5001"));
    const [options] = apps.created;
    options?.bus?.publish({ type: "notice", level: "warning", code: "x", message: `the key is ${appKey}`, hint: null });
    context.signals.emit("SIGTERM");
    expect(await done).toBe(143);
    expect(options?.accountId).toBe("claude");
    expect(context.said.out()).toContain("the key is ***");
    expect(context.said.out()).not.toContain("no account can serve");
    expect(context.said.err()).toBe("");
  });

  it.each<[string, (context: FakeContext, link: string) => Promise<number>]>([
    ["--record", (context, link) => context.run("start", "--record", link)],
    ["--log-file", (context, link) => context.run("start", "--log-file", link)],
    ["log.file of the preferences", async (context, link) => ((await context.run("config", "set", "log.file", link)), context.run("start"))],
  ])("a link that is named by %s is refused before anything starts", async (_, start) => {
    const context = fakeContext();
    const [victim, link] = [`${context.dir}-victim`, `${context.dir}-link`];
    writeFileSync(victim, "mine");
    symlinkSync(victim, link);
    expect(await start(context, link)).toBe(2);
    expect(context.said.err()).toContain(`${link} is not written to: it is a symbolic link`);
    expect(readFileSync(victim, "utf8")).toBe("mine");
  });

  it("--headless and --plain mean lines on a terminal too", async () => {
    for (const flag of ["--headless", "--plain"]) {
      const apps = fakeApps();
      const context = onTerminal(apps, {});
      const done = context.run("start", flag);
      await eventually(context.said.out, (text) => text.includes("no account can serve yet"));
      context.signals.emit("SIGINT");
      expect(await done).toBe(130);
    }
  });

  it("a stop that came from a command is no failure", async () => {
    const apps = fakeApps();
    const context = fakeContext({ parts: { createApp: apps.createApp } });
    const done = context.run("start");
    await eventually(context.said.out, (text) => text.includes("listening"));
    await apps.quit();
    expect(await done).toBe(0);
    expect(context.signals.listenerCount("SIGINT")).toBe(0);
  });

  it("a taken port is exit code 4, with the next free one (F12)", async () => {
    const apps = fakeApps({ takenPorts: [5001] });
    const context = fakeContext({ parts: { createApp: apps.createApp, openStore: fakeContext().parts.openStore } });
    expect(await context.run("start", "--port", "5001")).toBe(4);
    expect(context.said.err()).toMatch(/Port 5001 on 127\.0\.0\.1 is taken by another program\.\n {2}Start on the next free port with `claude-oauth-proxy --port \d+`/);
  });
});

describe("on a terminal", () => {
  it("with an account the dashboard comes at once; its last word goes to the primary screen", async () => {
    const apps = fakeApps({ accounts: [account("claude")] });
    const context = onTerminal(apps, dashboard(apps));
    expect(await context.run("start")).toBe(0);
    expect(context.said.out()).toBe("one last word\n");
  });

  it("a sign-in from the dashboard that ends in pass-through says that it holds from the next start", async () => {
    const apps = fakeApps({ accounts: [account("claude")] });
    const said: unknown[] = [];
    const context = onTerminal(apps, {
      askTerms: async () => "pass-through",
      runDashboard: ({ login }) => ({
        finished: login({ accountId: "claude", signal: new AbortController().signal })
          .catch((error: unknown) => said.push(String(error)))
          .then(() => apps.quit())
          .then(() => ""),
        unmount: () => {},
      }),
    });
    expect(await context.run("start")).toBe(0);
    expect(said).toEqual([expect.stringContaining("Pass-through is kept as the mode; it holds from the next start.")]);
  });

  it("waits for that last word although everything else has stopped", async () => {
    const apps = fakeApps({ accounts: [account("claude")] });
    const context = onTerminal(apps, {
      runDashboard: () => ({ finished: apps.quit().then(() => new Promise((resolve) => void setImmediate(() => resolve("late")))), unmount: () => {} }),
    });
    expect(await context.run("start")).toBe(0);
    expect(context.said.out()).toBe("late\n");
  });

  it("without one it asks about the terms once, signs in, and then draws", async () => {
    const apps = fakeApps();
    const asked: string[] = [];
    const screens: Partial<Screens> = {
      ...dashboard(apps),
      askTerms: async () => (asked.push("terms"), "go-on"),
      runLogin: async ({ autoOpen, reason }) => (asked.push(`login ${autoOpen} ${reason.slice(0, 14)}`), { outcome: "signed-in", accountId: "claude" }),
    };
    const context = onTerminal(apps, screens);
    expect(await context.run("start")).toBe(0);
    expect(asked).toEqual(["terms", "login true no account yet"]);
    expect(JSON.parse(readFileSync(join(context.dir, "config.json"), "utf8"))).toEqual({ terms: { accepted: true } });
    expect(await context.run("start")).toBe(0);
    expect(asked.slice(2)).toEqual(["login true no account yet"]);
  });

  it("pass-through is kept and begins at once, without a sign-in", async () => {
    const apps = fakeApps();
    const modes: unknown[] = [];
    const context = onTerminal(apps, { ...dashboard(apps, modes), askTerms: async () => "pass-through" });
    expect(await context.run("start")).toBe(0);
    expect(modes).toEqual(["pass-through"]);
    expect(apps.created.map(({ config }) => [config.mode, config.auth.required])).toEqual([["oauth", true], ["pass-through", false]]);
    expect(JSON.parse(readFileSync(join(context.dir, "config.json"), "utf8"))).toEqual({ mode: "pass-through" });
  });

  it("an API key is typed blindly and the dashboard follows", async () => {
    const apps = fakeApps();
    const context = onTerminal(apps, { ...dashboard(apps), askTerms: async () => "api-key" });
    const done = context.run("start");
    await eventually(context.said.err, (text) => text.includes("API key"));
    context.input.write("sk-ant-api03-canary\r");
    expect(await done).toBe(0);
    expect(context.said.out() + context.said.err()).not.toContain("canary");
  });

  it("quitting the notice or the sign-in stops the proxy; giving the sign-in up does not", async () => {
    const terms = fakeApps();
    expect(await onTerminal(terms, { askTerms: async () => "quit" }).run("start")).toBe(0);
    expect(terms.stops).toEqual(["quit"]);
    const args = fakeApps();
    expect(await onTerminal(args, { ...dashboard(args), askTerms: async () => "go-on", runLogin: async () => ({ outcome: "cancelled" }) }).run("start")).toBe(0);
  });

  it("a signal during the sign-in ends it", async () => {
    const apps = fakeApps();
    let asking = false;
    const context = onTerminal(apps, {
      askTerms: ({ signal }) => new Promise((resolve) => (signal?.addEventListener("abort", () => resolve("quit")), (asking = true))),
    });
    const done = context.run("start");
    await eventually(() => asking, Boolean);
    context.signals.emit("SIGTERM");
    expect(await done).toBe(143);
  });

  it("a closed terminal is a hang-up", async () => {
    const apps = fakeApps({ accounts: [account("claude")] });
    let drawn = false;
    const context = onTerminal(apps, { runDashboard: ({ app }) => ((drawn = true), { finished: app.stopped.then(() => ""), unmount: () => {} }) });
    const done = context.run("start");
    await eventually(() => drawn, Boolean);
    context.input.destroy();
    expect(await done).toBe(129);
  });

  it.each([
    ["next-port", 0, [5001, 5002]],
    ["quit", 4, [5001]],
    ["use-that", 0, [5001]],
  ] as const)("a taken port asks; %s ends with %i", async (choice, code, ports) => {
    const apps = fakeApps({ accounts: [account("claude")], takenPorts: [5001] });
    const context = onTerminal(apps, { ...dashboard(apps), askPortTaken: async ({ facts }) => (expect(facts).toMatchObject({ port: 5001, other: null }), choice) });
    expect(await context.run("start", "--port", "5001")).toBe(code);
    expect(apps.created.map(({ config }) => config.server.port)).toEqual([...ports]);
    if (choice === "use-that") expect(context.said.out()).toBe("http://127.0.0.1:5001\n");
  });
});
