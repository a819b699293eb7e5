// `accounts`: what it asks of the store, what it prints where, how it ends.
import { describe, expect, it, vi } from "vitest";
import { AppError } from "../../../src/messages/errors.ts";
import { account, fakeContext } from "../fake-context.ts";

const refuse = async (): Promise<never> => {
  throw new AppError({ code: "unknown-account", message: 'There is no account "x".', hint: "See `accounts list`." });
};

describe("accounts", () => {
  it("list shows a table, or JSON for scripts, on standard output", async () => {
    const context = fakeContext({ accounts: [account("claude"), account("second", { enabled: false, kind: "api_key", label: "evil\u001b[2J" })] });
    expect(await context.run("accounts")).toBe(0);
    expect(context.said.out().split("\n").slice(0, 2)).toEqual([
      "ID      KIND     HEALTH    PRIORITY  EXPIRES           LABEL",
      "claude  oauth    healthy   1         2026-01-02 16:12  label of claude",
    ]);
    expect(context.said.out()).not.toContain("\u001b");
    const json = fakeContext({ accounts: [account("claude")] });
    await json.run("accounts", "list", "--json");
    expect(JSON.parse(json.said.out())).toMatchObject([{ id: "claude", enabled: true, expires_at: "2026-01-02T16:12:00.000Z" }]);
  });

  it("an empty store says how to sign in", async () => {
    const context = fakeContext();
    expect(await context.run("accounts", "list")).toBe(0);
    expect(context.said.out()).toContain("claude-oauth-proxy login");
  });

  it("enable, disable, rename, priority and remove ask for exactly that", async () => {
    const commands = { setEnabled: vi.fn(async () => {}), rename: vi.fn(async () => {}), setPriority: vi.fn(async () => {}), logout: vi.fn(async () => ({ removed: ["a"] })) };
    const run = (...args: string[]): Promise<number> => fakeContext({ commands }).run("accounts", ...args);
    await run("enable", "a");
    await run("disable", "a");
    await run("rename", "a", "Work");
    await run("priority", "a", "-2");
    await run("remove", "a");
    expect(commands.setEnabled.mock.calls).toEqual([["a", true], ["a", false]]);
    expect(commands.rename.mock.calls).toEqual([["a", "Work"]]);
    expect(commands.setPriority.mock.calls).toEqual([["a", -2]]);
    expect(commands.logout.mock.calls).toEqual([["a"]]);
  });

  it("a label with control characters or a priority that is no number is wrong usage", async () => {
    expect(await fakeContext().run("accounts", "rename", "a", "x\u001b[2J")).toBe(2);
    expect(await fakeContext().run("accounts", "priority", "a", "high")).toBe(2);
  });

  it("an account that is not there ends with the store's own sentence and code 1", async () => {
    const context = fakeContext({ commands: { setEnabled: refuse } });
    expect(await context.run("accounts", "enable", "x")).toBe(1);
    expect(context.said.err()).toBe('claude-oauth-proxy: There is no account "x".\n  See `accounts list`.\n');
    expect(context.said.out()).toBe("");
  });

  it("add-key hands on what was said of the account, and nothing else", async () => {
    const asked: unknown[] = [];
    const addKey = async (...flags: readonly string[]): Promise<void> => {
      const context = fakeContext({ commands: { addApiKey: async ({ key: _key, ...rest }) => (asked.push(rest), { accountId: "x" }) } });
      context.input.end("sk-ant-api03-x\n");
      await context.run("accounts", "add-key", ...flags);
    };
    await addKey();
    await addKey("--account", "mine", "--label", "Work", "--base-url", "https://one.example");
    expect(asked).toEqual([{}, { accountId: "mine", label: "Work", endpoints: { baseUrl: "https://one.example" } }]);
  });

  it("add-key reads the key from standard input and shows it nowhere", async () => {
    const key = "sk-ant-api03-canary";
    let got = "";
    const context = fakeContext({ commands: { addApiKey: async (options) => ((got = options.key.reveal()), { accountId: "console" }) } });
    context.input.end(`  ${key}  \nrest`);
    expect(await context.run("accounts", "add-key", "--label", "Work")).toBe(0);
    expect(got).toBe(key);
    expect(context.said.out() + context.said.err()).not.toContain("canary");
    const silent = fakeContext();
    silent.input.end();
    expect(await silent.run("accounts", "add-key")).toBe(2);
  });
});
