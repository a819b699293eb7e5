// The keys of the dashboard in the built program: what they show, what they do to accounts and tokens, and
// that what is no key does nothing.
import { describe, expect, it } from "vitest";
import { openDashboard, prepareSigned } from "../helpers/dashboard.ts";
import { eventually } from "../helpers/eventually.ts";
import { launcher } from "../helpers/program.ts";
import type { Terminal } from "../helpers/terminal.ts";
import { hasTmux, startTmux } from "../helpers/tmux.ts";

type Press = (keys: string, expected: string | RegExp) => Promise<string>;

const pressing = (terminal: Terminal): Press => async (keys, expected) => {
  terminal.write(keys);
  return terminal.waitFor(expected, { what: `${JSON.stringify(keys)}: ${String(expected)}` });
};

const escape = "\u001b";
const enter = "\r";

describe("looking around", () => {
  it("panes by Tab and digits, detail, help, filter, errors, follow and pause", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
    const press = pressing(terminal);
    await proxy.ask({ headers: { "x-claude-code-session-id": "6f1c1d9e-0000-4000-8000-000000000001" } });
    proxy.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "overloaded" } });
    await proxy.ask({ body: { model: "claude-haiku-4-5" } });
    await press("", / 529 .*\n.* 200 /);
    await press("\t", "[2 sessions]");
    await press("\t", "[3 accounts]");
    await press("\t", "[4 events]");
    await press("\t", "[1 requests]");
    await press("\u001b[Z", "[4 events]");
    for (const [digit, name] of [["2", "sessions"], ["3", "accounts"], ["4", "events"], ["1", "requests"]] as const) await press(digit, `[${digit} ${name}]`);
    await press(enter, /blame +overload/);
    await press(escape, /FOLLOW 2/);
    await press("j", "ROW 2/2");
    await press(enter, /model +asked claude-opus-4-8/);
    await press("?", "this help");
    await press(escape, "ROW 2/2");
    await press("g", "FOLLOW 2");
    await press("e", "ERRORS 1 of 2");
    expect(terminal.screen()).not.toMatch(/ 200 /);
    await press(escape, "FOLLOW 2");
    await press("/", "/_");
    for (const letter of "haiku") terminal.write(letter);
    await press("", "/haiku_");
    await press(enter, "/haiku 1 of 2");
    expect(terminal.screen()).not.toMatch(/> .* 200 /);
    await press(escape, "FOLLOW 2");
    await press("p", "PAUSED +0 new");
    await proxy.ask();
    await press("", "PAUSED +1 new");
    expect(terminal.screen().match(/claude-(opus|haiku)/g)).toHaveLength(2);
    await press(" ", "FOLLOW 3");
  });

  it("unknown keys, sequences, a stray paste of 2 kB and a filter of 2 kB do nothing but that", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { cols: 80, rows: 24 });
    const press = pressing(terminal);
    const before = terminal.rows().slice(1);
    for (const key of ["Q", "Z", "ü", "日", "\u001bq", "\u001b[24~", "\u001bOP", "\u0000", "\u0001", "\u001b[<0;3;3M", "\u001b[?62;c", "\u007f"]) terminal.write(key);
    const text = "qy\u0003\u001b[A l x y \r".repeat(150);
    expect(text.length).toBeGreaterThan(2000);
    terminal.paste(text);
    await press("2", "[2 sessions]");
    await press("1", "[1 requests]");
    expect(terminal.rows().slice(1)).toEqual(before);
    await press("/", "/_");
    terminal.paste("y\u001b[2Jq\u0003".repeat(400));
    await press("", /\/y\[2Jqy/);
    expect(terminal.everything().split("\n")).toHaveLength(24);
    await press(escape, "FOLLOW 0");
    expect((await proxy.ask()).status).toBe(200);
    await press("", "FOLLOW 1");
  });
});

