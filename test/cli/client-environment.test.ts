// What a client needs, and nothing it does not.
import { describe, expect, it } from "vitest";
import { clientEnvironment } from "../../src/cli/client-environment.ts";
import { secret } from "../../src/lib/secret.ts";

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
