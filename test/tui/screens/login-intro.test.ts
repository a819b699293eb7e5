import { describe, expect, it } from "vitest";
import { loginIntro } from "../../../src/tui/screens/login-intro.ts";
import { authorizeUrl } from "../../fixtures/fake-login.ts";

const link = authorizeUrl("9f3c");
const attempt = { attemptId: "a", kind: "max", authorizeUrl: link, browserUrl: null, shortUrl: "http://localhost:4123/login", expiresAt: 0 } as const;
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
    expect(intro(120)).toContain("(or through ssh -L 4123:localhost:4123):  http://localhost:4123/login");
    expect(intro(80)).toContain("or on this machine:  http://localhost:4123/login");
    for (const columns of [40, 80, 120]) expect(intro(columns, { shortUrl: null })).not.toMatch(/localhost|null/);
  });

  it("says why a sign-in is needed, on a line of its own where it does not fit", () => {
    expect(intro(80).split("\n")[0]).toBe("claude-oauth-proxy 0.1.0  no account yet: sign in once");
    expect(loginIntro({ attempt, version: "0.1.0", reason: "r".repeat(70), columns: 80 }).split("\n").slice(0, 2)).toEqual(["claude-oauth-proxy 0.1.0", "r".repeat(70)]);
  });
});
