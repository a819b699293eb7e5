import * as fc from "fast-check";
import { expect, it } from "vitest";
import { sameText } from "../../src/lib/same-text.ts";

it("agrees with === for any two texts", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (left, right) => sameText(left, right) === (left === right)));
  fc.assert(fc.property(fc.string(), (text) => sameText(text, `${text}`)));
  expect(sameText("", "")).toBe(true);
});
