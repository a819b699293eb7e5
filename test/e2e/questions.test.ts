// The two questions that may come before the dashboard, in a real terminal.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { openTerminal } from "../helpers/terminal.ts";

const fixture = join(import.meta.dirname, "../fixtures/choice-screen.ts");
const hooks = join(import.meta.dirname, "../helpers/tsx-hooks.ts");

const open = async (screen: "terms" | "port-taken", cols = 80, rows = 24) => {
  const terminal = openTerminal({ args: ["--import", hooks, fixture], cols, rows, env: { NODE_ENV: "production", SCREEN: screen } });
  await terminal.waitFor("press ");
  await eventually(() => terminal.rawMode(), Boolean, { what: "raw mode" });
  return terminal;
};

const finish = async (terminal: Awaited<ReturnType<typeof open>>, answer: string): Promise<void> => {
  expect(await terminal.waitForExit()).toBe(0);
  expect(terminal.everything()).toContain(`answer: ${answer}`);
  expect(terminal.everything()).not.toContain("press ");
  expect([terminal.cursor().visible, terminal.bracketedPaste()]).toEqual([true, false]);
};

describe("the provider's terms", () => {
  it.each([["y", "go-on"], ["K", "api-key"], ["p", "pass-through"], ["q", "quit"], ["\u0003", "quit"], ["\u001b", "quit"]])("key %j answers %s", async (key, answer) => {
    const terminal = await open("terms");
    terminal.write(key);
    await finish(terminal, answer);
  });

  it("neither Enter nor any other key agrees to anything", async () => {
    const terminal = await open("terms", 40, 12);
    for (const key of ["\r", "\n", " ", "x", "\u001b[A"]) terminal.write(key);
    // A piece of several characters is a paste, and no key: q is pressed until it comes alone.
    await eventually(() => (terminal.write("q"), terminal.everything()), (text) => text.includes("answer:"), { what: "an answer" });
    await finish(terminal, "quit");
  });
});

describe("a taken port", () => {
  it("says who holds it and what can be done", async () => {
    const terminal = await open("port-taken", 80, 12);
    expect(terminal.rows().slice(0, 9)).toEqual([
      "claude-oauth-proxy 0.1.0",
      "",
      "x Port 4001 on 127.0.0.1 is already in use.",
      "  It is another claude-oauth-proxy of yours (0.1.0, up 2h04m).",
      "",
      "  a  use that one (print its address and quit)",
      "  n  use the next free port, 4002",
      "  q  quit            next time: npx claude-oauth-proxy --port 4002",
      "",
    ]);
    terminal.write("n");
    await finish(terminal, "next-port");
  });

  it("a takes the one that runs, q quits", async () => {
    const first = await open("port-taken");
    first.write("a");
    await finish(first, "use-that");
    const second = await open("port-taken");
    second.write("q");
    await finish(second, "quit");
  });
});
