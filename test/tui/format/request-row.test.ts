import { describe, expect, it } from "vitest";
import { reduceAll } from "../../../src/state/reduce.ts";
import { initialState } from "../../../src/state/initial.ts";
import type { Event } from "../../../src/messages/events.ts";
import type { RequestRow } from "../../../src/state/state.ts";
import { planOf, requestHeads, requestLine, statusTone, statusWord } from "../../../src/tui/format/request-row.ts";
import { widthOf } from "../../../src/tui/format/width.ts";
import { glyphsFor } from "../../../src/tui/theme.ts";
import { fact } from "../../state/facts.ts";
import { noon, textOf } from "../scene.ts";

const glyphs = glyphsFor(false);
const rowAfter = (...events: readonly Event[]): RequestRow => reduceAll(initialState({ version: "1", mode: "oauth" }), [fact("request.received", { at: noon }), ...events]).requests.rows[0] as RequestRow;
const ended = (about: Parameters<typeof fact<"request.finished">>[1]): RequestRow => rowAfter(fact("request.finished", about));

describe("the status column", () => {
  it.each([
    [rowAfter(), "con", "accent"],
    [rowAfter(fact("response.started")), "wait", "accent"],
    [rowAfter(fact("response.progress", { phase: "thinking" })), "think", "accent"],
    [rowAfter(fact("response.progress", { phase: "tool" })), "tool", "accent"],
    [rowAfter(fact("response.progress", { phase: "body" })), "body", "accent"],
    [ended({}), "200", "good"],
    [ended({ status: 429, outcome: "upstream-error" }), "429", "warning"],
    [ended({ status: 529, outcome: "upstream-error" }), "529", "error"],
    [ended({ status: 200, outcome: "client-left" }), "499", "dim"],
    [ended({ status: null, outcome: "client-left" }), "499", "dim"],
    [ended({ status: null, outcome: "timeout" }), "504", "error"],
    [ended({ status: 200, outcome: "failed" }), "200!", "error"],
    [ended({ status: null, outcome: "shutdown" }), "---", "dim"],
    [rowAfter(fact("request.rejected")), "401", "warning"],
  ] as const)("N1 %# says %s (%s) %s", (row, word, tone) => expect([statusWord(row), statusTone(row)]).toEqual([word, tone]));
});

const at = (seconds: number, width = 80) => {
  const breadth = width < 70 ? "narrow" : "normal";
  return requestLine(rowAfter(fact("response.started", { at: noon })), false, { breadth, width, now: noon + seconds * 1000, glyphs });
};

const silent = (seconds: number, width?: number) => at(seconds, width).segments.find(({ text }) => text.includes("silent"));

describe("silence", () => {
  it("N1 is shown from 20 s, yellow, and red from 240 s, against the client's 300 s", () => {
    expect(silent(19.9)).toBeUndefined();
    expect(silent(20)).toMatchObject({ tone: "warning" });
    expect(silent(247)).toMatchObject({ tone: "error" });
    expect(silent(247)?.text.trim()).toBe("silent 247/300");
    expect(silent(247, 40)?.text.trim()).toBe("silent 247");
  });

  it("is not shown for a request that has ended", () => {
    expect(textOf(requestLine(ended({}), false, { breadth: "normal", width: 80, now: noon + 500_000, glyphs }))).not.toContain("silent");
  });
});

describe("the columns", () => {
  it.each([["wide", 110], ["wide", 200], ["normal", 70], ["normal", 109], ["narrow", 40], ["narrow", 69], ["tiny", 20], ["tiny", 39]] as const)("%s %d fill the line exactly, heads and rows alike", (breadth, width) => {
    const setting = { breadth, width, now: noon, glyphs };
    expect(widthOf(textOf(requestHeads(setting)))).toBe(width);
    expect(widthOf(textOf(requestLine(ended({}), true, setting)))).toBe(width);
  });

  it("are those that the breadth has room for", () => {
    const names = (["wide", "normal", "narrow", "tiny"] as const).map((breadth) => planOf(breadth, 100).columns.map(([name]) => name).join(" "));
    expect(names).toEqual(["time st method path model ttfb total in out client", "time st path model ttfb total in out", "time st model total out", "st model total"]);
  });

  it("mark the selected row with a sign, not only by inversion", () => {
    const line = requestLine(ended({}), true, { breadth: "normal", width: 80, now: noon, glyphs });
    expect(line.selected).toBe(true);
    expect(textOf(line).startsWith(">12:00:00 200   messages")).toBe(true);
  });
});
