// The helpers that every end-to-end test leans on: they must see what is there, say what was missing,
// and leave no process behind.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import { startProgram } from "../helpers/program.ts";
import { openTerminal } from "../helpers/terminal.ts";
import { hasTmux, startTmux } from "../helpers/tmux.ts";

const script = (text: string): string => {
  const path = join(temporaryFolder(), "script.mjs");
  writeFileSync(path, text);
  return path;
};

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("eventually", () => {
  it("gives the first value that fits, and says the last one when none does", async () => {
    let count = 0;
    expect(await eventually(() => (count += 1), (seen) => seen > 2)).toBe(3);
    await expect(eventually(() => "the last thing", () => false, { within: 30, what: "a miracle" })).rejects.toThrow(/a miracle.*\nthe last thing/);
  });
});

describe("a program", () => {
  it("is waited for by line, by event and by its end, with a clean environment", async () => {
    const program = startProgram({
      script: script(`console.error("home", process.env.HOME, process.env.CI ?? "no ci"); console.log('{"type":"server.listening","url":"u"}');
        process.stdin.on("data", (d) => { console.log("got " + d); process.exit(7); });`),
    });
    expect(await program.waitForLine("home")).toBe(`home ${program.home} no ci`);
    expect(await program.waitForEvent("server.listening")).toMatchObject({ url: "u" });
    program.write("x\n");
    expect(await program.waitForExit()).toEqual({ code: 7, signal: null });
    expect(program.stdout()).toContain("got x");
  });

  it("that ends without the line is reported with what it said", async () => {
    const program = startProgram({ script: script(`console.error("my last words")`) });
    await expect(program.waitForLine("never")).rejects.toThrow(/ended before a line with never[^]*my last words/);
  });

  it("takes its children with it when it is stopped", async () => {
    const program = startProgram({
      script: script(`import { spawn } from "node:child_process"; const c = spawn("sleep", ["600"]); console.log("child " + c.pid); setInterval(() => {}, 1000);`),
    });
    const child = Number((await program.waitForLine("child")).split(" ")[1]);
    await program.stop();
    expect(await eventually(() => alive(child), (seen) => !seen)).toBe(false);
  });
});

describe("a terminal", () => {
  it("shows cells, cursor, modes and the exit code", async () => {
    const terminal = openTerminal({
      cols: 20,
      rows: 4,
      args: ["-e", `process.stdout.write("\\u001b[1mbold\\u001b[0m\\r\\n" + "x".repeat(25) + "\\u001b[?2004h\\u001b[?25l\\u001b[?1049h"); process.stdin.once("data", () => process.exit(3))`],
    });
    await eventually(() => terminal.alternate(), Boolean);
    expect(terminal.cursor().visible).toBe(false);
    expect(terminal.bracketedPaste()).toBe(true);
    terminal.write("\r");
    expect(await terminal.waitForExit()).toBe(3);
  });

  it("joins soft-wrapped rows and prints the screen when something does not come", async () => {
    const terminal = openTerminal({ cols: 20, rows: 4, args: ["-e", `process.stdout.write("\\u001b[1mbold\\u001b[0m " + "x".repeat(25) + "\\n"); setInterval(() => {}, 1000)`] });
    await terminal.waitFor("xxxxx");
    expect(terminal.everything()).toContain(`bold ${"x".repeat(25)}`);
    expect([terminal.cell(0, 0).bold, terminal.cell(5, 0).bold]).toEqual([true, false]);
    await expect(terminal.waitFor("nowhere", { within: 50 })).rejects.toThrow(/bold xxx/);
  });
});

describe.skipIf(!hasTmux)("tmux (needs tmux)", () => {
  it("types, captures and resizes, and its server ends with it", async () => {
    const tmux = startTmux({ cols: 30, rows: 5, command: ["sh", "-c", "echo hello; read x; echo got $x; stty size; sleep 600"] });
    await tmux.waitFor("hello");
    tmux.resize(40, 6);
    tmux.literal("abc");
    tmux.keys("Enter");
    await tmux.waitFor("got abc");
    expect(await tmux.waitFor("6 40")).toContain("hello");
    const server = Number(tmux.ask("#{pid}"));
    tmux.stop();
    expect(await eventually(() => alive(server), (seen) => !seen)).toBe(false);
  });
});
