import * as fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { cut, fit, joinFitting, padEnd, padStart, safe, spread, widthOf, widthOfAll, wrap } from "../../src/tui/text.ts";
import { glyphsFor, lineOf, segment } from "../../src/tui/theme.ts";
import { hostile, hostileTexts, steers } from "./hostile.ts";
import { textOf } from "./scene.ts";

const glyphs = glyphsFor(false);
const ascii = glyphsFor(true);

describe("text from outside", () => {
  it.each(hostileTexts)("%j cannot steer a terminal (U1, U2, U4)", (text) => {
    expect(steers(safe(text, glyphs))).toBe(false);
    expect(steers(safe(text, ascii))).toBe(false);
  });

  it("stays visible: what was dangerous is a dot, what was readable is still there (U1)", () => {
    expect(safe("a\u001b[2Jb\u009b31mc", glyphs)).toBe("a·[2Jb·31mc");
    expect(safe("claude-sonnet-4-5", glyphs)).toBe("claude-sonnet-4-5");
  });

  it("is plain ASCII where the terminal has nothing else", () => {
    expect(safe("日本語 é … ok", ascii)).toBe("??? ? ~ ok");
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => /^[ -~]*$/.test(safe(text, ascii))));
  });

  it("has no sequences whose width terminals disagree on (U4)", () => {
    expect(safe("❤️ 👍🏽 🇩🇪 1️⃣", glyphs)).toBe("❤ 👍  1");
  });
});

describe("columns", () => {
  it("are counted as a terminal counts them (U7)", () => {
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

  it("are filled exactly, whatever the text (U7)", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 40 }), (text, width) => {
        const clean = safe(text, glyphs);
        return [padEnd(clean, width, glyphs), padStart(clean, width, glyphs)].every((padded) => stringWidth(padded) === width);
      }),
    );
  });
});

const two = [segment("left"), segment("!", "error")];

describe("putting a line together", () => {
  it("spreads to both edges, cuts the left part first and drops the right one last", () => {
    expect(textOf(spread(two, [segment("right")], 14, glyphs))).toBe("left!    right");
    expect(textOf(spread([segment("a rather long text")], [segment("right")], 19, glyphs))).toBe("a rather lon… right");
    expect(textOf(spread([segment("a rather long text")], [segment("right")], 12, glyphs))).toBe("a rather lo…");
  });

  it("joins as many groups as fit, in their order", () => {
    const groups = [[segment("one")], [], [segment("")], [segment("three four five")], [segment("six")]];
    expect(textOf(lineOf(...joinFitting(groups, 10)))).toBe("one  six");
  });

  it("fills a selected line up to the edge, and no other", () => {
    expect(widthOfAll(fit({ segments: two, selected: true }, 9, glyphs).segments)).toBe(9);
    expect(textOf(fit(lineOf(...two), 9, glyphs))).toBe("left!");
    expect(textOf(fit(lineOf(...two), 4, glyphs))).toBe("lef…");
    expect(textOf(fit(lineOf(...two), 5, glyphs))).toBe("left!");
  });

  it("wraps at blanks, and words that are too long anywhere", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("abcdefghij kl", 4)).toEqual(["abcd", "efgh", "ij", "kl"]);
    expect(wrap("日本語 日本語", 6)).toEqual(["日本語", "日本語"]);
    expect(wrap("", 5)).toEqual([""]);
  });
});
