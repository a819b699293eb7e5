import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { secret } from "../../src/lib/secret.ts";
import { formatRecord, isoOf, parseRecord, timeOf } from "../../src/storage/account-record.ts";
import type { Account } from "../../src/accounts/account.ts";
import { accountOf } from "./account-of.ts";

const token = { access_token: "t" };
const usable = (record: object): Account => {
  const account = parseRecord("a", record);
  if (typeof account === "string") throw new Error(account);
  return account;
};

describe("an entry of the file", () => {
  it("needs an access token; all the rest has a meaning when it is missing", () => {
    expect(usable(token)).toEqual({
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
    expect([usable({ ...token, scopes: "a b" }).scopes, usable({ ...token, scopes: ["a", 7, "b"] }).scopes]).toEqual([["a", "b"], ["a", "b"]]);
  });

  it("keeps unknown fields of an organization only as long as it is the same one", () => {
    const before = { organization: { uuid: "o", name: "old", seat: 4 } };
    const same = formatRecord(accountOf("a", { organization: { uuid: "o", name: "new" } }), before);
    const other = formatRecord(accountOf("a", { organization: { uuid: "p", name: "new" } }), before);
    expect([same["organization"], other["organization"]]).toEqual([{ uuid: "o", name: "new", seat: 4 }, { uuid: "p", name: "new" }]);
  });

  it("never lets an unknown field stand for a known one", () => {
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
    assert(property(integer({ min: 0, max: 253_402_300_799_999 }), (time) => timeOf(isoOf(time)) === time));
    expect([isoOf(null), isoOf(Number.NaN), isoOf(9e15), isoOf(Infinity)]).toEqual([null, null, null, null]);
  });
});
