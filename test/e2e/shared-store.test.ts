// Several real proxies on one data folder: whoever refreshes, is killed, hangs or wakes up late, the
// account stays signed in, and a refresh token is never sent twice.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Event, EventType } from "../../src/messages/events.ts";
import { createDataFolder, storeGrants } from "../helpers/data-folder.ts";
import type { DataFolder, Proxy, Running } from "../helpers/data-folder.ts";
import { eventually } from "../helpers/eventually.ts";

const stopper = join(import.meta.dirname, "../fixtures/stop-at-store.ts");

/** Only requests make these proxies refresh, so that a test decides when. */
const quiet: Running = { set: ["oauth.sweepSeconds=3600"] };

const stopping = (at: string, signal: string): Running => ({ ...quiet, nodeArgs: ["--import", stopper], env: { STOP_AT: at, STOP_SIGNAL: signal } });

const eventsOf = <T extends EventType>(proxy: Proxy, type: T): Extract<Event, { type: T }>[] =>
  proxy.stdout().split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Event)
    .filter((event): event is Extract<Event, { type: T }> => event.type === type);

const expiredAda = ({ upstream, dir }: DataFolder): void => storeGrants(dir, { ada: { grant: upstream.issueTokens(), expiresAt: Date.now() - 1000 } });

const expiredAdaAndGrace = ({ upstream, dir }: DataFolder): void =>
  storeGrants(dir, {
    ada: { grant: upstream.issueTokens({ account: "ada" }), expiresAt: Date.now() - 1000 },
    grace: { grant: upstream.issueTokens({ account: "grace" }) },
  });

const statuses = async (proxies: readonly Proxy[], each: number): Promise<ReadonlySet<number>> => {
  const answers = await Promise.all(proxies.flatMap((proxy) => Array.from({ length: each }, () => proxy.ask())));
  return new Set(answers.map(({ status }) => status));
};

const stateOf = (pid: number): string => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";

/** A holder of the refresh lock that was stopped before it stored, and the request of another process that waits for that lock. */
const beginHang = async () => {
  const folder = await createDataFolder();
  expiredAda(folder);
  const stale = { token_type: "Bearer", access_token: "sk-ant-oat01-stale", refresh_token: "sk-ant-ort01-stale", expires_in: 28_800 };
  folder.upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "status", status: 200, body: stale } });
  const [holder, other] = await Promise.all([folder.proxy(stopping("temporary file", "SIGSTOP")), folder.proxy(quiet)]);
  const late = holder.ask();
  await eventually(() => stateOf(holder.pid), (state) => state === "T", { what: "the stopped holder" });
  const taken = other.ask();
  for (const answer of [late, taken]) answer.catch(() => {});
  return { folder, holder, other, late, taken };
};

// A holder counts as hung after twenty seconds; the other tests run in that time.
let hang: Awaited<ReturnType<typeof beginHang>>;
beforeAll(async () => {
  hang = await beginHang();
});
afterAll(async () => {
  await Promise.all([hang.holder.stop(), hang.other.stop(), hang.folder.upstream.close()]);
}, 20_000);

describe("eight processes at the moment of expiry", () => {
  it("fifty requests to each make one refresh, one for all, and every request is served (A2)", async () => {
    const folder = await createDataFolder();
    expiredAda(folder);
    const proxies = await Promise.all(Array.from({ length: 8 }, () => folder.proxy(quiet)));
    expect(await statuses(proxies, 50)).toEqual(new Set([200]));
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
    const [winner, ...more] = proxies.filter((proxy) => eventsOf(proxy, "token.refreshed").length > 0);
    expect([winner === undefined, more.length]).toEqual([false, 0]);
    const adopted = proxies.filter((proxy) => proxy !== winner).map((proxy) => eventsOf(proxy, "token.adopted").map(({ accountId }) => accountId)[0]);
    expect(adopted).toEqual(Array.from({ length: 7 }, () => "ada"));

    // The server ends the access token before its time: 400 answers of 401 and again one refresh.
    folder.upstream.expireAccessTokens();
    expect(await statuses(proxies, 50)).toEqual(new Set([200]));
    expect(folder.upstream.tokenCalls().refresh_token).toBe(2);
    expect(folder.upstream.requests.filter(({ status }) => status === 400)).toEqual([]);
    expect(proxies.flatMap((proxy) => eventsOf(proxy, "account.needs-login"))).toEqual([]);
  }, 120_000);
});

