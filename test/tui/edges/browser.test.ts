import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { createBrowserOpener } from "../../../src/tui/edges/browser.ts";
import type { BrowserDeps, Opener } from "../../../src/tui/edges/browser.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

const setUp = (more: Partial<BrowserDeps> = {}) => {
  const clock = createFakeClock();
  const opened: string[] = [];
  const child = Object.assign(new EventEmitter(), { exitCode: null as number | null });
  const open = async (url: string): Promise<Opener> => (opened.push(url), child as unknown as Opener);
  return { clock, opened, child, openBrowser: createBrowserOpener({ env: { DISPLAY: ":0" }, platform: "linux", clock, open, ...more }) };
};

const failed = { opened: false, tried: true, message: "Could not open a browser, use the link above." };
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

describe("opening the page", () => {
  it.each([
    ["over SSH", { env: { SSH_CONNECTION: "x", DISPLAY: ":0" } }, /over SSH/],
    ["without a display", { env: {} }, /no display/],
    ["with BROWSER=none", { env: { DISPLAY: ":0", BROWSER: "none" } }, /BROWSER=none/],
    ["over SSH into a Mac", { env: { SSH_TTY: "x" }, platform: "darwin" as const }, /over SSH/],
  ])("is not even tried %s, and the reason is said", async (_, more, reason) => {
    const { openBrowser, opened } = setUp(more);
    expect(await openBrowser("https://x.example/")).toEqual({ opened: false, tried: false, message: expect.stringMatching(reason) as string });
    expect(opened).toEqual([]);
  });

  it("is tried under WSL, which has no display of its own", async () => {
    const { openBrowser, child, opened } = setUp({ env: { WSL_DISTRO_NAME: "Debian" } });
    const result = openBrowser("https://x.example/");
    await settle();
    child.emit("exit", 0);
    expect(await result).toMatchObject({ opened: true });
    expect(opened).toEqual(["https://x.example/"]);
  });

  it("an opener that gives up a second later is a failure, not a success", async () => {
    const { openBrowser, child, clock } = setUp();
    const result = openBrowser("https://x.example/");
    await clock.advance(1500);
    child.emit("exit", 3);
    expect(await result).toEqual(failed);
    expect(clock.pendingTimers()).toBe(0);
  });

  it("one that still runs after three seconds is believed", async () => {
    const { openBrowser, clock } = setUp();
    const result = openBrowser("https://x.example/");
    await clock.advance(3000);
    expect(await result).toEqual({ opened: true, tried: true, message: "The page should be open in your browser." });
  });

  it("an error, an opener that had ended before it was watched, and a loader that throws are failures", async () => {
    const erring = setUp();
    const result = erring.openBrowser("https://x.example/");
    await settle();
    erring.child.emit("error", new Error("ENOENT"));
    expect(await result).toEqual(failed);
    const early = setUp();
    early.child.exitCode = 4;
    expect(await early.openBrowser("https://x.example/")).toEqual(failed);
    const broken = setUp({ open: () => Promise.reject(new Error("no xdg-open")) });
    expect(await broken.openBrowser("https://x.example/")).toEqual(failed);
  });

  it("a page of our own is made only when a browser is tried, and a failure to make it is one to open", async () => {
    const [made, make] = [[] as string[], async () => (made.push("made"), "file:///own/page.html")];
    const remote = setUp({ env: { SSH_TTY: "/dev/pts/1" } });
    expect(await remote.openBrowser(make)).toMatchObject({ tried: false });
    expect(made).toEqual([]);
    const { openBrowser, child, opened } = setUp();
    child.exitCode = 0;
    expect([await openBrowser(make), opened]).toEqual([{ opened: true, tried: true, message: "The page should be open in your browser." }, ["file:///own/page.html"]]);
    expect(await openBrowser(() => Promise.reject(new Error("EACCES")))).toEqual(failed);
  });

  it("nothing but a web address is handed to the opener", async () => {
    const { openBrowser, opened } = setUp();
    for (const url of ["file:///etc/passwd", "--help", "/bin/sh", "javascript:alert(1)", ""]) expect(await openBrowser(url)).toEqual(failed);
    expect(opened).toEqual([]);
  });
});
