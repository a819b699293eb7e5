import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { certainlyDead, formatClaim, parseClaim } from "../../src/storage/lock-tickets.ts";
import { realProcesses } from "./kit.ts";

const { self } = realProcesses;

describe("a claim", () => {
  it("comes back as it went, and a released one says so by its first byte", () => {
    const text = formatClaim(self, "abc");
    expect(parseClaim(text)).toEqual({ ...self, token: "abc", released: false });
    expect(parseClaim(`F${text.slice(1)}`)).toMatchObject({ released: true });
  });

  it("any other text is no claim, and never an exception", () => {
    assert(property(string({ unit: "binary" }), (text) => parseClaim(text) === null));
    const text = formatClaim(self, "abc");
    for (let end = 0; end < text.length - 2; end += 1) expect(parseClaim(text.slice(0, end))).toBeNull();
  });

  it("of this process is not dead, unless its pid is that of an earlier one", () => {
    const claim = { ...self, token: "t", released: false };
    expect(certainlyDead(claim, realProcesses)).toBe(false);
    expect(certainlyDead({ ...claim, startTime: `${self.startTime}0` }, realProcesses)).toBe(self.startTime !== null);
  });
});