describe("the process that holds the refresh lock is killed", () => {
  it("between the server's answer and the disk: the next start asks for a sign-in of that account only (A3)", async () => {
    const folder = await createDataFolder();
    expiredAdaAndGrace(folder);
    const first = await folder.proxy(stopping("before rename", "SIGKILL"));
    await Promise.allSettled([first.ask(), first.ask()]);
    expect((await first.waitForExit()).signal).toBe("SIGKILL");
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
    const next = await folder.proxy(quiet);
    expect(await statuses([next], 10)).toEqual(new Set([200]));
    const { accountId, message } = await next.waitForEvent("account.needs-login");
    expect([accountId, message]).toEqual(["ada", expect.stringContaining("Refresh token not found or invalid")]);
    expect(eventsOf(next, "account.needs-login")).toHaveLength(1);
    expect(folder.accounts()["ada"]?.last_error).toContain("invalid_grant");
    expect(folder.accounts()["grace"]?.last_error).toBeNull();
  });

  it("after the rename: the next start uses the new pair and asks nobody (A4)", async () => {
    const folder = await createDataFolder();
    expiredAda(folder);
    const first = await folder.proxy(stopping("after rename", "SIGKILL"));
    await first.ask().catch(() => {});
    await first.waitForExit();
    const next = await folder.proxy(quiet);
    expect(await statuses([next], 10)).toEqual(new Set([200]));
    expect(folder.upstream.tokenCalls().refresh_token).toBe(1);
    expect(eventsOf(next, "account.needs-login")).toEqual([]);
  });

  it("while it waits for the server: another one takes the lock over and refreshes (A13)", async () => {
    const folder = await createDataFolder();
    expiredAda(folder);
    folder.upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "never" } });
    const [holder, other] = await Promise.all([folder.proxy(quiet), folder.proxy(quiet)]);
    const cut = holder.ask().catch(() => "cut");
    await folder.upstream.waitFor((upstream) => upstream.tokenCalls().refresh_token === 1);
    const served = other.ask();
    holder.kill("SIGKILL");
    expect(await cut).toBe("cut");
    expect((await served).status).toBe(200);
    expect(folder.upstream.tokenCalls().refresh_token).toBe(2);
    expect(eventsOf(other, "token.refreshed")).toHaveLength(1);
  });
});

describe("the process is asked to stop during a refresh", () => {
  it("it stores the new token before it ends (A25)", async () => {
    const folder = await createDataFolder();
    expiredAda(folder);
    const before = folder.accounts()["ada"]?.refresh_token;
    folder.upstream.script({ match: { grant: "refresh_token" }, fault: { kind: "silence", ms: 1500 } });
    const proxy = await folder.proxy(quiet);
    const asked = proxy.ask().catch(() => {});
    await folder.upstream.waitFor((upstream) => upstream.tokenCalls().refresh_token === 1);
    proxy.kill("SIGTERM");
    expect((await proxy.waitForExit()).code).toBe(143);
    await asked;
    expect(folder.accounts()["ada"]?.refresh_token).not.toBe(before);
  });
});

describe("the process that holds the refresh lock hangs", () => {
  it("stopped before it stored: another one refreshes, and the late one adopts instead of writing (A14)", async () => {
    const { folder, holder, other, late, taken } = hang;
    expect((await taken).status).toBe(200);
    const { refresh_token: kept } = folder.accounts()["ada"] ?? {};
    holder.kill("SIGCONT");
    expect((await late).status).toBe(200);
    await holder.waitForEvent("token.adopted");
    expect(folder.accounts()["ada"]?.refresh_token).toBe(kept);
    expect(readFileSync(join(folder.dir, "accounts.json.bak"), "utf8")).not.toContain("stale");
    expect(folder.upstream.tokenCalls().refresh_token).toBe(2);
    expect(await statuses([holder, other], 5)).toEqual(new Set([200]));
  }, 120_000);
});
