// `status` shows the running proxy when it is ours, else the store; `--short` fits a status bar.
import { describe, expect, it } from "vitest";
import { shortStatus } from "../../../src/cli/commands/status.ts";
import { connectTo } from "../../../src/cli/connection.ts";
import type { HealthAccount, Running } from "../../../src/cli/running.ts";
import type { RefreshFact } from "../../../src/messages/refresh-fact.ts";
import type { AppState } from "../../../src/state/state.ts";
import { account, fakeContext, localKey } from "../fake-context.ts";
import { forged, health, proxyAnswers } from "../fake-proxy.ts";

const refreshedFiveMinutesAgo = (outcome: RefreshFact["outcome"]): RefreshFact => ({
  at: Date.UTC(2026, 0, 2, 11, 55), accountId: "claude", outcome, reason: "lead", durationMs: 1, oldExpiresAt: null, newExpiresAt: null,
  heldBy: null, errorCode: null, message: null, failures: null, nextTryAt: null,
});

const sealed = async (): Promise<never> => {
  throw new Error("the accounts were read");
};

describe("status", () => {
  it("without a running proxy it tells what the store holds", async () => {
    const context = fakeContext({ accounts: [account("claude", { lastError: "revoked" })] });
    expect(await context.run("status")).toBe(0);
    expect(context.said.out()).toBe(
      `not running; this is what the data folder holds\ndata folder: ${context.dir}\naccount claude (label of claude, oauth): healthy, expires in 4h12m, last error: revoked\n`,
    );
  });

  it("with our proxy running it tells of that one, also as JSON", async () => {
    const { port } = await proxyAnswers();
    const context = fakeContext({ connect: connectTo });
    await context.run("status", "--set", `server.port=${port}`);
    expect(context.said.out()).toContain(`running at http://127.0.0.1:${port} (oauth, version 0.1.0), up 2h05m, 2 open, 12 requests`);
    const json = fakeContext({ connect: connectTo });
    await json.run("status", "--json", "--set", `server.port=${port}`);
    expect(JSON.parse(json.said.out())).toMatchObject({ running: true, status: "ok", in_flight: 2, dir: json.dir });
  });

  it("--json has the newest refreshes of the running proxy, oldest first", async () => {
    const refreshes = Array.from({ length: 101 }, (_, at) => ({ ...refreshedFiveMinutesAgo("refreshed"), accountId: `account ${at}` }));
    const { port } = await proxyAnswers({ state: { refreshes } });
    const context = fakeContext({ connect: connectTo });
    await context.run("status", "--json", "--set", `server.port=${port}`);
    const seen = (JSON.parse(context.said.out()) as { refreshes: { account_id: string; outcome: string }[] }).refreshes;
    expect([seen.length, seen[0]?.account_id, seen.at(-1)]).toMatchObject([100, "account 1", { account_id: "account 100", outcome: "refreshed" }]);
  });

  it("a running proxy tells although the store is sealed and nobody can be asked", async () => {
    const { port } = await proxyAnswers();
    const context = fakeContext({ connect: connectTo, parts: { openStore: sealed } });
    expect(await context.run("status", "--short", "--set", `server.port=${port}`)).toBe(0);
    expect(context.said.out()).toBe(`up :${port} | 2 open | sign-in needed\n`);
  });

  it.each([
    ["in words", [], (port: number) => `something else answers at http://127.0.0.1:${port}; it did not prove that it knows our local key; this is what the data folder holds`],
    ["as JSON", ["--json"], () => `"port": "foreign"`],
    ["in one line", ["--short"], () => "port taken | claude 4h12m"],
  ])("shows no key to something that looks like a proxy in every field, and says so %s (S3)", async (_, flags, words) => {
    const { port, seen } = await forged();
    const context = fakeContext({ accounts: [account("claude")], connect: connectTo });
    expect(await context.run("status", ...flags, "--set", `server.port=${port}`)).toBe(0);
    expect(context.said.out()).toContain(words(port));
    expect(seen.map((head) => head.split("\n")[0])).toEqual(["GET /api/hello"]);
    expect(seen.join()).not.toContain(localKey);
  });

  it("--json without a running proxy has the same keys where they make sense", async () => {
    const context = fakeContext({ accounts: [account("claude")] });
    await context.run("status", "--json");
    expect(JSON.parse(context.said.out())).toMatchObject({ running: false, status: "not-running", mode: "oauth", accounts: [{ id: "claude", health: "healthy" }] });
  });
});

