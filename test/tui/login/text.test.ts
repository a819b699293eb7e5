import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { loginIntro, maskPaste } from "../../../src/tui/login/text.ts";
import { authorizeUrl } from "../../fixtures/fake-login.ts";

const link = authorizeUrl("9f3c");
const attempt = { attemptId: "a", kind: "max", authorizeUrl: link, shortUrl: "http://localhost:4123/login/abcdefghijk", returns: true, states: ["9f3c"], expiresAt: 0, question: null } as const;
const intro = (columns: number, more: object = {}): string => loginIntro({ attempt: { ...attempt, ...more }, version: "0.1.0", reason: "no account yet: sign in once", columns });

describe("the text above the paste field", () => {
  it.each([20, 40, 75, 76, 80, 99, 100, 200])("at %i columns holds the link alone in a line of its own, at column 0, without any escape", (columns) => {
    const lines = intro(columns).split("\n");
    expect(lines.filter((line) => line.includes("authorize?"))).toEqual([link]);
    expect(intro(columns)).toMatch(/^[\n\u0020-\u007e]*$/);
  });

  it.each([40, 60, 75, 76, 80, 99, 100, 120])("at %i columns no other line is wrapped", (columns) => {
    for (const line of intro(columns).split("\n").filter((text) => text !== link)) expect(line.length).toBeLessThan(columns);
  });

  it("offers the short form with its port for ssh -L, and leaves it out where there is none", () => {
    expect(intro(120)).toContain("On this machine, or with ssh -L 4123:localhost:4123:  http://localhost:4123/login/abcdefghijk");
    expect(intro(80)).toContain("or on this machine:  http://localhost:4123/login/abcdefghijk");
    for (const columns of [40, 75]) expect(intro(columns).split("\n")).toContain("http://localhost:4123/login/abcdefghijk");
    for (const columns of [40, 80, 120]) expect(intro(columns, { shortUrl: null })).not.toMatch(/localhost|null/);
  });

  it("says why a sign-in is needed, on a line of its own where it does not fit", () => {
    expect(intro(80).split("\n")[0]).toBe("claude-oauth-proxy 0.1.0  no account yet: sign in once");
    expect(loginIntro({ attempt, version: "0.1.0", reason: "r".repeat(70), columns: 80 }).split("\n").slice(0, 2)).toEqual(["claude-oauth-proxy 0.1.0", "r".repeat(70)]);
  });
});

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
