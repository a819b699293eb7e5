import { describe, expect, it } from "vitest";
import { visibleRequests } from "../../src/tui/view.ts";
import { detailLines } from "../../src/tui/screens/detail.ts";
import { summaryLine } from "../../src/tui/summary.ts";
import { fact } from "../state/facts.ts";
import { afternoon, noon, pictureOf, textOf, viewAt } from "./scene.ts";

const ids = (ui: object): readonly string[] => visibleRequests(viewAt({ ui })).map(({ id }) => id);

describe("which requests are shown", () => {
  it("N7 the filter looks at status, phase, path, model, client, session", () => {
    expect(ids({ filter: "429" })).toEqual(["r3"]);
    expect(ids({ filter: "TOOL" })).toEqual(["r6", "r5"]);
    expect(ids({ filter: "count_tokens" })).toEqual(["r4"]);
    expect(ids({ filter: "haiku" })).toEqual(["r2"]);
    expect(ids({ filter: "6f1c1d9e" })).toEqual(["r1"]);
    expect(ids({ filter: "plan-limit" })).toEqual(["r3"]);
  });

  it("N7 an exclamation mark turns it round, and alone it hides nothing", () => {
    expect(ids({ filter: "!sonnet" })).toEqual(["r5", "r3", "r2"]);
    expect(ids({ filter: "!" })).toHaveLength(6);
  });

  it("errors only leaves out what a client cancelled", () => expect(ids({ errorsOnly: true })).toEqual(["r3"]));
  it("clearing leaves what is still open", () => expect(ids({ clearedAt: noon })).toEqual(["r6", "r5"]));
  it("a pause shows the moment it began", () => expect(ids({ frozen: pictureOf() })).toEqual([]));
});

const detail = (overlay: Parameters<typeof detailLines>[0]): string => detailLines(overlay, viewAt(), 100).map(textOf).join("\n");

describe("the details", () => {
  it("N2 of a failed request name who is to blame, what was said, and what to do", () => {
    const text = detail({ kind: "request", id: "r3" });
    for (const part of ["POST /v1/messages", "429, upstream-error", "first byte 0.3s", "dana (Max), only", "asked claude-opus-4-1", "req_011, here r3", "plan limit, rate_limit_error", "This request would exceed your rate limit", "wait until 14:00"]) expect(text).toContain(part);
  });

  it("of an answer show the tokens by kind and no blame", () => {
    const text = detail({ kind: "request", id: "r2" });
    expect(text).toContain("input 200, cache read 18.0k (99%), cache written 0, output 310");
    expect(text).toContain("end_turn");
    expect(text).not.toContain("blame");
  });

  it("of an account show every limit and the next refresh", () => {
    const text = detail({ kind: "account", id: "main" });
    for (const part of ["token ok, expires in 4h12m at 16:12, refresh in 4h07m", "5h, 42%, allowed, resets in 2h, binding", "7d, 13%"]) expect(text).toContain(part);
  });

  it("say so when the thing is no longer in memory", () => expect(detail({ kind: "request", id: "gone" })).toContain("no longer in memory"));
});

describe("the last word on the primary screen", () => {
  it("tells requests, time, token and log", () => {
    expect(summaryLine(pictureOf(afternoon), noon, "/tmp/log")).toBe("claude-oauth-proxy: served 6 requests in 3h12m, token valid until 16:12, log: /tmp/log");
    expect(summaryLine(pictureOf([fact("request.received"), fact("account.needs-login")]), noon, null)).toBe("claude-oauth-proxy: served 1 request in 3h12m, sign in again before the next start");
  });
});
