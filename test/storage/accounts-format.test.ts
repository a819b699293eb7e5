// The text of accounts.json: what an entry means, and hostile JSON in, the same JSON out. Whatever is not
// understood survives a rewrite, nothing is polluted, and no reason ever quotes the file.
import { array, assert, constantFrom, dictionary, integer, json, jsonValue, letrec, oneof, property, string, stringMatching, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Account } from "../../src/accounts/account.ts";
import { isoTime } from "../../src/lib/units.ts";
import { secret } from "../../src/lib/secret.ts";
import { formatRecord, formatStore, parseRecord, parseStore, timeOf } from "../../src/storage/accounts-format.ts";
import { accountOf } from "./account-of.ts";

const token = { access_token: "t" };
const accountIn = (record: object): Account => {
  const account = parseRecord("a", record);
  if (typeof account === "string") throw new Error(account);
  return account;
};

describe("an entry of the file", () => {
  it("needs an access token; all the rest has a meaning when it is missing", () => {
    expect(accountIn(token)).toEqual({
      id: "a", providerId: "a", kind: "oauth", label: "a", accessToken: secret("t"), refreshToken: null, expiresAt: null, scopes: [], organization: null,
      account: null, enabled: true, priority: 0, createdAt: 0, refreshedAt: null, lastError: null,
    });
  });

  it.each([
    ["a", null, "it is not an object"],
    ["a", [], "it is not an object"],
    ["a", {}, "it has no access_token"],
    ["a", { access_token: "" }, "it has no access_token"],
    ["a", { access_token: 7 }, "it has no access_token"],
    ["a", { ...token, kind: "webauthn" }, "its kind is neither oauth nor api_key"],
    ["../x", token, "its name is not made of a-z, 0-9, dot, dash and underscore (at most 64)"],
    ["A".repeat(65), token, "its name is not made of a-z, 0-9, dot, dash and underscore (at most 64)"],
  ])("%s %j is kept but not used", (id, record, reason) => {
    expect(parseRecord(id, record)).toBe(reason);
  });

  it("takes scopes as a list or as one text", () => {
    expect([accountIn({ ...token, scopes: "a b" }).scopes, accountIn({ ...token, scopes: ["a", 7, "b"] }).scopes]).toEqual([["a", "b"], ["a", "b"]]);
  });

  it("keeps unknown fields of an organization only as long as it is the same one", () => {
    const before = { organization: { uuid: "o", name: "old", seat: 4 } };
    const same = formatRecord(accountOf("a", { organization: { uuid: "o", name: "new" } }), before);
    const other = formatRecord(accountOf("a", { organization: { uuid: "p", name: "new" } }), before);
    expect([same["organization"], other["organization"]]).toEqual([{ uuid: "o", name: "new", seat: 4 }, { uuid: "p", name: "new" }]);
  });

  it("never takes an unknown field for a known one", () => {
    expect(formatRecord(accountOf("a", { unknown: { access_token: "forged", plan: 1 } }), null)).toMatchObject({ access_token: "access-a", plan: 1 });
  });
});

describe("times", () => {
  it.each([
    ["2025-11-18T15:30:00Z", Date.UTC(2025, 10, 18, 15, 30)],
    ["2025-11-18T16:30:00+00:00", Date.UTC(2025, 10, 18, 16, 30)],
    ["2025-11-18T16:30:00.123456789+01:00", Date.UTC(2025, 10, 18, 15, 30, 0, 123)],
    ["2025-11-18T15:30:00", Date.UTC(2025, 10, 18, 15, 30)],
    ["2025-13-40T15:30:00Z", null],
    ["tomorrow", null],
    [1_700_000_000, null],
    [null, null],
  ])("%s is %s", (text, time) => {
    expect(timeOf(text)).toBe(time);
  });

  it("come back as they went, and what no calendar has is no time", () => {
    assert(property(integer({ min: 0, max: 253_402_300_799_999 }), (time) => timeOf(isoTime(time)) === time));
    expect([isoTime(null), isoTime(Number.NaN), isoTime(9e15), isoTime(Infinity)]).toEqual([null, null, null, null]);
  });
});

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
  it("comes back with everything that was not changed (D11)", () => {
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

  it("pollutes no prototype (S27)", () => {
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
