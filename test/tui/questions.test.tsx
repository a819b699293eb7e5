import { describe, expect, it } from "vitest";
import { askPortTaken, askTerms, Choices, portTakenQuestion, termsLink, termsQuestion } from "../../src/tui/questions.tsx";
import type { Question } from "../../src/tui/questions.tsx";
import { eventually } from "../helpers/eventually.ts";
import { createCellTerminal } from "./cell-terminal.ts";
import { draw } from "./component.tsx";

const down = "\u001b[B";
const up = "\u001b[A";
const enter = "\r";
const escape = "\u001b";

type Options = { readonly columns?: number; readonly rows?: number; readonly ascii?: boolean };

const open = async <Answer extends string>({ choices }: Question<Answer>, { ascii = false, columns = 80, rows = 24 }: Options = {}) => {
  const answers: string[] = [];
  const screen = await draw(<Choices choices={choices} ascii={ascii} onAnswer={(answer) => answers.push(answer)} />, { columns, rows });
  return { ...screen, answers, answer: () => eventually(() => answers[0], (answer) => answer !== undefined, { what: "an answer" }) };
};

const terms = termsQuestion(80);
const facts = { version: "0.1.0", host: "127.0.0.1", port: 4001, other: { version: "0.1.0", uptimeSeconds: 7440 }, nextPort: 4002 };

describe("choices", () => {
  it("are rows with their letters, and none of them is marked before an arrow key", async () => {
    const { text } = await open(terms);
    expect(text().split("\n")).toEqual([
      "  y  go on and sign in with my subscription",
      "  k  use an API key instead (billed per use, made for programs)",
      "  p  pass-through: Claude Code keeps its own login, nothing is stored here",
      "  q  quit",
      "",
      "press y, k, p or q, or choose with the arrow keys and Enter",
    ]);
  });

  it.each([["y", "go-on"], ["K", "api-key"], ["p", "pass-through"], ["q", "quit"], ["\u0003", "quit"], [escape, "quit"]])("take the key %j as the answer %s", async (key, wanted) => {
    const { press, answer } = await open(terms);
    press(key);
    expect(await answer()).toBe(wanted);
  });

  it("take an arrow key and Enter as well, and mark the row that Enter would choose", async () => {
    const { press, waitFor, answer, answers } = await open(terms);
    press(down);
    await waitFor(/^\S y {2}go on/);
    press(down);
    await waitFor(/^ {2}y {2}go on.*\n\S k {2}use an API key/);
    press(up);
    await waitFor(/^\S y {2}go on/);
    press(down);
    await waitFor(/\n\S k {2}use an API key/);
    expect(answers).toEqual([]);
    press(enter);
    expect(await answer()).toBe("api-key");
  });

  it("agree to nothing by Enter alone, a blank, Alt with a letter or a pasted text", async () => {
    const { press, answers, answer } = await open(terms);
    for (const keys of [enter, "\n", " ", "x", `${escape}y`, "yes please"]) press(keys);
    press("q");
    expect(await answer()).toBe("quit");
    expect(answers).toEqual(["quit"]);
  });

  it("are chosen by letters alone where the terminal has only ASCII", async () => {
    const { text, press, answer } = await open(terms, { ascii: true });
    expect(text()).toMatch(/^[\n\u0020-\u007e]*$/);
    expect(text().split("\n").at(-1)).toBe("press y, k, p or q");
    press(down);
    press(enter);
    press("p");
    expect(await answer()).toBe("pass-through");
    expect(text()).toMatch(/^[\n\u0020-\u007e]*$/);
  });
});

