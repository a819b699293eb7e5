// What is said about the accounts.
import { describe, expect, it } from "vitest";
import { accountChecks, span } from "../../src/doctor/account-checks.ts";
import type { AccountLook, FolderLook } from "../../src/app/look-at-folder.ts";
import type { Running } from "../../src/cli/running.ts";

const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const one = (more: Partial<AccountLook> = {}): AccountLook => ({ id: "claude", kind: "oauth", health: "healthy", expiresAt: now + hour, renewable: true, lastError: null, ...more });
const checks = (accounts: readonly AccountLook[] | null, running: Running = { is: "none" }, mode = "oauth") => accountChecks({ mode, running, look: { accounts } as FolderLook, now });
const status = (...accounts: readonly AccountLook[]) => checks(accounts).map((finding) => finding.status);

describe("accounts", () => {
  it("a healthy one is fine, also expired as long as it can be refreshed", () => {
    expect(status(one())).toEqual(["ok"]);
    expect(checks([one({ expiresAt: now - hour })])).toMatchObject([{ status: "ok", found: "oauth, healthy, token expired 1h0m ago, refreshed at the next start" }]);
    expect(checks([one({ kind: "api_key", expiresAt: null, renewable: false })])).toMatchObject([{ status: "ok", found: "api_key, healthy, no expiry" }]);
  });

  it("one that needs a new sign-in is a problem only when no other can serve", () => {
    const dead = one({ id: "old", health: "needs-login", lastError: "invalid_grant: revoked" });
    expect(status(dead)).toEqual(["warning", "problem"]);
    expect(status(dead, one())).toEqual(["warning", "ok"]);
    expect(status(one({ expiresAt: now - 1, renewable: false }))).toEqual(["warning", "problem"]);
    expect(status(one({ health: "disabled" }))).toEqual(["warning", "problem"]);
  });

  it("shows the last error with what to do", () => {
    expect(checks([one({ lastError: "server_error: try later" })])).toMatchObject([{ status: "warning", found: expect.stringContaining("server_error: try later"), advice: expect.stringContaining("refresh claude") }]);
  });

  it("none, sealed ones and pass-through mode have their own sentence", () => {
    expect(checks([])).toMatchObject([{ status: "warning", advice: expect.stringContaining("login") }]);
    expect(checks(null)).toMatchObject([{ status: "warning", found: expect.stringContaining("not visible") }]);
    expect(checks(null, { is: "none" }, "pass-through")).toMatchObject([{ status: "ok" }]);
  });

  it("a running proxy knows better than the file", () => {
    const account = { id: "live", label: "x", kind: "oauth", health: "cooling", expires_at: new Date(now + hour).toISOString(), last_error: null };
    const health = { status: "ok", version: "1", uptime_seconds: 1, mode: "oauth", accounts: [account], in_flight: 0, requests_total: 0 };
    expect(checks(null, { is: "ours", url: "http://127.0.0.1:1", health })).toMatchObject([{ name: "account live", status: "ok", found: "oauth, cooling, token for 1h0m" }]);
  });

  it("spans are short", () => {
    expect([59_000, 60_000, 3 * hour + 720_000, 98 * hour].map(span)).toEqual(["59s", "1m", "3h12m", "4d2h"]);
  });
});
