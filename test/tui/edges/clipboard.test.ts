import { EventEmitter } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createSystemClock } from "../../../src/lib/clock.ts";
import { createClipboardReader, createCopier, spawnTool } from "../../../src/tui/edges/clipboard.ts";
import type { Clipboard, CopierDeps, Tool } from "../../../src/tui/edges/clipboard.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";
import { temporaryFolder } from "../../helpers/leftovers.ts";

/** What each tool does: end with a code, be missing, or never end. */
type Ends = Readonly<Record<string, number | "missing" | "hangs">>;

const setUp = (ends: Ends, more: Partial<CopierDeps> = {}) => {
  const clock = createFakeClock();
  const ran: string[] = [];
  const given: string[] = [];
  const written: string[] = [];
  const killed: string[] = [];
  const copy = createCopier({
    env: {},
    platform: "linux",
    clock,
    stdout: { isTTY: true, write: (text) => written.push(text) },
    load: () => Promise.reject(new Error("no library")),
    spawn: (command, args) => {
      ran.push([command, ...args].join(" "));
      const tool = new EventEmitter();
      const end = ends[command] ?? "missing";
      if (end === "missing") queueMicrotask(() => tool.emit("error", new Error("ENOENT")));
      else if (end !== "hangs") queueMicrotask(() => tool.emit("exit", end));
      return Object.assign(tool, { stdin: { end: (text: string) => given.push(text), on: () => {} }, kill: () => killed.push(command) }) as unknown as Tool;
    },
    ...more,
  });
  return { copy, clock, ran, given, written, killed };
};

const osc52 = (text: string): string => `\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`;

describe("copying out", () => {
  it("inside tmux goes through tmux, also over SSH, and claims no more than it knows", async () => {
    const { copy, clock, ran, given, written } = setUp({ tmux: 0 }, { env: { TMUX: "x", SSH_TTY: "y" } });
    const { ok, sure, message } = await copy("the link");
    expect([ok, sure, message]).toEqual([true, false, "Sent to tmux (prefix ] pastes it) and to the terminal clipboard"]);
    expect([ran, given, written, clock.pendingTimers()]).toEqual([["tmux load-buffer -w -"], ["the link"], [], 0]);
  });

  it("with a tmux too old for -w falls back to the terminal over SSH", async () => {
    const { copy, written } = setUp({ tmux: 1 }, { env: { TMUX: "x", SSH_CONNECTION: "y" } });
    expect((await copy("ä")).message).toBe("Sent to the terminal clipboard");
    expect(written).toEqual([osc52("ä")]);
  });

  it("over SSH never asks a tool of the machine on the other side, even where there is one", async () => {
    const { copy, ran, written } = setUp({ pbcopy: 0 }, { env: { SSH_TTY: "x" }, platform: "darwin" });
    expect(await copy("link")).toMatchObject({ ok: true, sure: false });
    expect([ran, written]).toEqual([[], [osc52("link")]]);
  });

  it.each([
    ["macOS", { platform: "darwin" as const }, "pbcopy"],
    ["Windows", { platform: "win32" as const }, "clip.exe"],
    ["Wayland", { env: { WAYLAND_DISPLAY: "w" } }, "wl-copy"],
    ["X11", { env: { DISPLAY: ":0" } }, "xclip -selection clipboard -in"],
    ["WSL", { env: { WSL_DISTRO_NAME: "Debian" } }, "clip.exe"],
    ["Termux", { env: { TERMUX_VERSION: "1" } }, "termux-clipboard-set"],
  ])("on %s uses the desktop's own tool and is sure of it", async (_, more, command) => {
    const { copy, ran } = setUp({ [command.split(" ")[0] ?? ""]: 0 }, more);
    expect(await copy("link")).toEqual({ ok: true, sure: true, message: "Copied to the clipboard" });
    expect(ran).toEqual([command]);
  });

  it("a tool that is missing or fails gives way to the next, then to the library, then to the terminal", async () => {
    const { copy, ran, written } = setUp(
      { xclip: "missing", xsel: 1 },
      { env: { DISPLAY: ":0" } },
    );
    expect(await copy("link")).toMatchObject({ sure: false, message: "Sent to the terminal clipboard" });
    expect([ran.length, written]).toEqual([2, [osc52("link")]]);
  });

  it("the library is loaded only when no tool of the system was there", async () => {
    const kept: string[] = [];
    const load = async () => ({ write: async (text: string) => void kept.push(text) });
    const { copy } = setUp({}, { env: { DISPLAY: ":0" }, load });
    expect(await copy("link")).toMatchObject({ ok: true, sure: true });
    const withTool = setUp({ xclip: 0 }, { env: { DISPLAY: ":0" }, load });
    await withTool.copy("again");
    expect(kept).toEqual(["link"]);
  });

  it("a tool that never ends is killed after a second", async () => {
    const { copy, clock, killed, written } = setUp({ "wl-copy": "hangs" }, { env: { WAYLAND_DISPLAY: "w" } });
    const copied = copy("link");
    await clock.advance(999);
    expect(killed).toEqual([]);
    await clock.advance(1);
    expect(await copied).toMatchObject({ sure: false });
    expect([killed, written.length, clock.pendingTimers()]).toEqual([["wl-copy"], 1, 0]);
  });

  it("nor is the library waited for longer", async () => {
    const { copy, clock } = setUp({}, { env: { DISPLAY: ":0" }, load: async () => ({ write: () => new Promise(() => {}) }) });
    const copied = copy("link");
    await clock.advance(1000);
    expect([await copied, clock.pendingTimers()]).toEqual([{ ok: true, sure: false, message: "Sent to the terminal clipboard" }, 0]);
  });

  it("says so when nothing can take the text", async () => {
    const piped = setUp({}, { stdout: { isTTY: false, write: () => expect.unreachable("nothing may be written into a pipe") } });
    expect(await piped.copy("link")).toEqual({ ok: false, sure: true, message: "There is no clipboard here" });
    const long = setUp({});
    expect(await long.copy("x".repeat(74_995))).toMatchObject({ ok: false, message: "Too long for the terminal clipboard" });
    expect(long.written).toEqual([]);
  });

  it("gives a real tool the whole text and waits for its end", async () => {
    const folder = temporaryFolder();
    const tool = join(folder, "pbcopy");
    writeFileSync(tool, `#!/bin/sh\ncat > ${folder}/copied\n`);
    chmodSync(tool, 0o755);
    const spawn: CopierDeps["spawn"] = (command, args) => spawnTool(join(folder, command), args);
    const copy = createCopier({ env: {}, platform: "darwin", clock: createSystemClock(), stdout: { write: () => {} }, spawn, load: () => Promise.reject(new Error("no library")) });
    expect(await copy("x".repeat(20_000))).toMatchObject({ sure: true });
    expect(readFileSync(join(folder, "copied"), "utf8")).toHaveLength(20_000);
    writeFileSync(tool, "#!/bin/sh\nexec 0<&-\nexit 1\n");
    expect(await copy("y".repeat(200_000))).toMatchObject({ ok: false });
  });
});