describe("the provider's terms", () => {
  it.each([30, 40, 80, 120])("say at %d columns whose they are, what they ask, that the choice is the person's, and the three ways", async (columns) => {
    const question = termsQuestion(columns);
    const { text } = await open(question, { columns, rows: 40 });
    const flat = `${question.text} ${text()}`.replace(/\s+/g, " ");
    for (const part of ["Anthropic's terms", "own applications", "for you to decide", "go on and sign in", "use an API key", "pass-through"]) expect(flat).toContain(part);
    expect(question.text.split("\n")).toContain(termsLink);
    for (const line of `${question.text}${text()}`.split("\n").filter((row) => row !== termsLink)) expect(line.length).toBeLessThan(columns);
  });

  it.each([[40, 12], [30, 8], [30, 3]])("leave room in a terminal of %d by %d, and its keys work there", async (columns, rows) => {
    const { text, press, waitFor, answer } = await open(terms, { columns, rows });
    expect(text().split("\n").length).toBeLessThan(rows);
    expect(text()).toContain("press y");
    press(down);
    await waitFor(/^\S y {2}go on/);
    press("k");
    expect(await answer()).toBe("api-key");
  });
});

describe("a taken port", () => {
  it("is named with who holds it, and with the choices that make sense", async () => {
    const question = portTakenQuestion(facts);
    expect(question.text).toBe("claude-oauth-proxy 0.1.0\n\nx Port 4001 on 127.0.0.1 is already in use.\n  It is another claude-oauth-proxy of yours (0.1.0, up 2h04m).\n\n");
    const { text, press, answer } = await open(question);
    expect(text().split("\n")).toEqual([
      "  a  use that one (print its address and quit)",
      "  n  use the next free port, 4002",
      "  q  quit            next time: npx claude-oauth-proxy --port 4002",
      "",
      "press a, n or q, or choose with the arrow keys and Enter",
    ]);
    press("n");
    expect(await answer()).toBe("next-port");
  });

  it("does not offer to use a program that is not ours, and offers a free port only when there is one", async () => {
    const question = portTakenQuestion({ ...facts, other: null, nextPort: null });
    expect(question.text).toContain("Something else answers there; it did not prove that it knows our local key.");
    const { text } = await open(question);
    expect(text()).not.toMatch(/^ {2}[an] {2}/m);
    expect(text()).toContain("--port N");
    expect(text()).toMatch(/press q$/);
  });

  it("cannot move the cursor by the version that the other side gives", () => {
    const { text } = portTakenQuestion({ ...facts, other: { version: "1.0\u001b[2J\u009b1m\n", uptimeSeconds: 5 } });
    // oxlint-disable-next-line no-control-regex -- the escapes to look for
    expect(text).not.toMatch(/[\u001b\u009b]/);
    expect(text).toContain("(1.0·[2J·1m·, up 5s)");
  });
});

describe("a question on a terminal", () => {
  it("leaves its text and takes its choices away with the answer", async () => {
    const { stdin, stdout, waitFor, press, rawMode, screen } = createCellTerminal();
    const answer = askPortTaken({ stdin, stdout, ascii: false, facts });
    await waitFor("press a, n or q");
    await eventually(rawMode, Boolean);
    press("a");
    expect(await answer).toBe("use-that");
    await eventually(screen, (text) => !text.includes("press a") && text.includes("Port 4001 on 127.0.0.1 is already in use."));
    expect(rawMode()).toBe(false);
  });

  it("is answered with quit by a terminal that goes away and by a program that stops", async () => {
    const gone = createCellTerminal();
    const first = askTerms({ stdin: gone.stdin, stdout: gone.stdout, ascii: false });
    await gone.waitFor("press y");
    gone.stdin.emit("end");
    expect(await first).toBe("quit");
    const stop = new AbortController();
    const stopped = createCellTerminal();
    const second = askTerms({ stdin: stopped.stdin, stdout: stopped.stdout, ascii: false, signal: stop.signal });
    await stopped.waitFor("press y");
    stop.abort();
    expect(await second).toBe("quit");
  });

  it("is not asked by a program that is stopping already", async () => {
    const { stdin, stdout, bytes } = createCellTerminal();
    expect(await askTerms({ stdin, stdout, ascii: false, signal: AbortSignal.abort() })).toBe("quit");
    expect(bytes()).toBe("");
  });
});
