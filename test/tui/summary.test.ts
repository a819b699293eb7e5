import { describe, expect, it } from "vitest";
import { summaryLine } from "../../src/tui/summary.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, pictureOf } from "./scene.ts";

describe("the last word on the primary screen", () => {
  it("tells requests, time, token and log", () => {
    expect(summaryLine(pictureOf(afternoon), noon, "/tmp/log")).toBe("claude-oauth-proxy: served 6 requests in 3h12m, token valid until 16:12, log: /tmp/log");
    expect(summaryLine(pictureOf([fact("request.received"), fact("account.needs-login")]), noon, null)).toBe("claude-oauth-proxy: served 1 request in 3h12m, sign in again before the next start");
  });
});
