// `login` without a screen: the link on standard error, the code from standard input.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FakeClock } from "../../helpers/fake-clock.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";
import { createBus } from "../../../src/messages/bus.ts";
import type { Commands, LoginAttempt, SubmitOutcome } from "../../../src/messages/commands.ts";
import type { IdentityQuestion } from "../../../src/messages/identity.ts";
import type { Screens } from "../../../src/cli/context.ts";
import type { LoginEnd } from "../../../src/tui/login/login.tsx";
import { fakeContext } from "../fake-context.ts";
import type { FakeContext } from "../fake-context.ts";

const attempt: LoginAttempt = { attemptId: "one", kind: "max", authorizeUrl: "https://claude.ai/oauth/authorize?state=s", shortUrl: null, returns: false, states: ["s"], expiresAt: 0, question: null };

const commandsWith = (outcomes: readonly SubmitOutcome[]) => {
  const submitted: string[] = [];
  const cancelled: string[] = [];
  let open: LoginAttempt | null = attempt;
  const commands: Partial<Commands> = {
    startLogin: async () => attempt,
    pendingLogin: () => open,
    cancelLogin: (id) => void cancelled.push(id),
    async submitCode(code) {
      submitted.push(code.reveal());
      const outcome = outcomes[submitted.length - 1] ?? { outcome: "nothing" };
      if (outcome.outcome === "signed-in") open = null;
      return outcome;
    },
  };
  return { commands, submitted, cancelled };
};

const signedIn: SubmitOutcome = { outcome: "signed-in", accountId: "claude", expiresAt: null };

describe("login through a pipe", () => {
  it("prints the terms once and the link, takes the code, says who is signed in; standard output stays empty", async () => {
    const { commands, submitted, cancelled } = commandsWith([signedIn]);
    const context = fakeContext({ commands });
    context.input.end("code#state\n");
    expect(await context.run("login")).toBe(0);
    expect([submitted, cancelled]).toEqual([["code#state"], []]);
    expect(context.said.err()).toContain(`\n${attempt.authorizeUrl}\n`);
    expect(context.said.err()).toContain("https://code.claude.com/docs/en/legal-and-compliance");
    expect(context.said.err()).toContain("signed in: account claude");
    expect(context.said.err()).not.toContain("code#state");
    expect(context.said.out()).toBe("");
    expect(existsSync(join(context.dir, "config.json"))).toBe(true);
    const next = fakeContext({ commands: commandsWith([signedIn]).commands });
    next.input.end("x#y\n");
    await next.run("login", "--set", "terms.accepted=true");
    expect(next.said.err()).not.toContain("legal-and-compliance");
  });

  it("a code that does not fit ends with its own sentence, and the attempt is closed", async () => {
    const { commands, cancelled } = commandsWith([{ outcome: "bad-paste", code: "no-state", message: "The part after # is missing." }]);
    const context = fakeContext({ commands });
    context.input.end("code\n");
    expect(await context.run("login")).toBe(1);
    expect(context.said.err()).toContain("The part after # is missing.");
    expect(cancelled).toEqual(["one"]);
    expect(existsSync(join(context.dir, "config.json"))).toBe(false);
  });

  it("a person who has no account here is refused with the way to agree, and --yes agrees beforehand (A27)", async () => {
    const ada = { kind: "oauth", email: "ada@example.com", organization: null } as const;
    const question: IdentityQuestion = { ...ada, email: "dana@example.com", confirm: "c", accountId: "work", replaces: ada };
    const { commands, cancelled } = commandsWith([{ outcome: "confirm", question }]);
    const context = fakeContext({ commands });
    context.input.end("code#state\n");
    expect(await context.run("login", "--account", "work")).toBe(1);
    expect(context.said.err()).toContain(
      'This code signs in dana@example.com, but the account "work" is the sign-in of ada@example.com.\nclaude-oauth-proxy: Nothing was stored. ' +
        "Sign in on a terminal to be asked, sign in without --account to add another account, or give --yes.",
    );
    expect(cancelled).toEqual(["one"]);
    const asked: unknown[] = [];
    const agreed = fakeContext({ commands: { ...commandsWith([signedIn]).commands, startLogin: async (options) => (asked.push(options), attempt) } });
    agreed.input.end("code#state\n");
    expect([await agreed.run("login", "--yes"), asked]).toEqual([0, [{ kind: "max", acceptIdentity: true }]]);
  });

  it("no code at all is a failure and no waiting", async () => {
    const context = fakeContext({ commands: commandsWith([]).commands });
    context.input.end();
    expect(await context.run("login")).toBe(1);
    expect(context.said.err()).toContain("No code came from standard input");
  });

  it("an exchange that did not get through is tried again with the same code", async () => {
    const { commands, submitted } = commandsWith([{ outcome: "retry", message: "no network" }, { outcome: "retry", message: "no network" }, signedIn]);
    const context = fakeContext({ commands });
    context.input.end("code#state\n");
    const done = context.run("login");
    await passTime(context.clock as FakeClock, done);
    expect([await done, submitted]).toEqual([0, ["code#state", "code#state", "code#state"]]);
  });

  it("the browser may come back by itself before anything was typed", async () => {
    const bus = createBus(createFakeClock());
    const context = fakeContext({ commands: commandsWith([]).commands, store: { bus } });
    const done = context.run("login");
    for (let turn = 0; turn < 100 && !context.said.err().includes(attempt.authorizeUrl); turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    bus.publish({ type: "login.succeeded", attemptId: "one", accountId: "from-browser" });
    expect(await done).toBe(0);
    expect(context.said.err()).toContain("signed in: account from-browser");
  });
});

const passTime = async (clock: FakeClock, done: Promise<unknown>): Promise<void> => {
  const state = { over: false };
  void done.finally(() => (state.over = true));
  while (!state.over) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1000);
  }
};