const reader = (read: () => Promise<string>, env: Record<string, string> = {}) => {
  const clock = createFakeClock();
  let loads = 0;
  const load = async (): Promise<Clipboard> => ((loads += 1), { read, write: async () => {} });
  return { clock, readClipboard: createClipboardReader({ env, clock, load }), loads: () => loads };
};

const code = `${"A".repeat(80)}#${"b".repeat(43)}`;

describe("reading the clipboard", () => {
  it("loads nothing before it is asked, and reads once each time", async () => {
    let reads = 0;
    const { readClipboard, loads } = reader(async () => ((reads += 1), code));
    expect([loads(), reads]).toEqual([0, 0]);
    await readClipboard();
    expect([loads(), reads]).toEqual([1, 1]);
  });

  it("says how much was taken and what it looks like, never the text, which is a secret", async () => {
    const { readClipboard } = reader(async () => code);
    const taken = await readClipboard();
    expect(taken).toMatchObject({ ok: true, message: "Clipboard: 124 characters, looks like a code." });
    expect(inspect(taken) + JSON.stringify(taken)).not.toContain("AAAA");
    expect(taken.ok && taken.text.reveal()).toBe(code);
  });

  it("knows a callback link for a code, and a shopping list for something else", async () => {
    const link = reader(async () => "https://x.example/callback?code=abc&state=def");
    expect((await link.readClipboard()).message).toContain("looks like a code");
    const list = reader(async () => "milk, bread");
    expect((await list.readClipboard()).message).toBe("Clipboard: 11 characters, does not look like a code.");
  });

  it("over SSH refuses in a sentence, without looking", async () => {
    const { readClipboard, loads } = reader(async () => code, { SSH_CONNECTION: "x" });
    expect(await readClipboard()).toEqual({ ok: false, message: "The clipboard of this machine is not yours (SSH). Paste into the terminal instead." });
    expect(loads()).toBe(0);
  });

  it("an empty clipboard, a missing tool and one that never answers have a sentence each; no complaint of a tool is quoted", async () => {
    expect(await reader(async () => " \n").readClipboard()).toEqual({ ok: false, message: "The clipboard is empty." });
    const broken = await reader(() => Promise.reject(new Error(`xsel choked on ${code}`))).readClipboard();
    expect(broken).toEqual({ ok: false, message: "The clipboard cannot be read here. Paste into the terminal instead." });
    const { readClipboard, clock } = reader(() => new Promise(() => {}));
    const waiting = readClipboard();
    await clock.advance(2000);
    expect(await waiting).toMatchObject({ ok: false });
    expect(clock.pendingTimers()).toBe(0);
  });
});
