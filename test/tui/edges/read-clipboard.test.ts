import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createClipboardReader } from "../../../src/tui/edges/read-clipboard.ts";
import type { Clipboard } from "../../../src/tui/edges/read-clipboard.ts";
import { createFakeClock } from "../../helpers/fake-clock.ts";

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
