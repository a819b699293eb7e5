// Hostile JSON in, the same JSON out: whatever is not understood survives a rewrite, nothing is polluted,
// and no reason ever quotes the file.
import { array, assert, constantFrom, dictionary, json, jsonValue, letrec, oneof, property, string, stringMatching, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { formatStore, parseStore } from "../../src/storage/store-text.ts";
import { accountOf } from "./account-of.ts";

const hostileKey = oneof(
  constantFrom("__proto__", "constructor", "prototype", "toString", "access_token", "kind", "main", "organization", "uuid", "", "\u0000", "\u2028", "a.b-c_d"),
  string({ unit: "binary" }),
);
const { value: hostileValue } = letrec((tie) => ({
  value: oneof({ maxDepth: 4 }, jsonValue(), constantFrom("t", "oauth", "2026-01-02T00:00:00Z", null, true, 1e308, -0.5), tie("object"), array(tie("value"), { maxLength: 3 })),
  object: array(tuple(hostileKey, tie("value")), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
}));
const hostileObject = array(tuple(hostileKey, hostileValue), { maxLength: 6 }).map((entries) => Object.fromEntries(entries) as Record<string, unknown>);

/** JSON has no -0, and a rewrite may order keys anew. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const storeFrom = (text: string) => {
  const parsed = parseStore(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.store;
};

describe("any text at all", () => {
  it("is a store or a reason, never an exception", () => {
    assert(property(oneof(string({ unit: "binary" }), json(), hostileValue.map((value) => JSON.stringify(value) ?? "")), (text) => {
      const parsed = parseStore(text);
      if (!parsed.ok) expect(parsed.reason).toMatch(/^it/);
    }));
  });

  it("cut off anywhere, gives a reason that holds nothing of it", () => {
    const text = formatStore(storeFrom('{"version":1,"accounts":{}}'), new Map([["main", accountOf("main")]]));
    for (let end = 1; end < text.length - 2; end += 7) {
      const parsed = parseStore(text.slice(0, end));
      expect(parsed).toEqual({ ok: false, reason: "it is cut off or not JSON" });
    }
  });
});

describe("a file with anything in it", () => {
  it("D11 comes back with everything that was not changed", () => {
    assert(property(hostileObject, hostileObject, (top, entries) => {
      const file = { ...top, version: 1, accounts: entries };
      const store = storeFrom(JSON.stringify(file));
      const after = JSON.parse(formatStore(store, new Map(store.accounts).set("new", accountOf("new")))) as { accounts: Record<string, unknown> };
      for (const [key, value] of Object.entries(asJson(top) as object)) {
        if (key !== "version" && key !== "accounts") expect(Object.entries(after)).toContainEqual([key, value]);
      }
      for (const { id } of store.unused) {
        if (id !== "new") expect(Object.entries(after.accounts)).toContainEqual([id, Object.entries(asJson(entries) as object).find(([name]) => name === id)?.[1]]);
      }
      expect(Object.keys(after.accounts)).toEqual(expect.arrayContaining([...store.accounts.keys(), "new"]));
    }));
  });

  it("is read the same after it was written once", () => {
    assert(property(dictionary(stringMatching(/^[a-z][a-z0-9]{0,3}$/), hostileObject), (entries) => {
      const usable = Object.fromEntries(Object.entries(entries).map(([id, entry]) => [id, { ...entry, kind: "oauth", access_token: "t" }]));
      const first = storeFrom(JSON.stringify({ version: 1, accounts: usable }));
      expect(first.accounts.size).toBe(Object.keys(usable).length);
      const second = storeFrom(formatStore(first, first.accounts));
      expect(second.accounts).toEqual(first.accounts);
      expect(formatStore(second, second.accounts)).toBe(formatStore(first, first.accounts));
    }));
  });

  it("S27 pollutes no prototype", () => {
    assert(property(hostileObject, hostileObject, (top, entry) => {
      const before = Object.getOwnPropertyNames(Object.prototype).join();
      const store = storeFrom(JSON.stringify({ ...top, version: 1, accounts: { a: { ...entry, access_token: "t" }, ["__proto__"]: { polluted: 1 } } }));
      formatStore(store, store.accounts);
      expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    }));
  });

  it("loses the accounts that were removed, and only those", () => {
    const store = storeFrom('{"version":1,"accounts":{"a":{"access_token":"1"},"b":{"access_token":"2"},"c":{"kind":"other"}}}');
    const next = new Map(store.accounts);
    next.delete("a");
    expect(Object.keys(JSON.parse(formatStore(store, next)).accounts).sort()).toEqual(["b", "c"]);
  });
});
