import { describe, expect, it } from "vitest";
import { selectedIndex, windowStart } from "../../../src/tui/panes/listing.ts";

describe("a window on a list", () => {
  it("keeps the selected line in the middle as far as the ends allow", () => {
    expect([0, 3, 50, 98].map((index) => windowStart(100, 10, index))).toEqual([0, 0, 45, 90]);
    expect(windowStart(3, 10, 2)).toBe(0);
  });

  it("falls back to the first line that can be selected", () => {
    expect(selectedIndex({ ids: [null, "a", "b"] }, "gone")).toBe(1);
    expect(selectedIndex({ ids: ["a", "b"] }, "b")).toBe(1);
    expect(selectedIndex({ ids: [] }, null)).toBe(-1);
  });
});
