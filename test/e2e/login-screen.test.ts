// The sign-in in a real terminal: what a person pastes arrives, what they see is a mask, and the terminal
// is given back whole after every way out.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { temporaryFolder } from "../helpers/leftovers.ts";
import type { Terminal } from "../helpers/terminal.ts";
import { openTerminal } from "../helpers/terminal.ts";
import { authorizeUrl } from "../fixtures/fake-login.ts";

const fixture = join(import.meta.dirname, "../fixtures/login-screen.ts");
const hooks = join(import.meta.dirname, "../helpers/tsx-hooks.ts");
const state = `9f3c${"s".repeat(38)}1`;
const code = (start = "aB3x"): string => `${start}${"Q".repeat(80)}#${state}`;

type Open = { readonly cols?: number; readonly rows?: number; readonly env?: Record<string, string> };

// A shell around it, so that the terminal's own settings can be read when the screen has gone.
const open = async ({ cols = 80, rows = 24, env = {} }: Open = {}) => {
  const home = temporaryFolder();
  const record = join(home, "record");
  const shell = `before=$(stty -g); node --import ${hooks} ${fixture}; echo "code $?"; [ "$(stty -g)" = "$before" ] && echo "terminal as before"`;
  const terminal = openTerminal({ command: "sh", args: ["-c", shell], cols, rows, home, env: { NODE_ENV: "production", RECORD: record, ...env } });
  await terminal.waitFor("Paste code >");
  await eventually(() => terminal.bracketedPaste(), Boolean, { what: "bracketed paste" });
  return { terminal, home, recorded: () => (existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as { submitted: string[]; cancelled: string[] }) : null) };
};

const finish = async (terminal: Terminal, end: string): Promise<void> => {
  expect(await terminal.waitForExit()).toBe(0);
  const text = terminal.everything();
  expect(text).toContain(`end: ${end}`);
  expect(text).toContain("terminal as before");
  expect(terminal.cursor().visible).toBe(true);
  expect([terminal.bracketedPaste(), terminal.mouse(), terminal.alternate()]).toEqual([false, false, false]);
  expect(text, "the live rows are gone").not.toContain("Paste code >");
};

describe("signing in", () => {
  it.each([[120, 30], [80, 24], [40, 10], [30, 3]])("works at %i by %i: link above, paste, signed in, terminal given back", async (cols, rows) => {
    const { terminal, recorded } = await open({ cols, rows });
    terminal.paste(`${code()}\r`);
    await finish(terminal, '{"outcome":"signed-in","accountId":"max"}');
    expect(terminal.everything().split("\n")).toContain(authorizeUrl(state));
    expect(recorded()?.submitted).toEqual([code()]);
  });

  it("takes a paste without brackets, 5,000 characters in pieces and 70 kB, each as one", async () => {
    const { terminal, recorded } = await open();
    terminal.write(`${"L".repeat(2048)}`);
    terminal.write(`${"L".repeat(2952)}`);
    await terminal.waitFor("Too long (5 000 characters)");
    terminal.write("\u001b");
    await terminal.waitFor("Paste code > _");
    terminal.paste("M".repeat(70_000));
    await terminal.waitFor("Too long (70 000 characters)");
    terminal.write(`${code()}\n`);
    await finish(terminal, '{"outcome":"signed-in","accountId":"max"}');
    expect(recorded()?.submitted).toHaveLength(3);
  });

  it("never shows or keeps the code: not on the screen, not in what was ever written", async () => {
    const { terminal, home } = await open();
    terminal.paste(code("net"));
    await terminal.waitFor("ENOTFOUND");
    expect(terminal.screen()).toContain("netQ...(127)#9f3c ok");
    terminal.write("r");
    await finish(terminal, '{"outcome":"signed-in","accountId":"max"}');
    for (const seen of [terminal.bytes(), terminal.everything()]) expect(seen).not.toContain("QQQQQQ");
    expect(existsSync(join(home, "sign-in-link.txt"))).toBe(false);
  });

  it("a refused code leads to a new link, written anew above the field", async () => {
    const { terminal } = await open();
    terminal.paste(code("used"));
    await terminal.waitFor("Enter starts again with a new link.");
    terminal.write("\r");
    await terminal.waitFor((screen) => screen.includes("o open") && !screen.includes("new link"));
    const second = `${state.slice(0, -1)}2`;
    expect(terminal.everything().split("\n")).toContain(authorizeUrl(second));
    terminal.paste(code().replace(state, second));
    await finish(terminal, '{"outcome":"signed-in","accountId":"max"}');
  });

  it("an attempt that times out offers a new link; Esc gives up", async () => {
    const { terminal } = await open({ env: { LIFETIME: "1500" } });
    await terminal.waitFor("This sign-in has timed out. Enter starts again");
    terminal.write("\u001b");
    await finish(terminal, '{"outcome":"cancelled"}');
  });
});

