// The sign-in where it is really used: in a tmux pane, with tmux's own ways of wrapping, pasting,
// copying and killing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { authorizeUrl } from "../fixtures/fake-login.ts";
import { eventually } from "../helpers/eventually.ts";
import { hasTmux, startTmux } from "../helpers/tmux.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";

const fixture = join(import.meta.dirname, "../fixtures/login-screen.ts");
const hooks = join(import.meta.dirname, "../helpers/tsx-hooks.ts");
const state = `9f3c${"s".repeat(38)}1`;
const code = `aB3x${"Q".repeat(80)}#${state}`;

const open = async (cols: number, rows: number) => {
  const home = temporaryFolder();
  const record = join(home, "record");
  const shell = `node --import ${hooks} ${fixture}; echo "code $?"; stty -a | tr ' ' '\\n' | grep -E '^-?(icanon|echo|isig);?$'; sleep 600`;
  const tmux = startTmux({ command: ["sh", "-c", shell], cols, rows, home, env: { NODE_ENV: "production", RECORD: record } });
  await tmux.waitFor("Paste code >");
  return { tmux, home, submitted: () => (JSON.parse(readFileSync(record, "utf8")) as { submitted: string[] }).submitted };
};

describe.skipIf(!hasTmux)("signing in inside tmux (needs tmux)", () => {
  it.each([[40, 10], [80, 24], [120, 30]])("at %i by %i the link can be copied out of the pane whole", async (cols, rows) => {
    const { tmux } = await open(cols, rows);
    const lines = tmux.capture({ joined: true, scrollback: true }).split("\n").map((line) => line.trimEnd());
    expect(lines).toContain(authorizeUrl(state));
  });

  it("takes tmux's paste with and without brackets, with line breaks turned into carriage returns", async () => {
    const { tmux, submitted } = await open(80, 24);
    tmux.paste("half of a code\n", { bracketed: false });
    await tmux.waitFor("Not complete");
    tmux.paste("L".repeat(5000), { bracketed: false });
    await tmux.waitFor("Too long (5 000 characters)");
    tmux.paste("M".repeat(70_000), { bracketed: false });
    await tmux.waitFor("Too long (70 000 characters)");
    tmux.paste("N".repeat(70_000));
    await tmux.waitFor("NNNN...(70000 characters)");
    tmux.paste(`${code}\n`, { bracketed: true });
    await tmux.waitFor('end: {"outcome":"signed-in","accountId":"max"}');
    expect(submitted().map((text) => text.length)).toEqual([14, 5000, 70_000, 70_000, code.length]);
    expect(tmux.capture({ joined: true, scrollback: true })).not.toContain("QQQQQQ");
  });

  it("gives the pane back: cursor on, line editing and echo on, primary screen", async () => {
    const { tmux } = await open(80, 24);
    expect(tmux.ask("#{cursor_flag}")).toBe("0");
    tmux.keys("Escape");
    await tmux.waitFor('end: {"outcome":"cancelled"}');
    await tmux.waitFor(/^echo;?$/m);
    expect(tmux.capture()).toMatch(/^isig;?$/m);
    expect(tmux.capture()).toMatch(/^icanon;?$/m);
    expect([tmux.ask("#{cursor_flag}"), tmux.ask("#{alternate_on}")]).toEqual(["1", "0"]);
  });

  it("copies the link into tmux's own buffer, where an application's OSC 52 would be dropped", async () => {
    const { tmux } = await open(80, 24);
    tmux.keys("c");
    await tmux.waitFor("Sent to tmux (prefix ] pastes it)");
    expect(tmux.buffer()).toBe(authorizeUrl(state));
  });

  it("leaves one clean frame after a storm of sizes", async () => {
    const { tmux } = await open(120, 30);
    for (const cols of [100, 82, 119, 90, 110, 80]) tmux.resize(cols, 30);
    await tmux.waitFor("Paste code > _");
    tmux.paste("half of a code");
    await tmux.waitFor("Not complete");
    const text = tmux.capture({ scrollback: true });
    expect([text.split("Paste code >").length, text.split("Ctrl+C quit").length]).toEqual([2, 2]);
    expect(text.split("\n").filter((row) => /^-+$/.test(row.trim()))).toEqual(["-".repeat(78)]);
  });

  it("a killed pane leaves no process behind", async () => {
    const { tmux } = await open(80, 24);
    const shell = Number(tmux.ask("#{pane_pid}"));
    const child = Number(readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").trim().split(" ").at(-1));
    expect(child).toBeGreaterThan(0);
    tmux.killPane();
    const command = (): string => {
      try {
        return readFileSync(`/proc/${child}/cmdline`, "utf8");
      } catch {
        return "";
      }
    };
    expect(await eventually(command, (seen) => seen === "", { what: "the end of the screen's process" })).toBe("");
  });
});