describe("accounts", () => {
  it("are disabled, enabled, renamed and removed from their pane, and the file says the same", async () => {
    const proxy = await prepareSigned(["ada", "grace"]);
    const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
    const press = pressing(terminal);
    const record = (id: string) => proxy.stored()[id] as unknown as { readonly enabled: boolean; readonly label: string } | undefined;
    await press("3", /> ada/);
    await press("d", "ada disabled");
    await eventually(() => record("ada")?.enabled, (enabled) => enabled === false, { what: "the file" });
    await press("d", "ada enabled");
    await eventually(() => record("ada")?.enabled, (enabled) => enabled === true, { what: "the file" });
    await press("n", "New name of ada: ada");
    terminal.write("-two");
    await press("", "ada-two");
    await press(enter, "renamed");
    await eventually(() => record("ada")?.label, (label) => label === "ada-two", { what: "the file" });
    await press("j", /> grace/);
    await press("x", "Remove grace and revoke its tokens? y/N");
    await press(enter, /ACCOUNTS 2/);
    await press("x", "Remove grace");
    await press("y", "account removed");
    await eventually(() => Object.keys(proxy.stored()), (ids) => ids.length === 1, { what: "the file" });
    expect((await proxy.ask()).status).toBe(200);
  });

  it("r refreshes now; l shows the sign-in, Esc comes back, and a code signs in again", async () => {
    const proxy = await prepareSigned();
    const terminal = await openDashboard(proxy, { cols: 120, rows: 30 });
    const press = pressing(terminal);
    const [token] = [proxy.stored()["ada"]?.access_token];
    await press("r", "Token refreshed, valid until");
    expect(proxy.stored()["ada"]?.access_token).not.toBe(token);
    await press("l", "Paste code >");
    expect(terminal.alternate()).toBe(false);
    terminal.write(escape);
    await terminal.waitFor((screen) => terminal.alternate() && screen.includes("RUNNING"), { what: "the dashboard" });
    await eventually(() => terminal.bracketedPaste(), Boolean, { what: "its keys" });
    terminal.write("l");
    await terminal.waitFor((screen) => !terminal.alternate() && screen.includes("Paste code >"), { what: "the sign-in" });
    const link = terminal.everything().split("\n").findLast((line) => /^http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\?/.test(line)) ?? "";
    terminal.paste(`${await proxy.upstream.approve(link)}\r`);
    await terminal.waitFor((screen) => terminal.alternate() && screen.includes("RUNNING"), { what: "the dashboard" });
    await eventually(() => terminal.rawMode(), Boolean, { what: "its keys" });
    expect(Object.keys(proxy.stored())).toEqual(["ada"]);
    expect((await proxy.ask()).status).toBe(200);
    await press("", / 200 +POST/);
  });
});

describe.skipIf(!hasTmux)("in a tmux pane (needs tmux)", () => {
  it("c puts the lines for Claude Code into tmux's buffer", async () => {
    const proxy = await prepareSigned();
    const tmux = startTmux({ command: [process.execPath, launcher], cols: 80, rows: 24, home: proxy.home, env: proxy.env });
    await tmux.waitFor("RUNNING");
    tmux.keys("c");
    await tmux.waitFor("set-up lines: Sent to tmux");
    expect(tmux.buffer()).toContain(`export ANTHROPIC_BASE_URL=${proxy.url}\n`);
    expect(tmux.buffer()).not.toContain(proxy.key());
    // Without brackets it comes as keys, in pieces of up to 2,048 bytes.
    tmux.paste("quick, yes: x d l\n".repeat(120), { bracketed: false });
    // A key right behind a paste may arrive in its last piece and is then part of it: press again.
    const pressTwo = (): string => {
      tmux.keys("2");
      return tmux.capture();
    };
    await eventually(pressTwo, (screen) => screen.includes("[2 sessions]"), { what: "the sessions" });
    expect((await proxy.ask()).status).toBe(200);
  });
});
