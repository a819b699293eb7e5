import { describe, expect, it } from "vitest";
import { createSticky } from "../../src/accounts/sticky.ts";

describe("the account of a session", () => {
  it("is remembered, and the session that was used longest ago is forgotten first", () => {
    const sticky = createSticky(2);
    sticky.set("one", "ada");
    sticky.set("two", "bob");
    expect(sticky.get("one")).toBe("ada");
    sticky.set("three", "eve");
    expect([sticky.get("one"), sticky.get("two"), sticky.get("three")]).toEqual(["ada", null, "eve"]);
  });

  it("can change", () => {
    const sticky = createSticky();
    sticky.set("one", "ada");
    sticky.set("one", "bob");
    expect(sticky.get("one")).toBe("bob");
  });
});
