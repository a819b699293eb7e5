// An assignment must give back exactly the value, in a real shell, whatever the value is.
import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportLine, likelyShell, posixWord } from "../../src/lib/shell-quote.ts";
import type { Shell } from "../../src/lib/shell-quote.ts";

const readBack = (program: string, shell: Shell, values: readonly string[]): string[] => {
  const script = values.map((value, index) => `${exportLine(shell, `V${index}`, value)}\n`).join("");
  const show = `${script}exec env -0`;
  const out = execFileSync(program, ["-c", show], { env: { PATH: process.env["PATH"] ?? "" }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const seen = new Map(out.split("\0").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  return values.map((_, index) => seen.get(`V${index}`) ?? "(not set)");
};

const nasty = ["", "plain", "it's", "'''", '"$HOME"', "$(touch /tmp/never)", "`id`", "a\nb", "a;b&c|d", "\\", "\\'", "é漢😀", "-n", "!history", "%s", "#c", "~", "\u2019"];

describe("assignments", () => {
  it("bash gives back every value", () => {
    expect(readBack("bash", "bash", nasty)).toEqual(nasty);
  });

  it("any text survives a POSIX shell", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 20 }).filter((value) => !value.includes("\0"));
    fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (values) => void expect(readBack("bash", "zsh", values)).toEqual(values)), { numRuns: 20 });
  });

  it("fish escapes the only two characters it knows inside single quotes", () => {
    expect(exportLine("fish", "A", "it's \\ $x")).toBe("set -gx A 'it\\'s \\\\ $x';");
  });

  it("PowerShell doubles every kind of single quote and keeps line breaks out of the line", () => {
    expect(exportLine("powershell", "A", "it's\u2019 $x\nb")).toBe("$env:A = 'it''s\u2019\u2019 $x' + \"`n\" + 'b'");
  });

  it("a word is quoted only when a shell would read it in another way", () => {
    expect([posixWord("/v1/models"), posixWord("a b"), posixWord("a'; rm -rf ~; '")]).toEqual(["/v1/models", "'a b'", String.raw`'a'\''; rm -rf ~; '\'''`]);
    expect(execFileSync("sh", ["-c", `printf '%s\\0' ${nasty.map(posixWord).join(" ")}`], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(nasty);
  });

  it("the shell is guessed from SHELL, else from the platform", () => {
    expect([likelyShell({ SHELL: "/usr/bin/fish" }, "linux"), likelyShell({ SHELL: "/bin/dash" }, "linux"), likelyShell({}, "win32")]).toEqual(["fish", "bash", "powershell"]);
  });
});
