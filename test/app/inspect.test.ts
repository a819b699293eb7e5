// What doctor sees without running anything: accounts as a start would find them, and the way to the upstream.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exemptByNoProxy, lookAtFolder, outboundPlan } from "../../src/app/inspect.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { temporaryFolder } from "../helpers/running-app.ts";

const look = (records: unknown) => {
  const dir = temporaryFolder();
  writeFileSync(join(dir, "accounts.json"), typeof records === "string" ? records : JSON.stringify({ version: 1, accounts: records }));
  return lookAtFolder(dir, { uid: null, clock: createFakeClock() });
};

const record = { kind: "oauth", access_token: "sk-ant-oat01-canary", refresh_token: "sk-ant-ort01-canary", expires_at: "2026-01-02T13:00:00Z", enabled: true };

const baseUrl = "https://api.anthropic.com";

describe("the data folder", () => {
  it("tells health, expiry and last error, and no token", () => {
    const { accounts } = look({ a: record, b: { ...record, enabled: false }, c: { ...record, last_error: "invalid_grant: gone" }, d: { ...record, kind: "api_key", refresh_token: null } });
    expect(accounts).toMatchObject([
      { id: "a", health: "healthy", renewable: true, expiresAt: Date.UTC(2026, 0, 2, 13) },
      { id: "b", health: "disabled" },
      { id: "c", health: "needs-login", lastError: "invalid_grant: gone" },
      { id: "d", expiresAt: null, renewable: false },
    ]);
    expect(JSON.stringify(accounts)).not.toContain("canary");
  });

  it("what is refused in it is said as every command says it", () => {
    const dir = temporaryFolder();
    execFileSync("mkfifo", [join(dir, "key")]);
    const [entry] = lookAtFolder(dir, { uid: null, clock: createFakeClock() }).foreign;
    expect(entry).toEqual({ message: `${join(dir, "key")} is not used: it is a named pipe and no file`, hint: expect.stringContaining(`rm ${join(dir, "key")}`) });
  });

  it("a torn or sealed file shows no accounts", () => {
    expect(look("{ torn").accounts).toBeNull();
    expect(lookAtFolder("/no/such/folder", { uid: null, clock: createFakeClock() }).accounts).toEqual([]);
  });
});

describe("the way to the upstream", () => {
  it("follows the rules of the real way out: setting, variables, exceptions", () => {
    expect(outboundPlan({ baseUrl, proxy: null }, {})).toEqual({ ok: true, origin: baseUrl, hop: null });
    expect(outboundPlan({ baseUrl, proxy: "http://set:1" }, { HTTPS_PROXY: "http://env:2" })).toMatchObject({ hop: { shown: "http://set:1", source: "upstream.proxy" } });
    expect(outboundPlan({ baseUrl, proxy: null }, { HTTPS_PROXY: "http://env:2", NO_PROXY: ".anthropic.com" })).toMatchObject({ hop: null });
  });

  it("tells what would be refused instead of throwing", () => {
    expect(outboundPlan({ baseUrl: "http://plain.example", proxy: null }, {})).toMatchObject({ ok: false, message: expect.stringContaining("not encrypted") });
    expect(outboundPlan({ baseUrl, proxy: "ftp://x" }, {})).toMatchObject({ ok: false, message: expect.stringContaining("upstream.proxy") });
  });

  it("reads NO_PROXY for a loopback name", () => {
    const lists = ["127.0.0.1", "a, 127.0.0.1:4001", "*", "localhost", "", "27.0.0.1", "[::1]"];
    expect(lists.map((list) => exemptByNoProxy(list, "127.0.0.1"))).toEqual([true, true, true, false, false, false, false]);
    expect(exemptByNoProxy("::1", "::1")).toBe(true);
  });
});
