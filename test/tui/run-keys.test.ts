import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { openDashboard, received } from "./dashboard-terminal.ts";

const enter = "\r";
const escape = "\u001b";

describe("keys", () => {
  it("q asks while a request is open, q again stops (N13)", async () => {
    const terminal = openDashboard();
    terminal.publish(received("r1"));
    await terminal.waitFor("1 open");
    terminal.press("q");
    await terminal.waitFor("1 open. q again: stop");
    expect(terminal.calls).toEqual([]);
    terminal.press("q");
    await eventually(() => terminal.calls.some(([name]) => name === "stop"), Boolean);
  });

  it("the question goes away by itself after three seconds (N13)", async () => {
    const terminal = openDashboard();
    terminal.publish(received("r1"));
    await terminal.waitFor("1 open");
    terminal.press("q");
    await terminal.waitFor("q again: stop");
    await terminal.waitFor(/FOLLOW 1/);
    terminal.press("q");
    await terminal.waitFor("q again: stop");
    expect(terminal.calls).toEqual([]);
  });

  it("Tab, ?, Enter and Esc walk through the screens", async () => {
    const terminal = openDashboard();
    terminal.publish(received("r1"));
    await terminal.waitFor("1 open");
    terminal.press("\t");
    await terminal.waitFor("[2 sessions]");
    terminal.press("4");
    await terminal.waitFor("WHAT HAPPENED");
    terminal.press("?");
    await terminal.waitFor("this help");
    terminal.press(escape);
    await terminal.waitFor("WHAT HAPPENED");
    terminal.press("1");
    terminal.press(enter);
    await terminal.waitFor(/received \d\d:/);
  });

  it("/ filters while it is typed, also when the line delivers it in one piece (N7)", async () => {
    const terminal = openDashboard();
    terminal.publish(received("r1"));
    terminal.publish(received("r2", "/v1/messages/count_tokens"));
    await terminal.waitFor("2 open");
    terminal.press("/count");
    await terminal.waitFor("/count_");
    terminal.press(enter);
    await terminal.waitFor("/count 1 of 2");
    terminal.press(escape);
    await terminal.waitFor("FOLLOW 2");
  });

  it("Ctrl+Z warns, and twice gives the terminal to the shell until the job is continued", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.press("\u001a");
    await terminal.waitFor("This would freeze the proxy too.");
    const before = terminal.bytes().length;
    terminal.press("\u001a");
    await eventually(() => terminal.calls.some(([name]) => name === "suspend"), Boolean);
    await eventually(() => terminal.alternate() && terminal.rawMode(), Boolean);
    const between = terminal.bytes().slice(before);
    expect(between.indexOf("\u001b[?1049l")).toBeGreaterThan(-1);
    expect(between.lastIndexOf("\u001b[?1049h")).toBeGreaterThan(between.indexOf("\u001b[?1049l"));
    await terminal.waitFor("RUNNING");
  });

  it("c copies the lines for Claude Code and says so", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.press("c");
    await terminal.waitFor("set-up lines: Copied");
    expect(terminal.calls[0]?.[1]).toContain("ANTHROPIC_BASE_URL=http://127.0.0.1:4001");
  });
});

describe("questions in the last line", () => {
  it("rename takes a name", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.press("3");
    await terminal.waitFor("[3 accounts]");
    terminal.press("n");
    await terminal.waitFor("New name of dana: dana");
    terminal.press(" two");
    await terminal.waitFor("dana two");
    terminal.press(enter);
    await eventually(() => terminal.calls.some(([name]) => name === "rename"), Boolean);
    expect(terminal.calls).toEqual([["rename", "main", "dana two"]]);
  });

  it("remove asks, Enter alone is a no, y is a yes", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.press("3");
    await terminal.waitFor("[3 accounts]");
    terminal.press("x");
    await terminal.waitFor("Remove dana and revoke its tokens? y/N");
    terminal.press(enter);
    await terminal.waitFor(/ACCOUNTS 1/);
    terminal.press("x");
    await terminal.waitFor("Remove dana");
    terminal.press("y");
    await eventually(() => terminal.calls.length > 0, Boolean);
    expect(terminal.calls).toEqual([["logout", "main"]]);
  });

  it("an API key is never shown", async () => {
    const terminal = openDashboard();
    await terminal.waitFor("RUNNING");
    terminal.press("3");
    await terminal.waitFor("[3 accounts]");
    terminal.press("y");
    await terminal.waitFor("API key");
    terminal.press("sk-ant-canary");
    await terminal.waitFor(/\*{13}/);
    terminal.press(escape);
    await terminal.waitFor(/ACCOUNTS 1/);
    expect(terminal.bytes()).not.toContain("canary");
    expect(terminal.calls).toEqual([]);
  });
});
