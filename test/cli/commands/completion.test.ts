// Completion scripts in the shells they are for.
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { bashScript, fishScript, placesOf } from "../../../src/cli/commands/completion.ts";
import { commandTable } from "../../../src/cli/commands.ts";
import { fakeContext } from "../fake-context.ts";

const script = bashScript(placesOf(commandTable));

const complete = (...words: string[]): string[] => {
  const line = ["claude-oauth-proxy", ...words];
  const quoted = line.map((word) => `'${word}'`).join(" ");
  const program = `${script}\nCOMP_WORDS=(${quoted})\nCOMP_CWORD=${line.length - 1}\n_claude_oauth_proxy\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["--norc", "-c", program], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim().split("\n");
};

describe("bash", () => {
  it("offers commands, inner commands, options, their values and settings", () => {
    expect(complete("st")).toEqual(["start", "status"]);
    expect(complete("accounts", "re")).toEqual(["remove", "rename"]);
    expect(complete("status", "--s")).toEqual(["--short", "--set"]);
    expect(complete("start", "--mode", "")).toEqual(["oauth", "pass-through"]);
    expect(complete("--log-format", "j")).toEqual(["json"]);
    expect(complete("config", "set", "oauth.t")).toEqual(["oauth.tokenUrl"]);
    expect(complete("env", "--shell", "f")).toEqual(["fish"]);
  });

  it("leaves file names and commands to the shell where those may follow", () => {
    expect(complete("import", "/etc/pass")).toContain("/etc/passwd");
    expect(complete("run", "fals")).toContain("false");
    expect(complete("status", "/etc/pass")).toEqual([""]);
  });

  it("every command of the table is offered", () => {
    expect(complete("")).toEqual(expect.arrayContaining(commandTable.map(({ name }) => name)));
  });
});

describe("fish and zsh", () => {
  it("fish gets one line for every word and option of every place", () => {
    const lines = fishScript(placesOf(commandTable)).split("\n");
    const place = "__fish_seen_subcommand_from accounts; and not __fish_seen_subcommand_from list enable disable remove rename priority set add-key";
    expect(lines).toContain(`complete -c claude-oauth-proxy -n '${place}' -a remove -d 'sign an account out and forget it'`);
    expect(lines).toContain("complete -c claude-oauth-proxy -n '__fish_seen_subcommand_from status' -l short -d 'one line for a status bar'");
    expect(lines).toContain("complete -c claude-oauth-proxy -n '__fish_seen_subcommand_from import' -F");
    expect(lines.filter((line) => line.includes("-l mode")).every((line) => line.includes("'oauth pass-through'"))).toBe(true);
  });

  it("the command prints the script that was asked for and refuses any other shell", async () => {
    const context = fakeContext();
    expect(await context.run("completion", "zsh")).toBe(0);
    expect(context.said.out()).toMatch(/^#compdef claude-oauth-proxy\n/);
    expect(await context.run("completion", "tcsh")).toBe(2);
  });
});
