import * as fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { cut, padEnd, padStart, safe, widthOf } from "../../../src/tui/format/width.ts";
import { glyphsFor } from "../../../src/tui/theme.ts";
import { hostile, hostileTexts, steers } from "../hostile.ts";

const glyphs = glyphsFor(false);
const ascii = glyphsFor(true);

describe("text from outside", () => {
  it.each(hostileTexts)("U1 U2 U4 %j cannot steer a terminal", (text) => {
    expect(steers(safe(text, glyphs))).toBe(false);
    expect(steers(safe(text, ascii))).toBe(false);
  });

  it("U1 stays visible: what was dangerous is a dot, what was readable is still there", () => {
    expect(safe("a\u001b[2Jb\u009b31mc", glyphs)).toBe("a·[2Jb·31mc");
    expect(safe("claude-sonnet-4-5", glyphs)).toBe("claude-sonnet-4-5");
  });

  it("is plain ASCII where the terminal has nothing else", () => {
    expect(safe("日本語 é … ok", ascii)).toBe("??? ? ~ ok");
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => /^[ -~]*$/.test(safe(text, ascii))));
  });

  it("U4 has no sequences whose width terminals disagree on", () => {
    expect(safe("❤️ 👍🏽 🇩🇪 1️⃣", glyphs)).toBe("❤ 👍  1");
  });
});

describe("columns", () => {
  it("U7 are counted as a terminal counts them", () => {
    expect([widthOf("abc"), widthOf("日本"), widthOf("é"), widthOf("👍")]).toEqual([3, 4, 1, 2]);
  });

  it.each([
    ["claude-opus-4-1", 8, "claude-…"],
    ["claude", 6, "claude"],
    ["claude", 1, "…"],
    ["claude", 0, ""],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["日本語", 6, "日本語"],
  ])("%s in %d columns is %s", (text, width, expected) => expect(cut(text, width, glyphs)).toBe(expected));

  it("are marked by a tilde where there is no ellipsis", () => expect(cut("claude-opus", 7, ascii)).toBe("claude~"));

  it("U7 are filled exactly, whatever the text", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 40 }), (text, width) => {
        const clean = safe(text, glyphs);
        return [padEnd(clean, width, glyphs), padStart(clean, width, glyphs)].every((padded) => stringWidth(padded) === width);
      }),
    );
  });
});
