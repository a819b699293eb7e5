// What in the environment would keep a client from using the proxy; values of credentials never show.
import { describe, expect, it } from "vitest";
import { clientChecks } from "../../src/doctor/client-checks.ts";
import { secret } from "../../src/lib/secret.ts";

const key = "cop_local-key-0123456789";
const checks = (environment: Record<string, string>, mode: "oauth" | "pass-through" = "oauth") =>
  clientChecks({ environment, config: { mode, auth: { required: true } }, url: "http://127.0.0.1:4001", key: secret(key) });
const warned = (...wish: Parameters<typeof checks>) => checks(...wish).filter(({ status }) => status === "warning").map(({ name }) => name);

describe("the client's environment", () => {
  it("is fine when empty, and when it is what `env` prints", () => {
    expect(warned({})).toEqual([]);
    expect(warned({ ANTHROPIC_BASE_URL: "http://127.0.0.1:4001", ANTHROPIC_AUTH_TOKEN: key })).toEqual([]);
    expect(warned({ ANTHROPIC_BASE_URL: "http://localhost:4001/" })).toEqual([]);
  });

  it("a base URL that points elsewhere is a warning, without what is secret in it", () => {
    const findings = checks({ ANTHROPIC_BASE_URL: "https://me:hunter2@gateway.corp/v1?token=x" });
    expect(findings[0]).toMatchObject({ status: "warning", found: "ANTHROPIC_BASE_URL=https://gateway.corp: not this proxy (http://127.0.0.1:4001)" });
    expect(warned({ ANTHROPIC_BASE_URL: "http://127.0.0.1:4002" })).toEqual(["base url"]);
    expect(warned({ ANTHROPIC_BASE_URL: "nonsense" })).toEqual(["base url"]);
  });

  it("an API key, a foreign token and another provider get in the way", () => {
    const environment = { ANTHROPIC_API_KEY: "sk-ant-api03-canary", ANTHROPIC_AUTH_TOKEN: "canary-token", CLAUDE_CODE_USE_BEDROCK: "1" };
    expect(warned(environment)).toEqual(["api key", "auth token", "provider"]);
    expect(JSON.stringify(checks(environment))).not.toContain("canary");
    expect(warned({ ANTHROPIC_API_KEY: key })).toEqual([]);
    expect(warned({ ANTHROPIC_AUTH_TOKEN: "their-own" }, "pass-through")).toEqual([]);
  });

  it("settings files are mentioned, not read", () => {
    expect(checks({}).at(-1)).toMatchObject({ name: "settings files", status: "ok" });
  });
});