describe("help from outside", () => {
  it("c sends the link to the terminal's clipboard and does not claim that it arrived", async () => {
    const { terminal } = await open();
    terminal.write("c");
    await terminal.waitFor("Sent to the terminal clipboard (press u if paste is empty).");
    expect(terminal.bytes()).toContain(`\u001b]52;c;${Buffer.from(authorizeUrl(state)).toString("base64")}\u0007`);
    terminal.write("\u0003");
    await finish(terminal, '{"outcome":"quit"}');
  });

  it("u writes the link to a private file that goes with the screen, o and v say why they cannot", async () => {
    const { terminal, home } = await open({ cols: 120, env: { SSH_TTY: "/dev/pts/9" } });
    const path = join(home, "sign-in-link.txt");
    terminal.write("u");
    await terminal.waitFor("The link is in");
    expect(readFileSync(path, "utf8")).toBe(`${authorizeUrl(state)}\n`);
    terminal.write("o");
    await terminal.waitFor("No browser is opened over SSH");
    terminal.write("v");
    await terminal.waitFor("The clipboard of this machine is not yours (SSH).");
    terminal.write("\u001b");
    await finish(terminal, '{"outcome":"cancelled"}');
    expect(existsSync(path)).toBe(false);
  });
});

describe("every way out gives the terminal back", () => {
  it("Ctrl+C while waiting, and while exchanging", async () => {
    const { terminal, recorded } = await open();
    terminal.paste(code("slow"));
    await terminal.waitFor("Exchanging the code ... 1s");
    terminal.write("\u0003");
    await finish(terminal, '{"outcome":"quit"}');
    expect(recorded()?.cancelled).toEqual(["attempt-1"]);
  });

  it.each([["SIGTERM", '{"outcome":"quit"}'], ["SIGUSR2", '{"outcome":"signed-in","accountId":"max"}']] as const)("%s (a stop, a browser that came back)", async (signal, end) => {
    const { terminal } = await open();
    const pid = readFileSync(`/proc/${terminal.pid}/task/${terminal.pid}/children`, "utf8").trim().split(" ").map(Number)[0] ?? 0;
    process.kill(pid, signal);
    await finish(terminal, end);
  });
});

describe("the live rows", () => {
  it("survive a window that gets narrower and wider: one field, no half frames", async () => {
    const { terminal } = await open({ cols: 120, rows: 30 });
    for (const cols of [100, 81, 120, 90, 80]) terminal.resize(cols, 30);
    terminal.paste("abcdefghijkl");
    await terminal.waitFor("Not complete");
    const count = (text: string): number => terminal.everything().split(text).length - 1;
    expect([count("Paste code >"), count("Ctrl+C quit"), count("-----")]).toEqual([1, 1, Math.floor(78 / 5)]);
    terminal.write("\u0003");
    await finish(terminal, '{"outcome":"quit"}');
  });

  it("NO_COLOR as the launcher maps it leaves no colour", async () => {
    const { terminal } = await open({ env: { FORCE_COLOR: "0" } });
    terminal.paste("abcdefghijkl");
    await terminal.waitFor("x Not complete");
    // oxlint-disable-next-line no-control-regex -- the colours to look for
    expect(terminal.bytes()).not.toMatch(/\u001b\[[\d;]*m/);
  });
});
