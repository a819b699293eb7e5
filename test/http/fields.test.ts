// The grammar of header fields, and finding one among them.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createFieldSet, createFieldTable, readFields, valueOf, valuesOf } from "../../src/http/fields.ts";

const read = (...lines: string[]): string[] => readFields(["first line", ...lines].join("\r\n"), "first line".length + 2);

describe("field lines", () => {
  it("keep order, case, doubles and bytes, without the blanks around a value", () => {
    expect(read("B: 1", "a:\t \u00e9\u009b x \t", "b:", "A:b:c")).toEqual(["B", "1", "a", "\u00e9\u009b x", "b", "", "A", "b:c"]);
    expect(read()).toEqual([]);
  });

  it("a value may end, or begin, with a byte that JavaScript takes for white space", () => {
    const city = Buffer.from("citt\u00e0").toString("latin1");
    expect(read(`x-city: ${city} \t`, "x: \u00a0\u0085\u00a0")).toEqual(["x-city", city, "x", "\u00a0\u0085\u00a0"]);
  });

  it.each(["a : 1", " a: 1", "\ta: 1", "a", ": 1", "a: 1\n2", "a: 1\r2", "a: \u0000", "a: \u001b[2J", "a: \u007f", "a(: 1", "", "a: \u0100"])("%j is refused, wherever it stands", (line) => {
    for (const lines of [[line], ["x: y", line], [line, "x: y"], ["x: y", line, "x: y"]]) expect(() => read(...lines)).toThrow(expect.objectContaining({ code: "BAD_HEADER_FIELD" }));
  });

  it("whatever fields are written are read back", () => {
    const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/);
    const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (fields) => {
        expect(read(...fields.map(([each, text]) => `${each}: ${text}`))).toEqual(fields.flat());
      }),
    );
  });

  it("64 KiB that are nearly fields are refused in no time", () => {
    const hostile = `${"a: b:c:d\r\n".repeat(6500)}a`;
    const before = performance.now();
    expect(() => readFields(hostile, 0)).toThrow();
    expect(() => readFields(`a:${" ".repeat(65_000)}\u0000`, 0)).toThrow();
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

const raw = ["Accept", "a", "X-One", "1", "accept", "b", "__proto__", "p"];

describe("finding a field", () => {
  it("goes by its name in any case, and gives all of them in order", () => {
    expect([valuesOf(raw, "accept"), valuesOf(raw, "x-one"), valuesOf(raw, "none")]).toEqual([["a", "b"], ["1"], []]);
  });

  it("one value is one value; none and several are not", () => {
    expect([valueOf(raw, "x-one"), valueOf(raw, "accept"), valueOf(raw, "none"), valueOf(raw, "__proto__"), valueOf(raw, "constructor")]).toEqual(["1", null, null, "p", null]);
  });

  it("a table knows its names and nothing that is merely as long", () => {
    const find = createFieldTable([["host", 1], ["cookie", 2], ["expect", 3]]);
    expect(["Host", "COOKIE", "expect", "hosts", "toast", "origin", "", "x".repeat(99)].map(find)).toEqual([1, 2, 3, undefined, undefined, undefined, undefined, undefined]);
    const has = createFieldSet(["te"]);
    expect(["TE", "et", "constructor"].map(has)).toEqual([true, false, false]);
    expect(createFieldSet([])("te")).toBe(false);
  });
});
