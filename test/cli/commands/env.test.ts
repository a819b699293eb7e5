// `env` is evaluated by a shell: standard output holds assignments and nothing else.
import { describe, expect, it } from "vitest";
import { fakeContext, localKey } from "../fake-context.ts";

describe("env", () => {
  it("prints assignments on standard output and remarks on standard error", async () => {
    const context = fakeContext();
    expect(await context.run("env", "--shell", "bash")).toBe(0);
    expect(context.said.out()).toBe(`export ANTHROPIC_BASE_URL='http://127.0.0.1:4001'\nexport ANTHROPIC_AUTH_TOKEN='${localKey}'\n`);
    expect(context.said.err()).toContain("no proxy runs at http://127.0.0.1:4001 yet");
  });

  it("follows the settings: port, mode, shell of the person", async () => {
    const context = fakeContext({ environment: { SHELL: "/usr/bin/fish" } });
    await context.run("env", "--set", "server.port=5000", "--set", "mode=pass-through");
    expect(context.said.out()).toBe("set -gx ANTHROPIC_BASE_URL 'http://127.0.0.1:5000';\n");
  });

  it("--json is one object", async () => {
    const context = fakeContext({ environment: { HTTPS_PROXY: "http://p:1" } });
    await context.run("env", "--json");
    expect(JSON.parse(context.said.out())).toEqual({ ANTHROPIC_BASE_URL: "http://127.0.0.1:4001", ANTHROPIC_AUTH_TOKEN: localKey, NO_PROXY: "127.0.0.1,localhost,::1" });
  });

  it("with port 0 nobody can know the address", async () => {
    const context = fakeContext();
    expect(await context.run("env", "--set", "server.port=0")).toBe(2);
    expect(context.said).toMatchObject({});
    expect(context.said.out()).toBe("");
  });
});

describe("print-key", () => {
  it("prints the local key and nothing else", async () => {
    const context = fakeContext();
    expect(await context.run("print-key")).toBe(0);
    expect([context.said.out(), context.said.err()]).toEqual([`${localKey}\n`, ""]);
  });
});
