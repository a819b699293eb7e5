import { describe, expect, it } from "vitest";
import { withoutEmail } from "../../src/lib/without-email.ts";

describe("text without e-mail addresses", () => {
  it.each([
    ["dana@example.com's Organization", "d…@…'s Organization"],
    ["<dana.o'neil+work@mail.example.co.uk> is blocked", "<d…@…> is blocked"],
    ["x@localhost, jürgen@bücher.example", "x@localhost, j…@…"],
    ["a@b.c and again bb@c.d", "a…@… and again b…@…"],
    ["claude-sonnet@20250929", "claude-sonnet@20250929"],
    ["no address here @all", "no address here @all"],
    ["", ""],
  ])("%j becomes %j", (text, expected) => {
    expect(withoutEmail(text)).toBe(expected);
  });

  it("ends soon on text that is made to be slow", () => {
    const started = performance.now();
    withoutEmail(`${"a.".repeat(50_000)}@${"a-.".repeat(50_000)}`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
