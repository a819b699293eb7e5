import { describe, expect, it } from "vitest";
import { isObject, own, parseJson, parseJsonObject } from "../../src/lib/json.ts";

describe("what counts as a JSON object", () => {
  it.each([{}, { a: 1 }, Object.create(null) as object])("%o does", (value) => {
    expect(isObject(value)).toBe(true);
  });

  it.each([null, undefined, [], [{}], "{}", 1, true])("%o does not", (value) => {
    expect(isObject(value)).toBe(false);
  });
});

it("own gives a key of the object itself and none of its prototype", () => {
  const object = parseJsonObject('{"a":1,"__proto__":2}') ?? {};
  expect([own(object, "a"), own(object, "__proto__"), own(object, "constructor"), own(object, "toString")]).toEqual([1, 2, undefined, undefined]);
});

it("parseJson gives any value and undefined for text that is not JSON", () => {
  expect([parseJson("null"), parseJson("[1]"), parseJson('"a"'), parseJson(""), parseJson('{"a":')]).toEqual([null, [1], "a", undefined, undefined]);
});

it("parseJsonObject gives an object and null for everything else", () => {
  expect(parseJsonObject('{"a":{"b":[]}}')).toEqual({ a: { b: [] } });
  expect(["", "{", "null", "[]", "1", '"{}"'].map(parseJsonObject)).toEqual([null, null, null, null, null, null]);
});
