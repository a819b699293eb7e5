import { describe, expect, it } from "vitest";

import { createProxyRule } from "../../src/proxy/outbound-proxy.ts";

const shown = (env: Record<string, string>, host = "api.anthropic.com", setting: string | null = null) => {
  const hop = createProxyRule(setting, env)(host, 443);
  return hop === null ? null : `${hop.shown} ${hop.source}`;
};

describe("createProxyRule", () => {
  it("the setting wins over the variables, the lower-case variable over the other", () => {
    expect(shown({})).toBe(null);
    expect(shown({ HTTPS_PROXY: "http://a:1" })).toBe("http://a:1 HTTPS_PROXY");
    expect(shown({ HTTPS_PROXY: "http://a:1", https_proxy: "b:2" })).toBe("http://b:2 https_proxy");
    expect(shown({ HTTPS_PROXY: "http://a:1" }, "x.example", "https://c")).toBe("https://c upstream.proxy");
  });

  it.each([
    ["api.anthropic.com", null],
    ["anthropic.com", null],
    [".anthropic.com", null],
    ["*.anthropic.com", null],
    ["*", null],
    ["a.example, API.Anthropic.com:443", null],
    ["thropic.com", "http://a:1 HTTPS_PROXY"],
    ["api.anthropic.com:8443", "http://a:1 HTTPS_PROXY"],
    ["com.example", "http://a:1 HTTPS_PROXY"],
    ["", "http://a:1 HTTPS_PROXY"],
  ])("NO_PROXY=%s", (noProxy, expected) => {
    expect(shown({ HTTPS_PROXY: "http://a:1", NO_PROXY: noProxy })).toBe(expected);
  });

  it("loopback is never proxied", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"]) expect(shown({ HTTPS_PROXY: "http://a:1" }, host)).toBe(null);
  });

  it("a proxy that is no http(s) URL is refused without quoting its password", () => {
    expect(() => createProxyRule("socks5://u:CANARY@h", {})).toThrow(/upstream\.proxy does not name an http: or https: proxy\.$/);
  });

  it("a password with a bare percent sign is refused with the variable's name, without quoting it", () => {
    expect(() => createProxyRule(null, { HTTPS_PROXY: "http://u:CANARY%of@h" })).toThrow(/^The user name or the password in HTTPS_PROXY has a % that is no escape\.$/);
    expect(createProxyRule(null, { HTTPS_PROXY: "http://u:50%25@h" })("x.example", 443)?.authorization?.reveal()).toBe(`Basic ${Buffer.from("u:50%").toString("base64")}`);
  });
});
