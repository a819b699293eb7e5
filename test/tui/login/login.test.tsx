import { describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/lib/clock.ts";
import { LoginRegion, runLogin } from "../../../src/tui/login/login.tsx";
import type { LoginDeps } from "../../../src/tui/login/login.tsx";
import { authorizeUrl, createFakeLogin } from "../../fixtures/fake-login.ts";
import { openForm } from "../../fixtures/login-form.ts";
import type { FormOptions } from "../../fixtures/login-form.ts";
import { eventually } from "../../helpers/eventually.ts";
import { createCellTerminal } from "../cell-terminal.ts";
import { draw } from "../component.tsx";

type Options = { readonly columns?: number; readonly rows?: number; readonly ascii?: boolean; readonly form?: FormOptions };

const open = async ({ columns = 80, rows = 24, ascii = false, form: options = {} }: Options = {}) => {
  const set = await openForm(options);
  const screen = await draw(<LoginRegion form={set.form} ascii={ascii} />, { columns, rows });
  return { ...set, ...screen };
};

const escape = "\u001b";
const enter = "\r";

describe("the rows of the sign-in", () => {
  it("are the field, the keys and the time that is left", async () => {
    const { text } = await open();
    expect(text().split("\n")).toEqual([
      "-".repeat(78),
      " Paste code > _",
      " o open  c copy link  u file  v clipboard  Esc cancel  Ctrl+C quit  10:00 left",
    ]);
  });

  it.each([[120, 30], [80, 24], [40, 10], [30, 3]])("leave a row and a column of a terminal of %d by %d free, whatever they say", async (columns, rows) => {
    const { paste, text, waitFor } = await open({ columns, rows });
    paste("half of a code");
    await waitFor("half...(14");
    const lines = text().split("\n");
    expect(lines.length).toBeLessThan(Math.max(2, rows));
    for (const line of lines) expect(line.length).toBeLessThan(columns);
  });

  it("fit a window that gets narrower, and one that gets wide again", async () => {
    const { resize, waitFor, text } = await open({ columns: 120, rows: 30 });
    resize(40, 10);
    await waitFor(/^ Paste code > _\n o open {2}c copy {2}u file/);
    resize(100, 30);
    await waitFor("c copy link");
    expect(text().split("\n")[0]).toBe("-".repeat(78));
  });
});

describe("a code", () => {
  it("that is pasted in brackets is sent at once, and only its mask is ever drawn", async () => {
    const { paste, code, fake, form, written, waitFor } = await open();
    paste(`${code("slow")}\r`);
    await waitFor("Paste code > slow...(128)#9f3c ok_");
    expect(fake.submitted).toEqual([code("slow")]);
    expect(written()).not.toContain("CCCCC");
    form.quit();
    expect(await form.ended).toEqual({ outcome: "quit" });
  });

  it("without brackets is one paste, although the terminal delivers it in pieces", async () => {
    const { press, code, fake, clock, form } = await open();
    press(code().slice(0, 70));
    await clock.advance(30);
    press(code().slice(70));
    await clock.advance(60);
    expect(await form.ended).toMatchObject({ outcome: "signed-in" });
    expect(fake.submitted).toEqual([code()]);
  });

  it("that is typed is masked from its fifth letter, edited by Backspace and cleared by Esc", async () => {
    const { press, clock, waitFor, fake } = await open();
    press("abc");
    await clock.advance(60);
    await waitFor("Paste code > ***_");
    expect((await waitFor("Enter send")).split("\n").at(-1)).toContain("Enter send  Esc clear  Ctrl+C quit");
    press("def");
    await clock.advance(60);
    await waitFor("abcd...(6 characters)_");
    press("\u007f");
    await waitFor("abcd...(5 characters)_");
    press(escape);
    await waitFor("Paste code > _");
    expect(fake.submitted).toEqual([]);
  });

  it("that cannot be one has an alert below the field, and Enter sends it again", async () => {
    const { paste, press, waitFor, fake } = await open();
    paste("half of a code");
    await waitFor("\n x Not complete: the part after # is missing. Use the Copy button on the page.");
    press(enter);
    await waitFor("Paste code > half...(14 characters)_");
    expect(fake.submitted).toEqual(["half of a code", "half of a code"]);
  });

  it("that is being exchanged turns a spinner beside the seconds", async () => {
    const { paste, code, waitFor, clock, form } = await open();
    paste(code("slow"));
    await waitFor(/\n [-\\|/] Exchanging the code \.\.\. 0s/);
    await clock.advance(2000);
    await waitFor(/\n [-\\|/] Exchanging the code \.\.\. 2s/);
    // The sign moves by itself: every one of its four is seen.
    for (const sign of ["-", "\\", "|", "/"]) await waitFor(`\n ${sign} Exchanging`);
    form.quit();
  });
});

describe("a person who has no account here", () => {
  it("is asked about in the place of the field: y or n, and neither Enter nor what was typed ahead (A27)", async () => {
    const { paste, press, code, clock, waitFor, fake, form } = await open();
    paste(code("new"));
    const lines = (await waitFor("Add dana@example.com to this proxy?")).split("\n");
    expect(lines.slice(1)).toEqual([" Add dana@example.com to this proxy?", expect.stringMatching(/^ y yes {2}n no {2}Esc cancel {2}Ctrl\+C quit .*10:00 left$/), ""]);
    press("y");
    press(enter);
    await clock.advance(600);
    await waitFor("\n y/N");
    expect(fake.answered).toEqual([]);
    press(enter);
    press("y");
    expect(await form.ended).toEqual({ outcome: "signed-in", accountId: "max-2" });
    expect(fake.answered).toEqual([true]);
  });

  it.each([[120, 30], [80, 24], [40, 10], [30, 3]])("is asked about at %d by %d, in fewer rows and columns than there are", async (columns, rows) => {
    const { fake, text, waitFor, press, clock } = await open({ columns, rows });
    fake.comeBackWithDana();
    await waitFor("Add dana@exam");
    await clock.advance(600);
    await waitFor("y/N");
    expect(text().split("\n").length).toBeLessThan(rows);
    for (const line of text().split("\n")) expect(line.length).toBeLessThan(columns);
    press("n");
    await waitFor("dana@exam");
    expect(fake.answered).toEqual([false]);
  });
});

describe("a key", () => {
  it.each([["o", "did o"], ["c", "did c."], ["u", "did u"], ["v", "did v"]])("%s acts alone in an empty field and says what came of it", async (key, said) => {
    const { press, clock, waitFor, pressed } = await open();
    press(key);
    await clock.advance(60);
    await waitFor(said);
    expect(pressed).toEqual([key]);
  });

  it("Esc cancels an empty field, Ctrl+C quits, Ctrl+U and Alt+O do nothing", async () => {
    const first = await open();
    for (const keys of ["\u0015", `${escape}o`]) first.press(keys);
    await first.clock.advance(60);
    expect([first.pressed, first.form.snapshot().field]).toEqual([[], ""]);
    first.press("\u0003");
    expect(await first.form.ended).toEqual({ outcome: "quit" });
    const second = await open();
    second.press(escape);
    expect(await second.form.ended).toEqual({ outcome: "cancelled" });
  });
});

it("nothing beyond ASCII is drawn where the terminal has nothing else", async () => {
  const { paste, text, waitFor } = await open({ ascii: true, columns: 40, rows: 10 });
  paste("日本語のコード");
  await waitFor("x Not complete");
  expect(text()).toMatch(/^[\n\u0020-\u007e]*$/);
});

const run = (more: Partial<LoginDeps> = {}) => {
  const clock = createSystemClock();
  const terminal = createCellTerminal({ columns: 80, rows: 24 });
  const fake = createFakeLogin(clock);
  const calls: string[] = [];
  const edges: LoginDeps["edges"] = {
    openBrowser: async () => (calls.push("open"), { opened: true, tried: true, message: "opened" }),
    copy: async () => ({ ok: true, sure: true, message: "copied" }),
    linkFile: { write: async () => ({ ok: true, message: "written" }), writePage: async () => "file:///page", remove: async () => void calls.push("remove") },
    readClipboard: async () => ({ ok: false, message: "empty" }),
  };
  const { stdin, stdout } = terminal;
  const ended = runLogin({
    stdin, stdout, commands: fake.commands, subscribe: fake.bus.subscribe, clock, edges, login: {}, version: "0.1.0", reason: "sign in",
    autoOpen: true, ascii: false, ...more,
  });
  const code = (start: string): string => `${start}${"C".repeat(80)}#${fake.state()}`;
  return { ...terminal, fake, calls, ended, code, paste: (text: string) => terminal.press(`\u001b[200~${text}\u001b[201~`) };
};

describe("the sign-in on a terminal", () => {
  it("opens the page once, also when a second link is needed, and takes the link's file away", async () => {
    const { paste, press, code, fake, calls, ended, waitFor, bytes, screen, rawMode } = run();
    await waitFor("Paste code > _");
    await eventually(() => bytes().includes("\u001b[?2004h"), Boolean, { what: "bracketed paste" });
    paste(code("used"));
    await waitFor("Enter starts again with a new link.");
    press(enter);
    await eventually(() => fake.attempts.length, (count) => count === 2);
    await waitFor(/o open[^]*10:00 left/);
    paste(code("aB3x"));
    expect(await ended).toEqual({ outcome: "signed-in", accountId: "max" });
    expect(calls).toEqual(["open", "remove"]);
    expect(bytes()).toContain(`\n${authorizeUrl(fake.state())}\n`);
    await eventually(screen, (text) => !text.includes("Paste code"));
    expect(rawMode()).toBe(false);
  });

  it("is over before it begins when the program is stopping already", async () => {
    const { ended, fake, bytes } = run({ signal: AbortSignal.abort() });
    expect(await ended).toEqual({ outcome: "quit" });
    expect([fake.attempts.length, bytes()]).toEqual([0, ""]);
  });

  it("gives the terminal back when the program stops", async () => {
    const stop = new AbortController();
    const { ended, fake, waitFor, rawMode, screen } = run({ signal: stop.signal, autoOpen: false });
    await waitFor("Paste code > _");
    expect(rawMode()).toBe(true);
    stop.abort();
    expect(await ended).toEqual({ outcome: "quit" });
    expect([fake.cancelled, rawMode()]).toEqual([["attempt-1"], false]);
    await eventually(screen, (text) => !text.includes("Paste code"));
  });
});
