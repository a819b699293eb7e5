import { describe, expect, it } from "vitest";
import { secret } from "../../../src/lib/secret.ts";
import { emptyForm } from "../../../src/tui/login/form.ts";
import type { FormState } from "../../../src/tui/login/form.ts";
import { regionLines, loginView } from "../../../src/tui/login/view.ts";
import { widthOf } from "../../../src/tui/text.ts";
import { dana } from "../../fixtures/fake-login.ts";
import { textOf } from "../scene.ts";

const now = { states: ["9f3c"], leftMs: 492_000, monotonic: 2000 };
const sizes = [[120, 30], [80, 24], [40, 10], [30, 3], [20, 5], [10, 2], [1, 1]] as const;
const states: readonly FormState[] = [
  emptyForm,
  { ...emptyForm, phase: "rejected", text: secret("x".repeat(70_000)), note: { tone: "error", text: "Not complete: the part after # is missing. Use the Copy button on the page." }, since: null },
  { ...emptyForm, phase: "retry", text: secret("abcdef#9f3c"), note: { tone: "error", text: "词".repeat(200) }, since: null },
  { ...emptyForm, phase: "exchanging", text: secret("abcdef#9f3c"), note: null, since: 0 },
  { ...emptyForm, phase: "over", text: null, note: { tone: "error", text: "w".repeat(500) }, since: null },
];

const asking: FormState = { ...emptyForm, phase: "asking", question: { ...dana, email: `${"long-".repeat(12)}@example.com` } };

const rows = (state: FormState, columns: number, height: number): readonly string[] =>
  regionLines(loginView(state, now), { columns, rows: height, ascii: false }).map(textOf);

describe("the live region", () => {
  it.each(sizes)("at %i columns and %i rows has at most six rows, never all of them, none as wide as the terminal", (columns, height) => {
    for (const state of states) {
      const drawn = rows(state, columns, height);
      expect(drawn.length).toBeLessThanOrEqual(Math.max(1, Math.min(6, height - 1)));
      for (const row of drawn) expect(widthOf(row)).toBeLessThan(Math.max(9, columns));
      expect(drawn.join("\n")).toMatch(/Paste|Past|Pas/);
    }
  });

  it("a question takes the place of the field, whole where there is room for it", () => {
    expect(rows({ ...asking, question: dana }, 80, 24)).toEqual(["-".repeat(78), " Add dana@example.com to this proxy?", ` y yes  n no  Esc cancel  Ctrl+C quit${" ".repeat(32)}8:12 left`]);
    for (const [columns, height] of sizes) {
      for (const row of rows(asking, columns, height)) expect(widthOf(row)).toBeLessThan(Math.max(9, columns));
    }
    expect(rows(asking, 40, 10).join(" ").replaceAll(/ +/g, "")).toContain(`Add${asking.question?.email}tothisproxy?`);
  });

  it("at 80 columns shows field, sentence, keys and the time that is left in one row each", () => {
    expect(rows(states[1] ?? emptyForm, 80, 24)).toEqual([
      "-".repeat(78),
      " Paste code > xxxx...(70000 characters)_",
      " x Not complete: the part after # is missing. Use the Copy button on the page.",
      " o open  c copy link  u file  v clipboard  Esc clear  Ctrl+C quit    8:12 left",
    ]);
  });

  it("at 40 columns keeps the whole sentence and both rows of keys", () => {
    expect(rows(states[1] ?? emptyForm, 40, 10)).toEqual([
      " Paste code > xxxx...(70000 character…",
      " x Not complete: the part after # is",
      " missing. Use the Copy button on the",
      " page.",
      " o open  c copy  u file  v clipboard",
      " Esc clear  Ctrl+C quit      8:12 left",
    ]);
  });

  it("while exchanging says so with the seconds, and how to stop it", () => {
    expect(rows(states[3] ?? emptyForm, 40, 10)).toEqual([" Paste code > abcd...(11)#9f3c ok_", " ~ Exchanging the code ... 2s", " Esc cancel  Ctrl+C quit     8:12 left"]);
  });

  it("a sentence from outside cannot move the cursor, and in ASCII mode nothing is beyond it", () => {
    const state: FormState = { ...emptyForm, note: { tone: "error", text: "evil \u001b[2J\u009b1m … ünï" } };
    const text = regionLines(loginView(state, now), { columns: 80, rows: 24, ascii: true }).map(textOf).join("\n");
    expect(text).toMatch(/^[\n\u0020-\u007e]*$/);
  });
});
