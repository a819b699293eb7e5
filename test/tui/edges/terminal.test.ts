import { describe, expect, it } from "vitest";
import type { TerminalSigns } from "../../../src/tui/edges/terminal.ts";
import { readTerminal } from "../../../src/tui/edges/terminal.ts";

const signs = (more: Partial<TerminalSigns> = {}): TerminalSigns => ({
  stdinIsTty: true,
  stdoutIsTty: true,
  env: { TERM: "xterm-256color", LANG: "en_US.UTF-8" },
  platform: "linux",
  headless: false,
  ascii: false,
  ...more,
});

const withEnv = (env: Record<string, string>, more: Partial<TerminalSigns> = {}) => readTerminal(signs({ env: { TERM: "xterm-256color", ...env }, ...more }));

describe("dashboard or lines", () => {
  it("two terminals may be drawn on", () => {
    expect(readTerminal(signs()).plainBecause).toBe(null);
  });

  it.each([
    ["piped input", { stdinIsTty: false }, "standard input is not a terminal"],
    ["piped output", { stdoutIsTty: false }, "standard output is not a terminal"],
    ["--headless", { headless: true }, "asked for by --headless"],
    ["TERM=dumb", { env: { TERM: "dumb" } }, "TERM is dumb"],
    ["CI=true", { env: { CI: "true" } }, "CI is set"],
    ["CI=1", { env: { CI: "1" } }, "CI is set"],
    ["a screen reader", { env: { INK_SCREEN_READER: "true" } }, "INK_SCREEN_READER is set"],
  ])("%s gets lines, and the reason in words", (_, more, reason) => {
    expect(readTerminal(signs(more)).plainBecause).toBe(reason);
  });

  it.each(["", "0", "false"])("CI=%j is no CI", (CI) => {
    expect(withEnv({ CI }).plainBecause).toBe(null);
  });
});

describe("colour", () => {
  it("NO_COLOR takes it away, unless FORCE_COLOR asks for it; an empty NO_COLOR says nothing", () => {
    expect(withEnv({}).colour).toBe(true);
    expect(withEnv({ NO_COLOR: "1" }).colour).toBe(false);
    expect(withEnv({ NO_COLOR: "" }).colour).toBe(true);
    expect(withEnv({ NO_COLOR: "1", FORCE_COLOR: "1" }).colour).toBe(true);
    expect(withEnv({ FORCE_COLOR: "0" }).colour).toBe(false);
    expect(withEnv({ TERM: "dumb" }).colour).toBe(false);
  });
});

describe("glyphs", () => {
  it("follow the locale in the order of POSIX", () => {
    expect(withEnv({ LANG: "de_DE.UTF-8" }).utf8).toBe(true);
    expect(withEnv({ LANG: "de_DE.utf8" }).utf8).toBe(true);
    expect(withEnv({ LC_ALL: "C", LANG: "de_DE.UTF-8" }).utf8).toBe(false);
    expect(withEnv({ LC_ALL: "", LC_CTYPE: "C.UTF-8", LANG: "C" }).utf8).toBe(true);
    expect(withEnv({}).utf8).toBe(false);
  });

  it("stay ASCII on the Linux console, with --ascii and on an old Windows console", () => {
    expect(withEnv({ TERM: "linux", LANG: "C.UTF-8" }).utf8).toBe(false);
    expect(withEnv({ LANG: "C.UTF-8" }, { ascii: true }).utf8).toBe(false);
    expect(withEnv({}, { platform: "win32" }).utf8).toBe(false);
    expect(withEnv({ WT_SESSION: "x" }, { platform: "win32" }).utf8).toBe(true);
  });
});

describe("where it runs", () => {
  it("knows SSH, tmux and WSL by their variables, empty ones not counted", () => {
    expect(withEnv({ SSH_CONNECTION: "1.2.3.4 1 5.6.7.8 22", TMUX: "/tmp/tmux,1,0" })).toMatchObject({ ssh: true, tmux: true, wsl: false });
    expect([withEnv({ SSH_TTY: "/dev/pts/1" }).ssh, withEnv({ SSH_CLIENT: "1.2.3.4 1 22" }).ssh]).toEqual([true, true]);
    expect(withEnv({ SSH_CONNECTION: "", TMUX: "" })).toMatchObject({ ssh: false, tmux: false });
    expect(withEnv({ WSL_DISTRO_NAME: "Debian" })).toMatchObject({ wsl: true, display: true });
  });

  it("sees a display on X11, Wayland, macOS and Windows, and none on a bare Linux", () => {
    expect(withEnv({}).display).toBe(false);
    expect(withEnv({ DISPLAY: ":0" }).display).toBe(true);
    expect(withEnv({ WAYLAND_DISPLAY: "wayland-0" }).display).toBe(true);
    expect(withEnv({}, { platform: "darwin" }).display).toBe(true);
    expect(withEnv({}, { platform: "win32" }).display).toBe(true);
  });
});
