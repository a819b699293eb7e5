// Anthropic's own client against the simulated service: what it cannot parse is wrong here.
import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { start } from "./kit.ts";
import type { Upstream } from "../../src/demo/upstream.ts";

const client = (upstream: Upstream): Anthropic => new Anthropic({ baseURL: upstream.baseUrl, apiKey: upstream.issueApiKey().reveal(), maxRetries: 0 });
const question = { model: "claude-opus-4-8", max_tokens: 500, messages: [{ role: "user" as const, content: "hello" }] };

describe("@anthropic-ai/sdk", () => {
  it("reads a message and a stream to the same end", async () => {
    const upstream = await start();
    const message = await client(upstream).messages.create(question);
    const streamed = await client(upstream).messages.stream(question).finalMessage();
    expect(streamed.content).toEqual(message.content);
    expect(streamed.usage.output_tokens).toBe(message.usage.output_tokens);
    expect(streamed.stop_reason).toBe("end_turn");
  });

  it("assembles thinking and a scripted tool call", async () => {
    const upstream = await start();
    const blocks = [
      { type: "thinking", thinking: "hm", signature: "sig" },
      { type: "tool_use", id: "toolu_1", name: "Read", input: { file_path: "/x", text: "späße ✓" } },
    ] as const;
    upstream.script({ fault: { kind: "answer", blocks } });
    const message = await client(upstream).messages.stream(question).finalMessage();
    expect([message.content, message.stop_reason]).toEqual([blocks, "tool_use"]);
  });

  it("counts tokens and lists models", async () => {
    const upstream = await start();
    const { max_tokens: _, ...count } = question;
    expect((await client(upstream).messages.countTokens(count)).input_tokens).toBeGreaterThan(0);
    const models = await client(upstream).models.list();
    expect(models.data.length).toBeGreaterThan(0);
  });

  it.each([
    [{ kind: "overloaded" }, 529, "overloaded_error"],
    [{ kind: "plan-limit" }, 429, "rate_limit_error"],
    [{ kind: "status", status: 400 }, 400, "invalid_request_error"],
  ] as const)("sees %o as its own error class", async (fault, status, type) => {
    const upstream = await start();
    upstream.script({ fault });
    await expect(client(upstream).messages.create(question)).rejects.toMatchObject({ status, error: { error: { type } }, requestID: expect.stringMatching(/^req_011/) });
  });

  it("sees an error in the middle of a stream", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "stream-error", message: "Overloaded" } });
    await expect(client(upstream).messages.stream(question).finalMessage()).rejects.toThrow("Overloaded");
  });
});
