import { describe, expect, it } from "vitest";
import { committedIn, compare, figuresOf, figuresTable } from "./figures.ts";
import type { Figure } from "./figures.ts";
import type { LoadResult } from "./load.ts";
import { nothingMeasured } from "./measure.ts";

const rate = (perSecond: number): LoadResult => ({ count: 1, errors: 0, perSecond, p50: 1, p99: 2 });
const figure = (name: string, value: number, better: "higher" | "lower", by: number): Figure => ({ name, value, target: null, band: { better, by } });

describe("figures", () => {
  it("are medians of ratios within the rounds, not ratios of medians", () => {
    const measured = nothingMeasured();
    measured.small.set("bare", [rate(100), rate(1000), rate(10)]);
    measured.small.set("claude-oauth-proxy", [rate(95), rate(800), rate(10)]);
    const [ratio] = figuresOf(measured);
    expect(ratio).toMatchObject({ name: "1 KiB, 64 connections: × bare", value: 0.95, target: { isMet: true } });
  });

  it("that were not measured are left out", () => {
    expect(figuresOf(nothingMeasured())).toEqual([]);
  });

  it("of a table that was written are read back from the text around it", () => {
    const text = `# Results\n\n${figuresTable("figures", [figure("a: × bare", 0.91234, "higher", 0.1), figure("b, ms", -2, "lower", 1)])}\n| x | y |\n| 1 | 2 |`;
    expect([...committedIn(text)]).toEqual([["a: × bare", 0.912], ["b, ms", -2]]);
  });
});

describe("a check", () => {
  it.each([
    ["higher", 0.81, []], ["higher", 0.79, ["it"]], ["higher", 5, []], ["higher", Number.NaN, ["it"]],
    ["lower", 0.99, []], ["lower", 1.01, ["it"]], ["lower", -5, []], ["lower", Number.NaN, ["it"]],
  ] as const)("where %s is better and 0.9 ± 0.1 is committed, finds of %d: %j", (better, value, breaches) => {
    expect(compare([figure("it", value, better, 0.1)], new Map([["it", 0.9]])).breaches).toEqual(breaches);
  });

  it("fails for a figure that was never committed, and not for one without a band", () => {
    const told: Figure = { name: "told", value: 1, target: null, band: null };
    expect(compare([figure("new", 1, "higher", 0.1), told], new Map()).breaches).toEqual(["new"]);
  });

  it("says of each target whether it is met", () => {
    const missed: Figure = { ...figure("it", 0.8, "higher", 0.1), target: { text: "≥ 0.9", isMet: false } };
    expect(compare([missed], new Map([["it", 0.85]])).text).toContain("| it | 0.850 | 0.800 | −0.1 | yes | ≥ 0.9 | **no** |");
  });
});
