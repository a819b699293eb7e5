import { describe, expect, it } from "vitest";
import { initialState } from "../../src/state/state.ts";
import { reduceAll } from "../../src/state/reduce.ts";
import { maxRows } from "../../src/state/requests.ts";
import type { Event } from "../../src/messages/events.ts";
import type { RequestRow, RequestsState } from "../../src/state/state.ts";
import { fact } from "./facts.ts";

const after = (...events: readonly Event[]): RequestsState => reduceAll(initialState({ version: "1", mode: "oauth" }), events).requests;
const rowAfter = (...events: readonly Event[]): RequestRow | undefined => after(fact("request.received"), ...events).rows[0];

describe("one request", () => {
  it("is open from its reception on, and connecting", () => {
    expect(rowAfter()).toMatchObject({ id: "r1", outcome: null, phase: "connecting", receivedAt: 1000, bytesIn: 1000 });
  });

  it("carries the account that serves it and the model it asked for", () => {
    expect(rowAfter(fact("request.assigned"), fact("attempt.started", { attempt: 2 }))).toMatchObject({ accountId: "main", pickReason: "only", attempts: 2, modelAsked: "claude-sonnet-4-5" });
  });

  it("waits after the headers of a stream, and receives a body after other headers", () => {
    expect(rowAfter(fact("response.started"))).toMatchObject({ status: 200, phase: "waiting", ttfbMs: 400, lastByteAt: 1000 });
    expect(rowAfter(fact("response.started", { contentType: "application/json" }))?.phase).toBe("body");
    expect(rowAfter(fact("response.started", { contentType: null }))?.phase).toBe("body");
  });

  it("follows the phases, and only further bytes are a sign of life", () => {
    const thinking = fact("response.progress", { at: 5000, phase: "thinking", bytesOut: 10 });
    const tool = fact("response.progress", { at: 9000, phase: "tool", bytesOut: 10 });
    const row = rowAfter(fact("response.started", { at: 2000 }), thinking, tool);
    expect(row).toMatchObject({ phase: "tool", lastByteAt: 5000, longestSilenceMs: 3000, bytesOut: 10 });
  });

  it("takes the running count of output tokens until the usage report", () => {
    const row = rowAfter(fact("response.progress", { outputTokens: 40 }), fact("response.progress", { bytesOut: 200, outputTokens: null }));
    expect(row?.outputTokens).toBe(40);
    const counts = { inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheCreationTokens: null, model: null, stopReason: null };
    expect(rowAfter(fact("usage.updated", { cacheCreationTokens: 5 }), fact("usage.updated", counts))).toMatchObject({
      inputTokens: 200, outputTokens: 310, cacheReadTokens: 18_000, cacheCreationTokens: 5, model: "claude-sonnet-4-5", stopReason: "end_turn",
    });
    expect(rowAfter(fact("usage.updated", { outputTokens: 310 }))).toMatchObject({ inputTokens: 200, outputTokens: 310, cacheReadTokens: 18_000, stopReason: "end_turn" });
  });

  it("keeps from a failed attempt what a later answer makes void", () => {
    expect(rowAfter(fact("attempt.failed"))).toMatchObject({ errorCode: "ENOTFOUND", attempts: 1 });
    expect(rowAfter(fact("attempt.failed"), fact("response.started"))).toMatchObject({ errorCode: null, message: null });
  });

  it("ends once: what comes later changes nothing but the usage", () => {
    const row = rowAfter(fact("request.finished"), fact("request.finished", { status: 500, outcome: "failed" }), fact("usage.updated"));
    expect(row).toMatchObject({ status: 200, outcome: "ok", finishedAt: 1000, outputTokens: 310 });
  });

  it("may be refused before anything was forwarded", () => {
    expect(rowAfter(fact("request.rejected", { at: 1250 }))).toMatchObject({ outcome: "rejected", status: 401, errorCode: "local-key", durationMs: 250, blame: "client" });
  });
});

const ended = (about: Parameters<typeof fact<"request.finished">>[1]) => after(fact("request.received"), fact("request.finished", about));

const receivedAt = (requestId: string, ms: number) => fact("request.received", { requestId, at: ms });

describe("the counters", () => {
  it.each([
    [{ outcome: "ok", status: 200 }, [1, 0, 0]],
    [{ outcome: "upstream-error", status: 429 }, [0, 1, 0]],
    [{ outcome: "upstream-error", status: 529 }, [0, 0, 1]],
    [{ outcome: "timeout", status: null }, [0, 0, 1]],
    [{ outcome: "failed", status: 200 }, [0, 0, 1]],
    [{ outcome: "client-left", status: 200 }, [0, 0, 0]],
    [{ outcome: "shutdown", status: null }, [0, 0, 0]],
  ] as const)("%j counts as %j (ok, client, server)", (about, [ok, client, server]) => {
    expect(ended(about)).toMatchObject({ ok, clientErrors: client, serverErrors: server, inFlight: 0, total: 1 });
  });

  it("count a usage report that is corrected by a later one only once", () => {
    const state = after(fact("request.received"), fact("usage.updated", { outputTokens: 100 }), fact("usage.updated", { outputTokens: 310 }));
    expect(state).toMatchObject({ inputTokens: 200, outputTokens: 310, cacheReadTokens: 18_000 });
  });

  it("remember when the upstream last answered well, and how fast", () => {
    const first = [fact("request.received"), fact("response.started", { at: 5000, ttfbMs: 7 })];
    const second = [fact("request.received", { requestId: "r2" }), fact("response.started", { requestId: "r2", at: 6000, status: 529, ttfbMs: 9 })];
    const state = after(...first, ...second);
    expect(state).toMatchObject({ lastUpstreamOkAt: 5000, recentTtfb: [7, 9] });
  });

  it("forget starts that are more than a minute older than the newest", () => {
    expect(after(receivedAt("a", 0), receivedAt("b", 30_000), receivedAt("c", 60_001)).recentStarts).toEqual([30_000, 60_001]);
    expect(after(receivedAt("a", 1), receivedAt("b", 60_000)).recentStarts).toEqual([1, 60_000]);
  });
});

const many = (count: number, from = 0): readonly Event[] =>
  Array.from({ length: count }, (_, index) => [fact("request.received", { requestId: `m${from + index}` }), fact("request.finished", { requestId: `m${from + index}` })]).flat();

describe("the rows", () => {
  it("are newest first, and the oldest closed ones go when there are more than 500", () => {
    const state = after(...many(maxRows + 30));
    expect(state.rows).toHaveLength(maxRows);
    expect(state.rows[0]?.id).toBe(`m${maxRows + 29}`);
    expect(state.rows.at(-1)?.id).toBe("m30");
    expect(state.total).toBe(maxRows + 30);
  });

  it("never lose a request that is still open", () => {
    const state = after(fact("request.received", { requestId: "old" }), ...many(maxRows + 30));
    expect(state.rows.at(-1)).toMatchObject({ id: "old", outcome: null });
    expect(state.rows).toHaveLength(maxRows);
  });

  it("grow beyond 500 only by open requests", () => {
    const open = Array.from({ length: maxRows + 10 }, (_, index) => fact("request.received", { requestId: `o${index}` }));
    expect(after(...open, ...many(5)).rows).toHaveLength(maxRows + 10);
  });
});
