// What is said about the data folder, the settings and the accounts, given what was seen of them.
import { describe, expect, it } from "vitest";
import type { AccountLook, FolderLook } from "../../src/app/inspect.ts";
import type { Running } from "../../src/cli/running.ts";
import { accountChecks, folderChecks, settingsChecks } from "../../src/doctor/data-checks.ts";
import { settingsOf } from "../helpers/running-app.ts";

const file = (name: string, mode = 0o600, uid = 1000) => ({ name, mode, uid, modifiedAt: 0 });
const seen: FolderLook = {
  folder: file("/data", 0o700),
  refused: null,
  writable: true,
  foreign: [],
  files: [file("accounts.json"), file("key")],
  leftovers: [],
  store: { state: "good", accounts: [], unused: [] },
  backup: { state: "none" },
  wasSealed: false,
  key: null,
  accounts: [],
};
const folder = (more: Partial<FolderLook>, uid: number | null = 1000) =>
  Object.fromEntries(folderChecks({ dir: "/data", look: { ...seen, ...more }, uid, mayUnseal: false }).map((one) => [one.name, one.status]));

describe("the data folder", () => {
  it("a private, whole one is fine, and so is none", () => {
    expect(folder({})).toEqual({ "data folder": "ok", "file modes": "ok", "accounts.json": "ok", leftovers: "ok" });
    expect(folder({ folder: null })).toEqual({ "data folder": "ok" });
  });

  it("one that cannot be used is a problem, and nothing further is said", () => {
    expect(folder({ refused: "it is not a folder" })).toEqual({ "data folder": "problem" });
    expect(folder({ writable: false })).toEqual({ "data folder": "problem" });
    expect(folder({ folder: null, writable: false })).toEqual({ "data folder": "problem" });
    expect(folder({ folder: file("/data", 0o700, 0) })).toEqual({ "data folder": "problem" });
  });

  it("files of others are a problem, files open to others a warning, and neither exists on Windows", () => {
    expect(folder({ files: [file("key", 0o600, 0)] })).toMatchObject({ "file modes": "problem" });
    expect(folder({ files: [file("key", 0o640)] })).toMatchObject({ "file modes": "warning" });
    expect(folder({ folder: file("/data", 0o755) })).toMatchObject({ "file modes": "warning" });
    expect(folder({ files: [file("key", 0o666, 0)] }, null)).toMatchObject({ "file modes": "ok" });
  });

  it("an entry that another user may have put there is a problem, with the commands to look at it and remove it", () => {
    const [, finding] = folderChecks({ dir: "/data", look: { ...seen, foreign: [{ message: "/data/locks is not used", hint: "rm -r /data/locks" }] }, uid: 1000, mayUnseal: false });
    expect(finding).toMatchObject({ status: "problem", found: "/data/locks is not used", advice: "rm -r /data/locks" });
  });

  it("preferences that others can read are fine, that they can change are not", () => {
    expect(folder({ files: [file("config.json", 0o644)] })).toMatchObject({ "file modes": "ok" });
    expect(folder({ files: [file("config.json", 0o646)] })).toMatchObject({ "file modes": "warning" });
  });

  it("torn credentials are a problem unless there is a backup", () => {
    const torn = { store: { state: "broken", reason: "it is cut off or not JSON" } } as const;
    expect(folder(torn)).toMatchObject({ "accounts.json": "problem" });
    expect(folder({ ...torn, backup: seen.store })).toMatchObject({ "accounts.json": "warning" });
    expect(folder({ store: { state: "none" }, backup: seen.store })).toMatchObject({ "accounts.json": "warning" });
  });

  it("sealed credentials are fine, sealed by a later version are not; entries not understood are a warning", () => {
    expect(folder({ store: { state: "sealed", by: "keyring" } })).toMatchObject({ "accounts.json": "ok" });
    expect(folder({ store: { state: "sealed", by: "unknown" } })).toMatchObject({ "accounts.json": "problem" });
    expect(folder({ store: { state: "good", accounts: [], unused: ["odd"] } })).toMatchObject({ "accounts.json": "warning" });
  });

  it("a plain store where a sealed one was is a problem until none is given", () => {
    const sealedBackup = { state: "sealed", by: "passphrase" } as const;
    for (const more of [{ wasSealed: true }, { backup: sealedBackup }]) {
      expect(folder(more)).toMatchObject({ "accounts.json": "problem" });
      expect(folderChecks({ dir: "/data", look: { ...seen, ...more }, uid: 1000, mayUnseal: true }).every(({ status }) => status === "ok")).toBe(true);
      expect(folder({ ...more, store: sealedBackup })).toMatchObject({ "accounts.json": "ok" });
    }
  });

  it("leftovers are named", () => {
    expect(folder({ leftovers: ["accounts.json.broken-2026"] })).toMatchObject({ leftovers: "warning" });
  });
});

