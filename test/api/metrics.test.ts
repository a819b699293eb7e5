// GET /metrics: what was counted, in the text format, with a bounded number of series.
import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/messages/events.ts";
import { added } from "./fake-commands.ts";
import { ask, bodyOf, head, headerOf, startServer } from "../server/kit.ts";

const scrape = async (port: number): Promise<string> => bodyOf(await ask(port, head(port, "GET /metrics")));

const finished = (fields: Partial<Extract<EventDraft, { type: "request.finished" }>> = {}): EventDraft => ({
  type: "request.finished", requestId: "r1", status: 200, outcome: "ok", durationMs: 1500, ttfbMs: 300, longestSilenceMs: 10, bytesIn: 100, bytesOut: 2000,
  attempts: 1, upstreamRequestId: null, blame: null, errorCode: null, message: null, nextStep: null, ...fields,
});

const usage = (requestId: string, outputTokens: number | null, inputTokens: number | null = null): EventDraft => ({
  type: "usage.updated", requestId, model: "m", inputTokens, outputTokens, cacheReadTokens: null, cacheCreationTokens: null, stopReason: null,
});

describe("/metrics", () => {
  it("counts requests, failures, bytes and times", async () => {
    await using own = await startServer();
    own.publish(finished());
    own.publish(finished({ requestId: "r2", status: 529, outcome: "upstream-error", blame: "overload", errorCode: "overloaded_error" }));
    own.publish(finished({ requestId: "r3", status: null, outcome: "client-left" }));
    const text = await scrape(own.port);
    expect(text).toContain('claude_oauth_proxy_requests_total{outcome="ok",status="2xx"} 1');
    expect(text).toContain('claude_oauth_proxy_requests_total{outcome="upstream-error",status="5xx"} 1');
    expect(text).toContain('claude_oauth_proxy_requests_total{outcome="client-left",status="none"} 1');
    expect(text).toContain('claude_oauth_proxy_failures_total{blame="overload",code="overloaded_error"} 1');
    expect(text).toContain('claude_oauth_proxy_bytes_total{direction="out"} 6000');
    expect(text).toContain("claude_oauth_proxy_request_duration_seconds_count 3");
    expect(text).toContain("claude_oauth_proxy_request_duration_seconds_sum 4.5\n");
    expect(text).toContain('claude_oauth_proxy_request_duration_seconds_bucket{le="1"} 0');
    expect(text).toContain('claude_oauth_proxy_request_duration_seconds_bucket{le="2.5"} 3');
    expect(text).toContain('claude_oauth_proxy_info{version="1.2.3",mode="oauth"} 1');
  });

  it("counts the time to the answer's head in seconds, failed attempts and jumps of the clock", async () => {
    await using own = await startServer();
    own.publish({ type: "response.started", requestId: "r1", status: 200, ttfbMs: 250, upstreamRequestId: null, contentType: null, contentEncoding: null, retryAfter: null });
    own.publish({ type: "attempt.failed", requestId: "r1", attempt: 1, code: "upstream-unreachable", message: "" });
    own.publish({ type: "clock.jumped", deltaMs: 60_000, kind: "suspend" });
    const text = await scrape(own.port);
    expect(text).toContain("claude_oauth_proxy_first_byte_seconds_sum 0.25\n");
    expect(text).toContain('claude_oauth_proxy_first_byte_seconds_bucket{le="0.1"} 0');
    expect(text).toContain('claude_oauth_proxy_failed_attempts_total{code="upstream-unreachable"} 1');
    expect(text).toContain('claude_oauth_proxy_clock_jumps_total{kind="suspend"} 1');
  });

  it("counts open requests, cached tokens and adopted tokens", async () => {
    await using own = await startServer();
    own.publish({ type: "request.received", requestId: "r1", method: "POST", path: "/v1/messages", client: "", sessionId: null, agentId: null, parentAgentId: null, bodyBytes: null });
    own.publish({ type: "usage.updated", requestId: "r1", model: "m", inputTokens: null, outputTokens: null, cacheReadTokens: 30, cacheCreationTokens: 20, stopReason: null });
    own.publish({ type: "token.adopted", accountId: "max-1", reason: "lead", newExpiresAt: null, renewable: true, heldBy: 7 });
    const text = await scrape(own.port);
    expect(text).toContain("claude_oauth_proxy_in_flight 1\n");
    expect(text).toContain('claude_oauth_proxy_tokens_total{kind="cache_read"} 30');
    expect(text).toContain('claude_oauth_proxy_tokens_total{kind="cache_creation"} 20');
    expect(text).toContain('claude_oauth_proxy_token_refreshes_total{account="max-1",result="adopted"} 1');
  });

  it("tokens that are told again and again are counted once", async () => {
    await using own = await startServer();
    own.publish(usage("r1", 1, 50));
    own.publish(usage("r1", 40));
    own.publish(usage("r1", 40, 50));
    own.publish(usage("r2", 5, 7));
    own.publish(finished());
    const text = await scrape(own.port);
    expect(text).toContain('claude_oauth_proxy_tokens_total{kind="output"} 45');
    expect(text).toContain('claude_oauth_proxy_tokens_total{kind="input"} 57');
  });

  it("shows refreshes, limits, accounts and refusals", async () => {
    await using own = await startServer();
    own.publish(added({ health: "limited" }));
    own.publish({ type: "token.refreshed", accountId: "max-1", reason: "lead", durationMs: 5, oldExpiresAt: null, newExpiresAt: null });
    own.publish({ type: "token.refresh-failed", accountId: "max-1", reason: "lead", errorCode: "x", message: "", failures: 1, nextTryAt: null });
    own.publish({ type: "limits.updated", accountId: "max-1", window: "5h", status: "allowed", utilization: 0.83, resetsAt: null, representative: true });
    await ask(own.port, head(own.port, "GET /v1/models", { "x-api-key": "wrong" }));
    const text = await scrape(own.port);
    expect(text).toContain('token_refreshes_total{account="max-1",result="refreshed"} 1');
    expect(text).toContain('token_refreshes_total{account="max-1",result="refresh-failed"} 1');
    expect(text).toContain('limit_utilization{account="max-1",window="5h"} 0.83');
    expect(text).toContain('claude_oauth_proxy_accounts{health="limited"} 1');
    expect(text).toContain('rejected_total{code="local-key"} 1');
    own.publish({ type: "account.removed", accountId: "max-1", reason: "signed out" });
    expect(await scrape(own.port)).not.toContain("0.83");
  });

  it("names from outside cannot fill the memory, and cannot break the format", async () => {
    await using own = await startServer();
    for (let index = 0; index < 5000; index += 1) {
      own.publish({ type: "limits.updated", accountId: "max-1", window: `w"${index}\\`, status: null, utilization: 1, resetsAt: null, representative: false });
    }
    const text = await scrape(own.port);
    expect(text.split("\n").filter((line) => line.includes("limit_utilization{")).length).toBeLessThanOrEqual(201);
    expect(text).toContain('window="w\\"0\\\\"');
    expect(text).toContain('limit_utilization{account="other",window="other"} 1');
  });

  it("two scrapes count nothing twice", async () => {
    await using own = await startServer();
    own.publish(finished());
    const first = await scrape(own.port);
    expect(await scrape(own.port)).toBe(first);
    expect(headerOf(await ask(own.port, head(own.port, "GET /metrics")), "content-type")).toContain("text/plain; version=0.0.4");
  });
});
