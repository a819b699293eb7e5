// Clipboard and browser: what would be used is said, nothing is used.
import { describe, expect, it } from "vitest";
import { desktopChecks } from "../../src/doctor/desktop-checks.ts";
import { readTerminal } from "../../src/tui/edges/terminal.ts";

const found = async (environment: Record<string, string>, programs: readonly string[], isTerminal = true) => {
  const facts = readTerminal({ stdinIsTty: isTerminal, stdoutIsTty: isTerminal, env: environment, platform: "linux", headless: false, ascii: false });
  const [clipboard, browser] = await desktopChecks({ facts, environment, platform: "linux", isTerminal, hasProgram: async (name) => programs.includes(name) });
  return { clipboard: clipboard?.found, status: clipboard?.status, browser: browser?.found };
};

describe("clipboard and browser", () => {
  it("inside tmux its own buffer comes first", async () => {
    expect((await found({ TMUX: "/tmp/x,1,0", DISPLAY: ":0" }, ["tmux", "xclip"])).clipboard).toContain("tmux load-buffer");
  });

  it("on a desktop the first tool that is installed, else the library", async () => {
    expect((await found({ DISPLAY: ":0" }, ["xsel"])).clipboard).toBe("xsel");
    expect((await found({ WAYLAND_DISPLAY: "w", DISPLAY: ":0" }, ["xsel", "wl-copy"])).clipboard).toBe("wl-copy");
    expect((await found({ DISPLAY: ":0" }, [])).clipboard).toContain("clipboardy");
    expect((await found({ DISPLAY: ":0" }, [])).browser).toBe("the desktop's own opener");
  });

  it("over SSH the terminal, never a tool of the wrong machine, and no browser", async () => {
    const { clipboard, browser } = await found({ SSH_TTY: "x", DISPLAY: ":0" }, ["xclip"]);
    expect(clipboard).toContain("OSC 52");
    expect(browser).toContain("over SSH");
  });

  it("without a display and a terminal there is no clipboard, which is a warning", async () => {
    expect((await found({}, [], false)).status).toBe("warning");
    expect((await found({}, [], false)).browser).toContain("no display");
  });
});
