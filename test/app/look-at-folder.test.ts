// Accounts as a start would find them, without opening the store.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { lookAtFolder } from "../../src/app/look-at-folder.ts";
import { createFakeClock } from "../helpers/fake-clock.ts";
import { temporaryFolder } from "../helpers/running-app.ts";

const look = (records: unknown) => {
  const dir = temporaryFolder();
  writeFileSync(join(dir, "accounts.json"), typeof records === "string" ? records : JSON.stringify({ version: 1, accounts: records }));
  return lookAtFolder(dir, { uid: null, clock: createFakeClock() });
};

const record = { kind: "oauth", access_token: "sk-ant-oat01-canary", refresh_token: "sk-ant-ort01-canary", expires_at: "2026-01-02T13:00:00Z", enabled: true };

it("tells health, expiry and last error, and no token", () => {
  const { accounts } = look({ a: record, b: { ...record, enabled: false }, c: { ...record, last_error: "invalid_grant: gone" }, d: { ...record, kind: "api_key", refresh_token: null } });
  expect(accounts).toMatchObject([{ id: "a", health: "healthy", renewable: true, expiresAt: Date.UTC(2026, 0, 2, 13) }, { id: "b", health: "disabled" }, { id: "c", health: "needs-login", lastError: "invalid_grant: gone" }, { id: "d", expiresAt: null, renewable: false }]);
  expect(JSON.stringify(accounts)).not.toContain("canary");
});

it("a torn or sealed file shows no accounts", () => {
  expect(look("{ torn").accounts).toBeNull();
  expect(lookAtFolder("/no/such/folder", { uid: null, clock: createFakeClock() }).accounts).toEqual([]);
});
