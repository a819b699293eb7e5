import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import { initialState } from "../../../src/state/state.ts";
import { reduceAll } from "../../../src/state/reduce.ts";
import type { RequestRow } from "../../../src/state/state.ts";
import { requestTable, statusTone, statusWord, visibleRequests } from "../../../src/tui/panes/requests.ts";
import { widthOf } from "../../../src/tui/text.ts";
import type { Line } from "../../../src/tui/theme.ts";
import { fact } from "../../state/facts.ts";
import { noon, stateOf, textOf, viewAt } from "../scene.ts";

type Drawing = { readonly columns: number; readonly seconds?: number; readonly selected?: boolean };
const lineAt = (row: RequestRow, { columns, seconds = 0, selected = false }: Drawing): Line =>
  requestTable(viewAt({ columns, now: noon + seconds * 1000 })).line(row, selected);
const rowAfter = (...events: readonly Event[]): RequestRow =>
  reduceAll(initialState({ version: "1", mode: "oauth" }), [fact("request.received", { at: noon }), ...events]).requests.rows[0] as RequestRow;
const ended = (about: Parameters<typeof fact<"request.finished">>[1]): RequestRow => rowAfter(fact("request.finished", about));

describe("the status column", () => {
  it.each([
    ["has just come", rowAfter(), "con", "accent"],
    ["waits for the first token", rowAfter(fact("response.started")), "wait", "accent"],
    ["thinks", rowAfter(fact("response.progress", { phase: "thinking" })), "think", "accent"],
    ["calls a tool", rowAfter(fact("response.progress", { phase: "tool" })), "tool", "accent"],
    ["sends a body that is not a stream", rowAfter(fact("response.progress", { phase: "body" })), "body", "accent"],
    ["was answered", ended({}), "200", "good"],
    ["met a plan limit", ended({ status: 429, outcome: "upstream-error" }), "429", "warning"],
    ["met an overload", ended({ status: 529, outcome: "upstream-error" }), "529", "error"],
    ["lost its client during the answer", ended({ status: 200, outcome: "client-left" }), "499", "dim"],
    ["lost its client before the answer", ended({ status: null, outcome: "client-left" }), "499", "dim"],
    ["timed out", ended({ status: null, outcome: "timeout" }), "504", "error"],
    ["broke off in the answer", ended({ status: 200, outcome: "failed" }), "200!", "error"],
    ["was ended by a shutdown", ended({ status: null, outcome: "shutdown" }), "---", "dim"],
    ["was refused here", rowAfter(fact("request.rejected")), "401", "warning"],
  ] as const)("of a request that %s has its word and tone (N1)", (_name, row, word, tone) => expect([statusWord(row), statusTone(row)]).toEqual([word, tone]));
});

const silent = (seconds: number, columns = 80) => lineAt(rowAfter(fact("response.started", { at: noon })), { columns, seconds }).segments.find(({ text }) => text.includes("silent"));

describe("silence", () => {
  it("is shown from 20 s, yellow, and red from 240 s, against the client's 300 s (N1)", () => {
    expect(silent(19.9)).toBeUndefined();
    expect(silent(20)).toMatchObject({ tone: "warning" });
    expect(silent(247)).toMatchObject({ tone: "error" });
    expect(silent(247)?.text.trim()).toBe("silent 247/300");
    expect(silent(247, 40)?.text.trim()).toBe("silent 247");
  });

  it("takes the place of the path, and of the model where there is no path", () => {
    const waiting = rowAfter(fact("attempt.started", { modelAsked: "claude-opus-4-1" }), fact("response.started", { at: noon }));
    const words = (columns: number): readonly string[] => textOf(lineAt(waiting, { columns, seconds: 30 })).match(/silent|opus|messages/g) ?? [];
    expect([120, 80, 50, 30].map(words)).toEqual([["silent", "opus"], ["silent", "opus"], ["silent"], ["silent"]]);
  });

  it("is not shown for a request that has ended", () => {
    expect(textOf(lineAt(ended({}), { columns: 80, seconds: 500 }))).not.toContain("silent");
  });
});

describe("the columns", () => {
  it.each([110, 111, 200, 70, 71, 109, 40, 69, 20, 39])("fill a line of %d exactly, heads and rows alike", (columns) => {
    expect(widthOf(textOf(requestTable(viewAt({ columns })).heads))).toBe(columns);
    expect(widthOf(textOf(lineAt(ended({}), { columns, selected: true })))).toBe(columns);
  });

  it.each([
    [110, "TIME ST METH PATH MODEL TTFB TOTAL IN OUT CLIENT"],
    [100, "TIME ST PATH MODEL TTFB TOTAL IN OUT"],
    [69, "TIME ST MODEL TOTAL OUT"],
    [39, "ST MODEL TOTAL"],
  ])("in a terminal of %d are %s", (columns, titles) => {
    expect(textOf(requestTable(viewAt({ columns })).heads).trim().split(/ +/).join(" ")).toBe(titles);
  });

  it("are short where there is little room: no /v1, no claude-, no date, no version of the client", () => {
    const row = rowAfter(fact("attempt.started", { modelAsked: "claude-haiku-4-5-20251001" }), fact("request.finished", {}));
    expect(textOf(lineAt(row, { columns: 80 }))).toMatch(/ messages +haiku-4-5 +/);
    expect(textOf(lineAt(row, { columns: 150 }))).toMatch(/ \/v1\/messages +claude-haiku-4-5-20251001 .* claude-cli +$/);
  });

  it("mark the selected row with a sign, not only by inversion", () => {
    const line = lineAt(ended({}), { columns: 80, selected: true });
    expect(line.selected).toBe(true);
    expect(textOf(line).startsWith(">12:00:00 200   messages")).toBe(true);
  });
});

const ids = (ui: object): readonly string[] => visibleRequests(viewAt({ ui })).map(({ id }) => id);

describe("which requests are shown", () => {
  it("the filter looks at status, phase, path, model, client, session (N7)", () => {
    expect(ids({ filter: "429" })).toEqual(["r3"]);
    expect(ids({ filter: "TOOL" })).toEqual(["r6", "r5"]);
    expect(ids({ filter: "count_tokens" })).toEqual(["r4"]);
    expect(ids({ filter: "haiku" })).toEqual(["r2"]);
    expect(ids({ filter: "6f1c1d9e" })).toEqual(["r1"]);
    expect(ids({ filter: "plan-limit" })).toEqual(["r3"]);
  });

  it("an exclamation mark turns it round, and alone it hides nothing (N7)", () => {
    expect(ids({ filter: "!sonnet" })).toEqual(["r5", "r3", "r2"]);
    expect(ids({ filter: "!" })).toHaveLength(6);
  });

  it("errors only leaves out what a client cancelled", () => expect(ids({ errorsOnly: true })).toEqual(["r3"]));
  it("clearing leaves what is still open", () => expect(ids({ clearedAt: noon })).toEqual(["r6", "r5"]));
  it("clearing takes what came in its very moment", () => expect(ids({ clearedAt: noon - 16_000 })).toEqual(["r6", "r5"]));
  it("a pause shows the moment it began", () => expect(ids({ paused: stateOf() })).toEqual([]));
});
