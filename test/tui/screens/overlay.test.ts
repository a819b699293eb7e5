import { describe, expect, it } from "vitest";
import { detailLines } from "../../../src/tui/screens/overlay.ts";
import { textOf, viewAt } from "../scene.ts";

const detail = (overlay: Parameters<typeof detailLines>[0]): string => detailLines(overlay, viewAt(), 100).map(textOf).join("\n");

describe("the details", () => {
  it("of a failed request name who is to blame, what was said, and what to do (N2)", () => {
    const text = detail({ kind: "request", id: "r3" });
    const parts = [
      "POST /v1/messages", "429, upstream-error", "first byte 0.3s", "dana (Max), only", "asked claude-opus-4-1", "req_011, here r3",
      "plan limit, rate_limit_error", "This request would exceed your rate limit", "wait until 14:00",
    ];
    for (const part of parts) expect(text).toContain(part);
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
