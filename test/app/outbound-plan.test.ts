import { expect, it } from "vitest";
import { exemptByNoProxy, outboundPlan } from "../../src/app/outbound-plan.ts";

const baseUrl = "https://api.anthropic.com";

it("follows the rules of the real way out: setting, variables, exceptions", () => {
  expect(outboundPlan({ baseUrl, proxy: null }, {})).toEqual({ ok: true, origin: baseUrl, hop: null });
  expect(outboundPlan({ baseUrl, proxy: "http://set:1" }, { HTTPS_PROXY: "http://env:2" })).toMatchObject({ hop: { shown: "http://set:1", source: "upstream.proxy" } });
  expect(outboundPlan({ baseUrl, proxy: null }, { HTTPS_PROXY: "http://env:2", NO_PROXY: ".anthropic.com" })).toMatchObject({ hop: null });
});

it("tells what would be refused instead of throwing", () => {
  expect(outboundPlan({ baseUrl: "http://plain.example", proxy: null }, {})).toMatchObject({ ok: false, message: expect.stringContaining("not encrypted") });
  expect(outboundPlan({ baseUrl, proxy: "ftp://x" }, {})).toMatchObject({ ok: false, message: expect.stringContaining("upstream.proxy") });
});

it("reads NO_PROXY for a loopback name", () => {
  const lists = ["127.0.0.1", "a, 127.0.0.1:4001", "*", "localhost", "", "27.0.0.1", "[::1]"];
  expect(lists.map((list) => exemptByNoProxy(list, "127.0.0.1"))).toEqual([true, true, true, false, false, false, false]);
  expect(exemptByNoProxy("::1", "::1")).toBe(true);
});
