import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visibleText } from "../../src/lib/visible-text.ts";

describe("text from outside", () => {
  it("stays as it is when it is plain", () => {
    expect(visibleText("claude-sonnet-4-5 (äöü) 日本 🙂")).toBe("claude-sonnet-4-5 (äöü) 日本 🙂");
  });

  it.each([
    ["escape", "\u001b[2J"],
    ["bell", "a\u0007"],
    ["eight-bit CSI", "\u009b31m"],
    ["delete", "a\u007f"],
    ["line feed", "a\nb"],
    ["line separator", "a\u2028b"],
    ["right-to-left override", "a\u202eb"],
    ["isolate", "a\u2066b"],
    ["zero-width space", "a\u200bb"],
    ["byte order mark", "\ufeffa"],
    ["tag character", "a\u{e0041}b"],
    ["lone surrogate", "a\ud800b"],
  ])("shows a placeholder for %s", (_name, text) => {
    expect(visibleText(text)).toMatch(/·/);
    expect(visibleText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
  });

  it("folds a flood of combining marks", () => {
    expect(visibleText(`a${"\u0301".repeat(500)}b`)).toBe("a·b");
  });

  it("is cut at the limit with an ellipsis", () => {
    expect(visibleText("x".repeat(50), 10)).toBe(`${"x".repeat(9)}…`);
  });

  it("never lets a control or format character through, whatever comes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        const shown = visibleText(text, 100);
        expect(shown.length).toBeLessThanOrEqual(100);
        // oxlint-disable-next-line no-control-regex -- the very characters this is about
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/);
      }),
    );
  });
});
