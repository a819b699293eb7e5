// The first start as a person lives it, with the built program and the simulated upstream: notice, link,
// a wrong paste, the right one, the dashboard, and afterwards no trace of the code anywhere.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { launcher } from "../helpers/program.ts";
import { openTerminal } from "../helpers/terminal.ts";

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));

describe("the first start", () => {
  it.each([[120, 30], [80, 24], [40, 10]])("at %i by %i goes from the notice over the link to the dashboard", async (cols, rows) => {
    const terminal = openTerminal({ cols, rows, args: [launcher, "demo", "--port", "0", "--log-file", "log.txt", "--log-level", "debug"] });
    await terminal.waitFor("press y");
    terminal.write("y");
    await terminal.waitFor("Paste code >");
    const link = terminal.everything().split("\n").find((line) => /^http:\/\/127\.0\.0\.1:\d+\/oauth\/authorize\?/.test(line)) ?? "";
    terminal.paste("aaaaaaaaaaaaaaaa#bbbbbbbbbbbbbbbb");
    await terminal.waitFor("belongs to another");
    const code = (await (await fetch(link)).text()).trim();
    terminal.paste(`${code}\r`);
    await terminal.waitFor(() => terminal.alternate(), { what: "the dashboard" });
    await terminal.waitFor(/RUN/);
    terminal.write("q");
    expect(await terminal.waitForExit()).toBe(0);
    expect([terminal.alternate(), terminal.bracketedPaste(), terminal.cursor().visible]).toEqual([false, false, true]);
    expect(terminal.everything()).not.toContain("Paste code >");
    const secretPart = code.slice(4, 24);
    expect(secretPart).toHaveLength(20);
    expect(readFileSync(join(terminal.home, "log.txt"), "utf8")).toMatch(/sign(ed)?[ -]in/);
    for (const text of [terminal.bytes(), terminal.everything(), ...filesIn(terminal.home)]) expect(text).not.toContain(secretPart);
  });
});
