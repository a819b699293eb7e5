import { describe, expect, it } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { openGlass, received } from "./window-glass.ts";

const enter = "\r";
const escape = "\u001b";

describe("keys", () => {
  it("N13 q asks while a request is open, q again stops", async () => {
    const glass = openGlass();
    glass.publish(received("r1"));
    await glass.waitFor("1 open");
    glass.press("q");
    await glass.waitFor("1 open. q again: stop");
    expect(glass.calls).toEqual([]);
    glass.press("q");
    await eventually(() => glass.calls.some(([name]) => name === "stop"), Boolean);
  });

  it("N13 the question goes away by itself after three seconds", async () => {
    const glass = openGlass();
    glass.publish(received("r1"));
    await glass.waitFor("1 open");
    glass.press("q");
    await glass.waitFor("q again: stop");
    await glass.waitFor(/FOLLOW 1/);
    glass.press("q");
    await glass.waitFor("q again: stop");
    expect(glass.calls).toEqual([]);
  });

  it("Tab, ?, Enter and Esc walk through the screens", async () => {
    const glass = openGlass();
    glass.publish(received("r1"));
    await glass.waitFor("1 open");
    glass.press("\t");
    await glass.waitFor("[2 sessions]");
    glass.press("4");
    await glass.waitFor("WHAT HAPPENED");
    glass.press("?");
    await glass.waitFor("this help");
    glass.press(escape);
    await glass.waitFor("WHAT HAPPENED");
    glass.press("1");
    glass.press(enter);
    await glass.waitFor(/received \d\d:/);
  });

  it("N7 / filters while it is typed, also when the line delivers it in one piece", async () => {
    const glass = openGlass();
    glass.publish(received("r1"));
    glass.publish(received("r2", "/v1/messages/count_tokens"));
    await glass.waitFor("2 open");
    glass.press("/count");
    await glass.waitFor("/count_");
    glass.press(enter);
    await glass.waitFor("/count 1 of 2");
    glass.press(escape);
    await glass.waitFor("FOLLOW 2");
  });

  it("Ctrl+Z warns, and twice gives the terminal to the shell until the job is continued", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.press("\u001a");
    await glass.waitFor("This would freeze the proxy too.");
    const before = glass.bytes().length;
    glass.press("\u001a");
    await eventually(() => glass.calls.some(([name]) => name === "suspend"), Boolean);
    await eventually(() => glass.alternate() && glass.rawMode(), Boolean);
    const between = glass.bytes().slice(before);
    expect(between.indexOf("\u001b[?1049l")).toBeGreaterThan(-1);
    expect(between.lastIndexOf("\u001b[?1049h")).toBeGreaterThan(between.indexOf("\u001b[?1049l"));
    await glass.waitFor("RUNNING");
  });

  it("c copies the lines for Claude Code and says so", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.press("c");
    await glass.waitFor("set-up lines: Copied");
    expect(glass.calls[0]?.[1]).toContain("ANTHROPIC_BASE_URL=http://127.0.0.1:4001");
  });
});

describe("questions in the last line", () => {
  it("rename takes a name", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.press("3");
    await glass.waitFor("[3 accounts]");
    glass.press("n");
    await glass.waitFor("New name of dana: dana");
    glass.press(" two");
    await glass.waitFor("dana two");
    glass.press(enter);
    await eventually(() => glass.calls.some(([name]) => name === "rename"), Boolean);
    expect(glass.calls).toEqual([["rename", "main", "dana two"]]);
  });

  it("remove asks, Enter alone is a no, y is a yes", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.press("3");
    await glass.waitFor("[3 accounts]");
    glass.press("x");
    await glass.waitFor("Remove dana and revoke its tokens? y/N");
    glass.press(enter);
    await glass.waitFor(/ACCOUNTS 1/);
    glass.press("x");
    await glass.waitFor("Remove dana");
    glass.press("y");
    await eventually(() => glass.calls.length > 0, Boolean);
    expect(glass.calls).toEqual([["logout", "main"]]);
  });

  it("an API key is never shown", async () => {
    const glass = openGlass();
    await glass.waitFor("RUNNING");
    glass.press("3");
    await glass.waitFor("[3 accounts]");
    glass.press("y");
    await glass.waitFor("API key");
    glass.press("sk-ant-canary");
    await glass.waitFor(/\*{13}/);
    glass.press(escape);
    await glass.waitFor(/ACCOUNTS 1/);
    expect(glass.bytes()).not.toContain("canary");
    expect(glass.calls).toEqual([]);
  });
});
