import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { maskPaste, statesOf } from "../../../src/tui/screens/login-mask.ts";

const states = ["9f3cAAAAAAAAAAAA", "77aaBBBBBBBBBBBB"];

describe("the mask of a paste", () => {
  it.each([
    ["", ""],
    ["abc", "***"],
    ["aB3xyz", "aB3x...(6 characters)"],
    ["aB3xyz#", "aB3x...(7)# differs"],
    ["aB3xyz#9f3cAAAAAAAAAAAA", "aB3x...(23)#9f3c ok"],
    [" aB3xyz#77aaBBBB  \r\n  BBBBBBBB\r", "aB3x...(23)#77aa ok"],
    ["aB3xyz#9f3cAAAAAAAAAAAB", "aB3x...(23)# differs"],
    ["code=aB3xyz&state=9f3cAAAAAAAAAAAA", "code...(34)#9f3c ok"],
    ["https://x.example/cb?code=aB3xyz&state=9f3cAAAAAAAAAAAA", "http...(55)#9f3c ok"],
    ["https://x.example/cb?code=aB3xyz", "http...(32 characters)"],
    ["\u001b[2Jabcdef", "·[2J...(10 characters)"],
  ])("of %j is %j", (paste, mask) => {
    expect(maskPaste(paste, states)).toBe(mask);
  });

  it("never shows more than four characters of what is not our own state, whatever it is", () => {
    assert(
      property(string({ minLength: 5, maxLength: 300, unit: "grapheme" }), (paste) => {
        const shown = maskPaste(paste, states);
        expect(shown.length).toBeLessThan(40);
        const tail = paste.trim().slice(4);
        for (let at = 0; at + 6 <= tail.length; at += 1) {
          const piece = tail.slice(at, at + 6);
          if (!/^[\d().# a-z]*$/.test(piece)) expect(shown).not.toContain(piece);
        }
      }),
    );
  });
});

describe("the states of an attempt", () => {
  it("come from its links; a link without one has none", () => {
    expect(statesOf({ authorizeUrl: "https://x.example/a?state=one", browserUrl: "https://x.example/a?state=two" })).toEqual(["one", "two"]);
    expect(statesOf({ authorizeUrl: "https://x.example/a", browserUrl: null })).toEqual([]);
  });
});