const onTerminal = (screens: Partial<Screens>, commands: Partial<Commands> = {}): FakeContext => {
  const environment = { TERM: "xterm", LANG: "C.UTF-8" };
  const context = fakeContext({ environment, commands, parts: { loadScreens: async () => screens as Screens } });
  Object.assign(context.stdout, { isTTY: true });
  Object.assign(context.stdin, { isTTY: true, setRawMode: () => {} });
  return context;
};

describe("login on a terminal", () => {
  it.each<readonly [LoginEnd, number, string]>([
    [{ outcome: "signed-in", accountId: "claude" }, 0, "signed in: account claude\n"],
    [{ outcome: "cancelled" }, 1, "claude-oauth-proxy: The sign-in was given up; nothing was changed.\n"],
    [{ outcome: "quit" }, 130, ""],
  ])("ends as the screen did: %j", async (end, code, text) => {
    const context = onTerminal({ askTerms: async () => "go-on", runLogin: async () => end });
    expect(await context.run("login")).toBe(code);
    expect([context.said.err(), context.said.out()]).toEqual([text, ""]);
  });

  it("hands the screen what was asked for on the command line", async () => {
    const asked: unknown[] = [];
    const context = onTerminal({ runLogin: async (options) => (asked.push(options.login, options.autoOpen), { outcome: "quit" }) });
    await context.run("login", "--account", "work", "--console", "--no-browser", "--base-url", "https://one.example", "--client-id", "two");
    expect(asked).toEqual([{ kind: "console", accountId: "work", endpoints: { baseUrl: "https://one.example", clientId: "two" } }, false]);
  });

  it("keeps pass-through as the mode when that is chosen, and makes no account", async () => {
    const context = onTerminal({ askTerms: async () => "pass-through" });
    expect(await context.run("login")).toBe(0);
    expect(context.said.err()).toContain("pass-through is kept as the mode");
    expect(await context.run("login")).toBe(2);
    expect(context.said.err()).toContain("In pass-through mode the client keeps its own login");
  });

  it("takes an API key instead when that is chosen, and says under which name", async () => {
    const got: string[] = [];
    const commands: Partial<Commands> = { addApiKey: async ({ key }) => (got.push(key.reveal()), { accountId: "api" }) };
    const context = onTerminal({ askTerms: async () => "api-key" }, commands);
    const done = context.run("login");
    context.input.write("sk-ant-api03-canary\r");
    expect([await done, got]).toEqual([0, ["sk-ant-api03-canary"]]);
    expect(context.said.err()).toBe("API key (not shown): \nsigned in: account api\n");
  });
});
