import { describe, expect, it } from "vitest";
import { dashboardLines } from "../../../src/tui/screens/dashboard.ts";
import { detailLines } from "../../../src/tui/screens/overlay.ts";
import { fact } from "../../state/facts.ts";
import { afternoon, stateOf, textOf, viewAt } from "../scene.ts";

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

  it("of a failure without a sentence still name who is to blame", () => {
    const failed = fact("request.finished", { requestId: "r2", outcome: "failed", status: 502, blame: "upstream", message: null });
    const live = stateOf([fact("request.received", { requestId: "r2" }), failed]);
    expect(detailLines({ kind: "request", id: "r2" }, viewAt({ live }), 100).map(textOf).join("\n")).toMatch(/blame +upstream/);
  });

  it("name the attempts where there was more than one, and the failures of an account where there are any", () => {
    const twice = [fact("request.received", { requestId: "r7" }), fact("request.finished", { requestId: "r7", attempts: 2 })];
    const view = viewAt({ live: stateOf([...afternoon, ...twice, fact("token.refresh-failed", { failures: 1 })]) });
    const textIn = (overlay: Parameters<typeof detailLines>[0]) => detailLines(overlay, view, 100).map(textOf).join("\n");
    expect(textIn({ kind: "request", id: "r7" })).toContain("2 attempts");
    expect(textIn({ kind: "request", id: "r3" })).not.toContain("attempts");
    expect(textIn({ kind: "account", id: "main" })).toMatch(/failures +1 in a row/);
    expect(detail({ kind: "account", id: "main" })).not.toContain("failures");
  });

  it("of a request that only the paused list still has are there as well", () => {
    const view = viewAt({ live: stateOf(), ui: { paused: stateOf(afternoon) } });
    expect(detailLines({ kind: "request", id: "r3" }, view, 100).map(textOf).join("\n")).toContain("wait until 14:00");
  });

  it("give the names ten columns where there are few", () => {
    expect(textOf(detailLines({ kind: "request", id: "r3" }, viewAt(), 40)[0] ?? { segments: [], selected: false })).toBe(` request    POST`.padEnd(12) + " /v1/messages");
  });

  it("say so when the thing is no longer in memory", () => expect(detail({ kind: "request", id: "gone" })).toContain("no longer in memory"));
});

const rowsAt = (scroll: number): readonly string[] => dashboardLines(viewAt({ ui: { overlay: { kind: "help" }, scroll } })).slice(4, 26).map((line) => textOf(line).trimEnd());

describe("an overlay", () => {
  it("takes the rows of the list and of its heads", () => {
    expect(rowsAt(0)[0]).toBe(" Keys");
    expect(rowsAt(0).at(-1)).toMatch(/^─+$/);
    expect(rowsAt(0).at(-2)).toMatch(/\S/);
  });

  it("ends with its last line, however far it is scrolled", () => {
    expect(rowsAt(1000).at(-2)).toBe(" also: claude-oauth-proxy status | doctor | env | run -- COMMAND");
    expect(rowsAt(1000)[0]).toMatch(/\S/);
  });
});
