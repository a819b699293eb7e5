import { describe, expect, it } from "vitest";
import { createProxyRule } from "../../src/proxy/outbound-proxy.ts";
import type { ProxyHop } from "../../src/proxy/outbound-proxy.ts";
import { proxyUnreachable, tlsThroughTunnelFailed, tunnelRefused } from "../../src/proxy/tunnel.ts";

const hopOf = (url: string): ProxyHop => createProxyRule(url, {})("upstream.example", 443) ?? expect.unreachable();
const hop = hopOf("https://me:CANARY@p:1");
const coded = (code: string) => Object.assign(new Error("CANARY"), { code });

describe("a way through an outbound proxy that fails", () => {
  it.each([
    ["ECONNREFUSED", "upstream-unreachable", "The outbound proxy https://p:1 (from upstream.proxy) could not be reached: ECONNREFUSED."],
    ["ETIMEDOUT", "upstream-timeout", "The outbound proxy https://p:1 (from upstream.proxy) could not be reached: ETIMEDOUT."],
    ["CERT_HAS_EXPIRED", "upstream-unreachable", "The certificate of the outbound proxy https://p:1 (from upstream.proxy) is not trusted (CERT_HAS_EXPIRED); nothing was sent."],
  ])("at the proxy: %s", (reason, code, message) => {
    expect(proxyUnreachable(hop, coded(reason))).toMatchObject({ code, message, cause: coded(reason) });
  });

  it.each([
    ["ECONNRESET", "upstream-unreachable", "No TLS connection with https://u, reached through the outbound proxy https://p:1 (from upstream.proxy), could be agreed (ECONNRESET)."],
    [
      "UND_ERR_CONNECT_TIMEOUT", "upstream-timeout",
      "No TLS connection with https://u, reached through the outbound proxy https://p:1 (from upstream.proxy), could be agreed (UND_ERR_CONNECT_TIMEOUT).",
    ],
    [
      "SELF_SIGNED_CERT_IN_CHAIN", "upstream-unreachable",
      "The certificate of https://u, reached through the outbound proxy https://p:1 (from upstream.proxy), is not trusted (SELF_SIGNED_CERT_IN_CHAIN); nothing was sent.",
    ],
  ])("beyond it: %s", (reason, code, message) => {
    expect(tlsThroughTunnelFailed(hop, "https://u", coded(reason))).toMatchObject({ code, message, cause: coded(reason) });
  });

  it("a refusal has no cause, and the hint about the password keeps the proxy's scheme", () => {
    expect(tunnelRefused(hop, 407)).toMatchObject({ hint: "Write them into upstream.proxy as https://user:password@host:port.", cause: undefined });
    expect(tunnelRefused(hopOf("p:1"), 407).hint).toContain("as http://user");
    expect(tunnelRefused(hop, 502).message).toBe("The outbound proxy https://p:1 (from upstream.proxy) refused the tunnel with status 502.");
  });

  it("says nothing that the proxy's password or an error's text could be in", () => {
    const errors = [tunnelRefused(hop, 407), proxyUnreachable(hop, new Error("CANARY")), tlsThroughTunnelFailed(hop, "https://u", new Error("CANARY"))];
    expect(errors.map(({ message, hint }) => `${message} ${hint ?? ""}`).join(" ")).not.toContain("CANARY");
    expect(errors[1]?.message).toContain("no answer");
  });
});
