// What a command line means, and what the answer to a wrong one is.
import { describe, expect, it } from "vitest";
import { chooseCommand } from "../../src/cli/parse-args.ts";
import { commandTable } from "../../src/cli/commands.ts";
import { AppError } from "../../src/messages/errors.ts";

const choose = (...args: string[]) => {
  let printed = "";
  const chosen = chooseCommand(args, "0.1.0", (text) => void (printed += text));
  return { args: chosen?.args, load: chosen?.load, printed };
};

const wrong = (...args: string[]): string => {
  try {
    choose(...args);
  } catch (error) {
    if (error instanceof AppError && error.code === "bad-usage") return `${error.message} ${error.hint ?? ""}`;
    throw error;
  }
  return "accepted";
};

describe("choosing a command", () => {
  it("nothing at all is start, and start's options stand without it", async () => {
    const start = await choose("start").load?.();
    expect(await choose().load?.()).toBe(start);
    const { load, args } = choose("--port", "0", "--headless", "--mode=pass-through");
    expect(await load?.()).toBe(start);
    expect(args?.options).toMatchObject({ port: "0", headless: true, mode: "pass-through" });
  });

  it("the options of start that stand for a setting are given as that setting", () => {
    expect(choose("--port", "0", "--headless", "--log-level=warn").args?.settings).toEqual([
      { key: "server.port", name: "--port", text: "0" },
      { key: "log.level", name: "--log-level", text: "warn" },
    ]);
    expect(choose("run", "--mode", "oauth", "true", "--port", "1").args?.settings).toEqual([{ key: "mode", name: "--mode", text: "oauth" }]);
    expect(choose("login", "--account", "a").args?.settings).toEqual([]);
  });

  it("every command and inner command of the table can be loaded", async () => {
    for (const spec of commandTable.flatMap((each) => [each, ...(each.subcommands ?? [])])) expect(typeof (await spec.load())).toBe("function");
  });

  it("--dir, --set and --ascii stand before or behind the command; --set adds up", () => {
    const { args } = choose("--dir", "/a", "--set", "x=1", "config", "--set", "y=2", "list", "--set", "z=3", "--dir", "/b", "--ascii");
    expect(args?.global).toEqual({ dir: "/b", set: ["x=1", "y=2", "z=3"], ascii: true });
  });

  it("a group without a word is its list", async () => {
    expect(await choose("accounts").load?.()).toBe(await choose("accounts", "list").load?.());
    expect(choose("accounts", "--json").args?.options).toEqual({ json: true });
  });

  it("--no-browser is browser: false", () => {
    expect(choose("login", "--no-browser").args?.options).toMatchObject({ browser: false });
    expect(choose("login").args?.options["browser"]).toBe(true);
  });

  it("run hands everything behind the command's name on, with and without --", () => {
    expect(choose("run", "claude", "-p", "--port", "5").args).toMatchObject({ positionals: ["claude", "-p", "--port", "5"] });
    expect(choose("run", "--port", "5", "--", "claude", "--help").args).toMatchObject({ positionals: ["claude", "--help"], options: { port: "5" } });
  });
});

describe("help and version", () => {
  it("print to standard output and choose nothing", () => {
    expect(choose("--version")).toEqual({ args: undefined, load: undefined, printed: "0.1.0\n" });
    expect(choose("-V").printed).toBe("0.1.0\n");
    const { printed, args } = choose("--help");
    expect(args).toBe(undefined);
    for (const { name } of commandTable) expect(printed).toContain(`  ${name}`);
    expect(choose("help", "run").printed).toContain("--port <number>");
    expect(choose("accounts", "--help").printed).toContain("add-key");
  });
});

describe("wrong usage", () => {
  it.each([
    [["statsu"], "unknown command 'statsu'. Did you mean status?"],
    [["--prot", "1"], "unknown option '--prot'. Did you mean --port?"],
    [["accounts", "remov", "x"], "unknown command 'remov'. Did you mean remove?"],
    [["status", "--sort"], "Did you mean --short?"],
    [["status", "x"], "too many arguments"],
    [["accounts", "rename", "x"], "missing required argument 'label'"],
    [["--port"], "argument missing"],
    [["--mode", "banana"], "Allowed choices are oauth, pass-through"],
    [["--port", "1", "status"], "option '--port' does not belong before 'status'"],
    [["docter"], "unknown command"],
    [["run"], "missing required argument 'command'"],
  ])("%j says %s", (args, expected) => {
    expect(wrong(...args)).toContain(expected);
  });

  it.each([
    [["login", "code#canary"]],
    [["accounts", "add-key", "sk-ant-canary"]],
    [["status", "--canary"]],
    [["status", "--token=canary"]],
    [["status", "--set"]],
    [["--mode", "canary"]],
    [["env", "--shell", "canary"]],
    [["canary ".repeat(10)]],
  ])("does not repeat what may be a secret in the wrong place: %j", (args) => {
    const said = wrong(...args);
    expect(said).not.toBe("accepted");
    expect(said.replace("'--canary'", "")).not.toContain("canary");
  });

  it("says where to look further", () => {
    expect(wrong("zzzzzz")).toContain("`claude-oauth-proxy --help`");
  });
});