const settings = (set: readonly string[] = [], problems: readonly string[] = []) => settingsChecks({ path: "/data/config.json", exists: true, problems, config: settingsOf(set) });

describe("the settings", () => {
  it("every wrong value is a problem of its own", () => {
    expect(settings()).toMatchObject([{ status: "ok" }]);
    expect(settings([], ["a is wrong", "b is wrong"])).toMatchObject([{ status: "problem", found: "a is wrong" }, { status: "problem", found: "b is wrong" }]);
  });

  it("settings by which requests are altered or repeated are a warning", () => {
    expect(settings(["models.default=claude-opus-4-8", "retry.statuses=529"]).filter(({ status }) => status === "warning").map(({ name }) => name)).toEqual(["models.map", "retry.statuses"]);
  });
});

const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const one = (more: Partial<AccountLook> = {}): AccountLook => ({ id: "claude", kind: "oauth", health: "healthy", expiresAt: now + hour, renewable: true, lastError: null, ...more });
const checks = (accounts: readonly AccountLook[] | null, running: Running = { is: "none" }, mode = "oauth") => accountChecks({ mode, running, look: { accounts } as FolderLook, now });
const status = (...accounts: readonly AccountLook[]) => checks(accounts).map((finding) => finding.status);

describe("accounts", () => {
  it("a healthy one is fine, also expired as long as it can be refreshed", () => {
    expect(status(one())).toEqual(["ok"]);
    expect(checks([one({ expiresAt: now - hour })])).toMatchObject([{ status: "ok", found: "oauth, healthy, token expired 1h0m ago, refreshed at the next start" }]);
    expect(checks([one({ renewable: false })])).toMatchObject([{ status: "ok", found: "oauth, healthy, token for 1h0m, cannot be refreshed" }]);
    expect(checks([one()])).toMatchObject([{ found: "oauth, healthy, token for 1h0m" }]);
    expect(checks([one({ kind: "api_key", expiresAt: null, renewable: false })])).toMatchObject([{ status: "ok", found: "api_key, healthy, no expiry" }]);
  });

  it("one that needs a new sign-in is a problem only when no other can serve", () => {
    const dead = one({ id: "old", health: "needs-login", lastError: "invalid_grant: revoked", expiresAt: now - hour });
    expect(status(dead)).toEqual(["warning", "problem"]);
    expect(status(dead, one())).toEqual(["warning", "ok"]);
    expect(status({ ...dead, expiresAt: now + hour })).toEqual(["warning"]);
    expect(status(one({ expiresAt: now - 1, renewable: false }))).toEqual(["warning", "problem"]);
    expect(status(one({ health: "disabled" }))).toEqual(["warning", "problem"]);
  });

  it("shows the last error with what to do", () => {
    const found = expect.stringContaining("server_error: try later");
    expect(checks([one({ lastError: "server_error: try later" })])).toMatchObject([{ status: "warning", found, advice: expect.stringContaining("refresh claude") }]);
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
});
