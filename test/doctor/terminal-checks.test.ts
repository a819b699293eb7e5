// Node and the terminal: what is fine, what is worth a warning, and what to do about it.
import { describe, expect, it } from "vitest";
import { nodeCheck, terminalChecks } from "../../src/doctor/terminal-checks.ts";
import { readTerminal } from "../../src/tui/edges/terminal.ts";
import type { Machine } from "../../src/doctor/machine.ts";

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
    expect([tmux("tmux 3.3a", "external"), tmux("tmux 3.3a", "off"), tmux("tmux 3.1c", "on"), tmux("tmux 2.9", "on"), tmux("tmux master", "on"), tmux(null, null)]).toEqual(["ok", "warning", "warning", "warning", "ok", "warning"]);
  });

  it("says over SSH whose clipboard and browser these are", () => {
    expect(one("ssh", { ...good, SSH_TTY: "/dev/pts/1" })).toMatchObject({ status: "ok", found: expect.stringContaining("not yours"), advice: expect.stringContaining("ssh -L") });
  });
});