describe("the last refresh of an account", () => {
  it.each([
    ["refreshed", "refreshed (lead) 5m ago"],
    ["adopted", "taken over from another process (lead) 5m ago"],
    ["failed", "refresh failed (lead) 5m ago"],
    ["needs-login", "refresh refused (lead) 5m ago"],
  ] as const)("with the outcome %s reads: %s", async (outcome, words) => {
    const snapshot = () => ({ accounts: [account("claude")], refreshes: [refreshedFiveMinutesAgo(outcome)] }) as unknown as AppState;
    const context = fakeContext({ store: { store: { snapshot, subscribe: () => () => {} } } });
    expect(await context.run("status")).toBe(0);
    expect(context.said.out()).toContain(`account claude (label of claude, oauth): healthy, expires in 4h12m, ${words}\n`);
  });
});

describe("the short form", () => {
  const now = Date.UTC(2026, 0, 2, 12);
  const none: Running = { is: "none" };
  const up: Extract<Running, { is: "ours" }> = { is: "ours", refreshes: [], url: "http://127.0.0.1:4001", health: { ...health, in_flight: 2 } };
  const one: HealthAccount = { id: "claude", label: "x", kind: "oauth", health: "healthy", expires_at: "2026-01-02T16:12:00Z", last_error: null };
  const short = (running: Running, accounts: readonly HealthAccount[], mode = "oauth"): string => shortStatus({ running, dir: "/d", mode, accounts, refreshes: [] }, now);

  it.each([
    ["a proxy that runs with one account", short(up, [one]), "up :4001 | 2 open | claude 4h12m"],
    ["no proxy", short(none, [one]), "down | claude 4h12m"],
    ["no proxy and no account", short(none, []), "down | sign-in needed"],
    ["pass-through mode", short(up, [], "pass-through"), "up :4001 | 2 open | pass-through"],
    ["the only account unhealthy", short(up, [{ ...one, health: "needs-login" }]), "up :4001 | 2 open | claude 4h12m | needs-login"],
    ["one of two accounts unhealthy", short(up, [one, { ...one, health: "cooling" }]), "up :4001 | 2 open | 2 accounts | 1 not healthy"],
    ["another program and an expired token", short({ is: "foreign", url: "" }, [{ ...one, expires_at: "2026-01-02T11:00:00Z" }]), "port taken | claude expired"],
  ])("says of %s: %s", (_, line, expected) => {
    expect(line).toBe(expected);
  });

  it.each([
    [0, "expired"],
    [59_999, "59s"],
    [3_599_999, "59m"],
    [3_600_000, "1h00m"],
    [2 * 86_400_000 - 1, "47h59m"],
    [2 * 86_400_000, "2d"],
    [20 * 86_400_000, "20d"],
  ])("shows %i ms of a token as %s", (ms, text) => {
    expect(short(none, [{ ...one, expires_at: new Date(now + ms).toISOString() }])).toBe(`down | claude ${text}`);
  });

  it("stays under 60 columns whatever the account is called", () => {
    const long = { ...one, id: "a".repeat(64), health: "needs-login" };
    expect(short(up, [long]).length).toBeLessThan(60);
    expect(short({ ...up, health: { ...health, in_flight: 100_000 } }, [long, long, long]).length).toBeLessThan(60);
  });
});
