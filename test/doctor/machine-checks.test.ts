// Node, terminal, clipboard, browser and clock: what is fine, what is worth a warning, and what to do about it.
import { describe, expect, it } from "vitest";
import { clockCheck, debuggerCheck, desktopChecks, nodeCheck, terminalChecks } from "../../src/doctor/machine-checks.ts";
import type { Machine } from "../../src/doctor/machine.ts";
import { readTerminal } from "../../src/tui/edges/terminal.ts";

const checks = (environment: Record<string, string>, machine: Partial<Pick<Machine, "size" | "tmux">> = {}, isTty = true) => {
  const facts = readTerminal({ stdinIsTty: isTty, stdoutIsTty: isTty, env: environment, platform: "linux", headless: false, ascii: false });
  return terminalChecks({ facts, environment, machine: { size: { columns: 80, rows: 24 }, tmux: null, ...machine } });
};
const one = (name: string, ...wish: Parameters<typeof checks>) => checks(...wish).find((finding) => finding.name === name);

const tmux = (version: string | null, setClipboard: string | null) => one("tmux", good, { tmux: { version, setClipboard, passthrough: "off" } })?.status;

const good = { TERM: "xterm-256color", LANG: "de_DE.UTF-8" };

describe("node", () => {
  it("is refused below 22.19", () => {
    expect(["22.18.9", "20.20.0", "22.19.0", "24.1.0", "30.0.0"].map((version) => nodeCheck(version).status)).toEqual(["problem", "problem", "ok", "ok", "ok"]);
  });
});

it("an open debugger is a warning", () => {
  expect(debuggerCheck("127.0.0.1:9229")).toMatchObject({ status: "warning", found: expect.stringContaining("open at 127.0.0.1:9229"), advice: expect.stringContaining("NODE_OPTIONS") });
  expect(debuggerCheck(null).status).toBe("ok");
});

describe("the terminal", () => {
  it("a usual one is fine in every respect", () => {
    expect(checks(good).filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it("one that cannot be drawn on is a warning, no terminal at all is not", () => {
    expect(one("terminal", { ...good, TERM: "dumb" })).toMatchObject({ status: "warning", found: expect.stringContaining("TERM is dumb") });
    expect(one("terminal", { LANG: "C.UTF-8" })).toMatchObject({ status: "warning", found: expect.stringContaining("without TERM") });
    expect(one("terminal", { ...good, CI: "true" })?.status).toBe("warning");
    expect(one("terminal", good, {}, false)).toMatchObject({ status: "ok", found: expect.stringContaining("log lines") });
  });

  it("names the variable that rules out UTF-8", () => {
    expect(one("utf-8", { ...good, LC_ALL: "C" })).toMatchObject({ status: "warning", found: expect.stringContaining("LC_ALL=C") });
  });

  it("measures its size", () => {
    expect(one("size", good, { size: { columns: 29, rows: 3 } })?.status).toBe("warning");
    expect(one("size", good, { size: { columns: 30, rows: 3 } })).toMatchObject({ status: "ok", found: "30x3" });
  });

  it("warns of a tmux that keeps the clipboard to itself", () => {
    expect(one("tmux", good, { tmux: { version: "tmux 3.3a", setClipboard: null, passthrough: "off" } })?.found).toBe("tmux 3.3a, set-clipboard unknown, allow-passthrough off");
    expect([tmux("tmux 3.3a", "external"), tmux("tmux master", "on")]).toEqual(["ok", "ok"]);
    expect([tmux("tmux 3.3a", "off"), tmux("tmux 3.1c", "on"), tmux("tmux 2.9", "on"), tmux(null, null)]).toEqual(["warning", "warning", "warning", "warning"]);
  });

  it("says over SSH whose clipboard and browser these are", () => {
    expect(one("ssh", { ...good, SSH_TTY: "/dev/pts/1" })).toMatchObject({ status: "ok", found: expect.stringContaining("not yours"), advice: expect.stringContaining("ssh -L") });
  });
});

const desktop = async (environment: Record<string, string>, programs: readonly string[], isTerminal = true) => {
  const facts = readTerminal({ stdinIsTty: isTerminal, stdoutIsTty: isTerminal, env: environment, platform: "linux", headless: false, ascii: false });
  const [clipboard, browser] = await desktopChecks({ facts, environment, platform: "linux", isTerminal, hasProgram: async (name) => programs.includes(name) });
  return { clipboard: clipboard?.found, status: clipboard?.status, browser: browser?.found };
};

describe("clipboard and browser", () => {
  it("inside tmux its own buffer comes first", async () => {
    expect((await desktop({ TMUX: "/tmp/x,1,0", DISPLAY: ":0" }, ["tmux", "xclip"])).clipboard).toContain("tmux load-buffer");
  });

  it("on a desktop the first tool that is installed, else the library", async () => {
    expect((await desktop({ DISPLAY: ":0" }, ["xsel"])).clipboard).toBe("xsel");
    expect((await desktop({ WAYLAND_DISPLAY: "w", DISPLAY: ":0" }, ["xsel", "wl-copy"])).clipboard).toBe("wl-copy");
    expect((await desktop({ DISPLAY: ":0" }, [])).clipboard).toContain("clipboardy");
    expect((await desktop({ DISPLAY: ":0" }, [])).browser).toBe("the desktop's own opener");
  });

  it("over SSH the terminal, never a tool of the wrong machine, and no browser", async () => {
    const { clipboard, browser } = await desktop({ SSH_TTY: "x", DISPLAY: ":0" }, ["xclip"]);
    expect(clipboard).toContain("OSC 52");
    expect(browser).toContain("over SSH");
  });

  it("without a display and a terminal there is no clipboard, which is a warning", async () => {
    expect((await desktop({}, [], false)).status).toBe("warning");
    expect((await desktop({}, [], false)).browser).toContain("no display");
  });
});

const now = Date.UTC(2027, 0, 1);
const clock = (more: Partial<Parameters<typeof clockCheck>[0]>) => clockCheck({ now, installedAt: now - 1000, newestFileAt: now - 1000, ...more });

describe("the clock", () => {
  it("a clock after everything of ours is fine, a few seconds of a file server's do not count", () => {
    expect(clock({}).status).toBe("ok");
    expect(clock({ newestFileAt: now + 30_000 }).status).toBe("ok");
  });

  it("a clock before our files, or before the program was installed, is a warning with the gap", () => {
    expect(clock({ newestFileAt: now + 7_200_000 })).toMatchObject({ status: "warning", found: expect.stringContaining("2h0m before the newest file") });
    expect(clock({ installedAt: now + 7_200_000 })).toMatchObject({ status: "warning", found: expect.stringContaining("installed") });
  });

  it("a clock before the program was made is a problem", () => {
    expect(clock({ now: 0 })).toMatchObject({ status: "problem", found: expect.stringContaining("1970-01-01") });
  });
});
