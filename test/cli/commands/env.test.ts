// `env` is evaluated by a shell: standard output holds assignments and nothing else. What a client needs, and no more.
import { describe, expect, it } from "vitest";
import { clientEnvironment } from "../../../src/cli/commands/env.ts";
import { connectTo } from "../../../src/cli/connection.ts";
import { secret } from "../../../src/lib/secret.ts";
import { fakeContext, localKey } from "../fake-context.ts";
import { forged, health, proxyAnswers } from "../fake-proxy.ts";

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

/** `env` with `port` as the configured one. */
const besidePort = async (port: number) => {
  const context = fakeContext({ connect: connectTo });
  const code = await context.run("env", "--shell", "bash", "--set", `server.port=${port}`);
  return { code, out: context.said.out(), err: context.said.err() };
};

describe("env beside a program on the port", () => {
  it("follows the mode of a proxy that has proved itself", async () => {
    const { port } = await proxyAnswers({ health: { ...health, mode: "pass-through" } });
    const { code, out, err } = await besidePort(port);
    expect([code, out, err]).toEqual([0, `export ANTHROPIC_BASE_URL='http://127.0.0.1:${port}'\nexport ANTHROPIC_CUSTOM_HEADERS='x-claude-oauth-proxy-key: ${localKey}'\n`, ""]);
  });

  it("sends no client, and no key, to one that only looks like a proxy (S3)", async () => {
    const { port, seen } = await forged();
    const { code, out, err } = await besidePort(port);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`Nothing is printed, because something else answers at http://127.0.0.1:${port}; it did not prove that it knows our local key.`);
    expect(err).toContain("claude-oauth-proxy config set server.port NUMBER");
    expect(seen.join()).not.toContain(localKey);
  });

  it("sends no client to the proxy of another data folder (S3)", async () => {
    const { port } = await proxyAnswers({ key: "cop_another-key-0123456789" });
    const { code, out, err } = await besidePort(port);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("it refuses our local key, as a claude-oauth-proxy with another data folder does");
  });
});

describe("print-key", () => {
  it("prints the local key and nothing else", async () => {
    const context = fakeContext();
    expect(await context.run("print-key")).toBe(0);
    expect([context.said.out(), context.said.err()]).toEqual([`${localKey}\n`, ""]);
  });
});

const baseUrl = "http://127.0.0.1:4001";
const make = (mode: "oauth" | "pass-through", required: boolean, environment: Record<string, string> = {}) => {
  const { variables, warnings } = clientEnvironment({ config: { mode, auth: { required } }, baseUrl, key: secret("cop_key"), environment });
  return { variables: Object.fromEntries(variables), warnings };
};

describe("variables for a client", () => {
  it("in oauth mode: the address and the local key as a token, even when no key is asked for", () => {
    const expected = { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: "cop_key" };
    expect(make("oauth", true).variables).toEqual(expected);
    expect(make("oauth", false).variables).toEqual(expected);
  });

  it("in pass-through mode: no token, or the client would no longer use its own login", () => {
    expect(make("pass-through", false).variables).toEqual({ ANTHROPIC_BASE_URL: baseUrl });
    expect(make("pass-through", true).variables).toEqual({ ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_CUSTOM_HEADERS: "x-claude-oauth-proxy-key: cop_key" });
  });

  it("keeps the person's own headers and replaces an older key of ours", () => {
    const present = "X-Team: a\nX-Claude-OAuth-Proxy-Key: cop_old\nX-Other: b";
    expect(make("pass-through", true, { ANTHROPIC_CUSTOM_HEADERS: present }).variables["ANTHROPIC_CUSTOM_HEADERS"]).toBe("X-Team: a\nX-Other: b\nx-claude-oauth-proxy-key: cop_key");
  });

  it("keeps an outbound proxy away from loopback, adding to what stands there", () => {
    expect(make("oauth", true, { HTTPS_PROXY: "http://p:1" }).variables["NO_PROXY"]).toBe("127.0.0.1,localhost,::1");
    expect(make("oauth", true, { https_proxy: "http://p:1", NO_PROXY: "corp.example, localhost" }).variables["NO_PROXY"]).toBe("corp.example,localhost,127.0.0.1,::1");
    expect(make("oauth", true, { HTTP_PROXY: "http://p:1", no_proxy: "a" }).variables).toMatchObject({ NO_PROXY: "a,127.0.0.1,localhost,::1", no_proxy: "a,127.0.0.1,localhost,::1" });
    expect(make("oauth", true, { HTTPS_PROXY: "http://p:1", NO_PROXY: "*" }).variables["NO_PROXY"]).toBe("*");
    expect(make("oauth", true, { NO_PROXY: "a" }).variables["NO_PROXY"]).toBe(undefined);
  });

  it("warns when the client would go elsewhere", () => {
    expect(make("oauth", true, { CLAUDE_CODE_USE_BEDROCK: "1" }).warnings).toHaveLength(1);
    expect(make("oauth", true, { CLAUDE_CODE_USE_BEDROCK: "0" }).warnings).toEqual([]);
  });
});
