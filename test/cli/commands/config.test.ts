// `config`: preferences are kept only when they fit, and every value shows where it came from.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakeContext } from "../fake-context.ts";

const fileOf = (dir: string): string => join(dir, "config.json");

describe("config", () => {
  it("set keeps a value, get prints the one in force, list says where each came from", async () => {
    const context = fakeContext({ environment: { CLAUDE_OAUTH_PROXY_LOG__LEVEL: "warn" } });
    expect(await context.run("config", "set", "rateLimit.api", "5/s")).toBe(0);
    expect(JSON.parse(readFileSync(fileOf(context.dir), "utf8"))).toEqual({ rateLimit: { api: "5/s" } });
    const read = fakeContext({ environment: context.environment as Record<string, string> });
    mkdirSync(read.dir);
    writeFileSync(fileOf(read.dir), readFileSync(fileOf(context.dir)));
    await read.run("config", "get", "rateLimit.api");
    await read.run("config", "list", "--set", "server.port=1");
    const lines = read.said.out().split("\n").map((line) => line.replace(/ +/g, " "));
    expect(lines[0]).toBe("5/s");
    expect(lines).toContain(`rateLimit.api 5/s [the file ${fileOf(read.dir)}]`);
    expect(lines).toContain("log.level warn [the environment (CLAUDE_OAUTH_PROXY_LOG__LEVEL)]");
    expect(lines).toContain("server.port 1 [--set]");
    expect(lines).toContain("models.map (none) [the default]");
  });

  it("path prints the file, whether it is there or not", async () => {
    const context = fakeContext();
    await context.run("config", "path");
    expect(context.said.out()).toBe(`${fileOf(context.dir)}\n`);
    expect(existsSync(context.dir)).toBe(false);
  });

  it("a wrong key or value changes nothing and is named", async () => {
    const context = fakeContext();
    expect(await context.run("config", "set", "sever.port", "1")).toBe(2);
    expect(await context.run("config", "set", "server.port", "many")).toBe(2);
    expect(context.said.err()).toContain("claude-oauth-proxy: \"sever.port\" is not a setting.\n  Did you mean server.port?\n");
    expect(context.said.err()).toContain("accepted: a whole number from 0 to 65535");
    expect(existsSync(fileOf(context.dir))).toBe(false);
  });

  it("a value that contradicts another setting is refused before it is kept", async () => {
    const context = fakeContext();
    expect(await context.run("config", "set", "auth.required", "false")).toBe(0);
    expect(await context.run("config", "set", "server.host", "0.0.0.0")).toBe(2);
    expect(context.said.err()).toContain("everybody in the network could use it");
    expect(JSON.parse(readFileSync(fileOf(context.dir), "utf8"))).toEqual({ auth: { required: false } });
  });

  it("a password is not kept in the preferences and not shown in a list", async () => {
    const context = fakeContext({ environment: { CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY: "http://me:canary@proxy.example:3128" } });
    expect(await context.run("config", "set", "upstream.proxy", "http://me:canary@proxy.example:3128")).toBe(2);
    expect(await context.run("config", "list")).toBe(0);
    expect(context.said.out()).toContain("http://***@proxy.example:3128");
    expect(context.said.out() + context.said.err()).not.toContain("canary");
  });

  it("a value that the environment overrules is kept, and that is said", async () => {
    const context = fakeContext({ environment: { CLAUDE_OAUTH_PROXY_LOG__LEVEL: "warn" } });
    expect(await context.run("config", "set", "log.level", "debug")).toBe(0);
    expect(context.said.err()).toContain("but the environment (CLAUDE_OAUTH_PROXY_LOG__LEVEL) overrules it here");
  });

  it("a torn file stops every command with one sentence; only set moves it aside", async () => {
    const context = fakeContext();
    mkdirSync(context.dir);
    writeFileSync(fileOf(context.dir), '{"mode":');
    expect(await context.run("status")).toBe(2);
    expect(context.said.err()).toContain("is not a JSON object");
    expect(readFileSync(fileOf(context.dir), "utf8")).toBe('{"mode":');
    expect(await context.run("config", "set", "mode", "oauth")).toBe(0);
    expect(context.said.err()).toContain("was moved to");
    expect(await context.run("config", "get", "mode")).toBe(0);
  });

  it("a file with a mistake can be mended key by key", async () => {
    const context = fakeContext();
    mkdirSync(context.dir);
    writeFileSync(fileOf(context.dir), '{"sever":{"port":1},"server":{"port":"x"}}');
    expect(await context.run("config", "list")).toBe(2);
    expect(context.said.err()).toContain("2 settings are wrong");
    expect(await context.run("config", "set", "server.port", "4002")).toBe(0);
    expect(await context.run("config", "unset", "sever.port")).toBe(0);
    expect(await context.run("config", "get", "server.port")).toBe(0);
    expect(context.said.out()).toBe("4002\n");
  });
});
