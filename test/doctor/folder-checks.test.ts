// What is said about a data folder, given what was seen in it.
import { describe, expect, it } from "vitest";
import { folderChecks } from "../../src/doctor/folder-checks.ts";
import type { FolderLook } from "../../src/app/look-at-folder.ts";

const file = (name: string, mode = 0o600, uid = 1000) => ({ name, mode, uid, modifiedAt: 0 });
const seen: FolderLook = {
  folder: file("/data", 0o700),
  refused: null,
  writable: true,
  files: [file("accounts.json"), file("key")],
  leftovers: [],
  store: { state: "good", accounts: [], unused: [] },
  backup: { state: "none" },
  key: null,
  accounts: [],
};
const status = (more: Partial<FolderLook>, uid: number | null = 1000) => Object.fromEntries(folderChecks({ dir: "/data", look: { ...seen, ...more }, uid }).map((one) => [one.name, one.status]));

describe("the data folder", () => {
  it("a private, whole one is fine, and so is none", () => {
    expect(status({})).toEqual({ "data folder": "ok", "file modes": "ok", "accounts.json": "ok", leftovers: "ok" });
    expect(status({ folder: null })).toEqual({ "data folder": "ok" });
  });

  it("one that cannot be used is a problem, and nothing further is said", () => {
    expect(status({ refused: "it is not a folder" })).toEqual({ "data folder": "problem" });
    expect(status({ writable: false })).toEqual({ "data folder": "problem" });
    expect(status({ folder: null, writable: false })).toEqual({ "data folder": "problem" });
    expect(status({ folder: file("/data", 0o700, 0) })).toEqual({ "data folder": "problem" });
  });

  it("files of others are a problem, files open to others a warning, and neither exists on Windows", () => {
    expect(status({ files: [file("key", 0o600, 0)] })).toMatchObject({ "file modes": "problem" });
    expect(status({ files: [file("key", 0o640)] })).toMatchObject({ "file modes": "warning" });
    expect(status({ folder: file("/data", 0o755) })).toMatchObject({ "file modes": "warning" });
    expect(status({ files: [file("key", 0o666, 0)] }, null)).toMatchObject({ "file modes": "ok" });
  });

  it("torn credentials are a problem unless there is a backup", () => {
    const torn = { store: { state: "broken", reason: "it is cut off or not JSON" } } as const;
    expect(status(torn)).toMatchObject({ "accounts.json": "problem" });
    expect(status({ ...torn, backup: seen.store })).toMatchObject({ "accounts.json": "warning" });
    expect(status({ store: { state: "none" }, backup: seen.store })).toMatchObject({ "accounts.json": "warning" });
  });

  it("sealed credentials are fine, sealed by a later version are not; entries not understood are a warning", () => {
    expect(status({ store: { state: "sealed", by: "keyring" } })).toMatchObject({ "accounts.json": "ok" });
    expect(status({ store: { state: "sealed", by: "unknown" } })).toMatchObject({ "accounts.json": "problem" });
    expect(status({ store: { state: "good", accounts: [], unused: ["odd"] } })).toMatchObject({ "accounts.json": "warning" });
  });

  it("leftovers are named", () => {
    expect(status({ leftovers: ["accounts.json.broken-2026"] })).toMatchObject({ leftovers: "warning" });
  });
});
