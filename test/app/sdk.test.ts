// The official TypeScript SDK through the whole proxy, as a program of the user's would use it.
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { startApp, type RunningApp } from "../helpers/running-app.ts";

const question = { model: "claude-opus-4-8", max_tokens: 200, messages: [{ role: "user" as const, content: "Say something short." }] };

const clientOf = ({ listening, key }: RunningApp, maxRetries = 0): Anthropic => new Anthropic({ baseURL: listening.url, authToken: key, apiKey: null, maxRetries });

const signedIn = async (options: Parameters<typeof startApp>[0] = {}): Promise<RunningApp> => {
  const running = await startApp(options);
  await running.signIn();
  return running;
};

describe("the official SDK", () => {
  it("gets a whole message", async () => {
    const running = await signedIn();
    const message = await clientOf(running).messages.create(question);
    expect(message).toMatchObject({ type: "message", role: "assistant", model: question.model, stop_reason: "end_turn" });
    expect(message.usage.output_tokens).toBeGreaterThan(0);
  });

  it("gets a stream, event by event, to its end", async () => {
    const running = await signedIn();
    const stream = clientOf(running).messages.stream(question);
    const types = new Set<string>();
    for await (const event of stream) types.add(event.type);
    expect([...types]).toEqual(expect.arrayContaining(["message_start", "content_block_delta", "message_delta", "message_stop"]));
    expect((await stream.finalMessage()).stop_reason).toBe("end_turn");
  });

  it("counts tokens and lists models", async () => {
    const client = clientOf(await signedIn());
    expect((await client.messages.countTokens({ model: question.model, messages: question.messages })).input_tokens).toBeGreaterThan(0);
    expect((await client.models.list()).data.length).toBeGreaterThan(0);
  });

  it("sees the upstream's own error, type, sentence and request id", async () => {
    const running = await signedIn();
    running.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "overloaded" } });
    const error = await clientOf(running).messages.create(question).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 529, error: { type: "error", error: { type: "overloaded_error" } } });
    expect((await running.event("request.finished", ({ status }) => status === 529)).blame).toBe("overload");
  });

  it("is told by an exception of its own when the stream breaks off, never by a clean end", async () => {
    const running = await signedIn();
    running.upstream.script({ match: { path: "/v1/messages" }, fault: { kind: "reset", afterBytes: 400 } });
    const stream = clientOf(running).messages.stream(question);
    await expect(stream.finalMessage()).rejects.toThrow();
    expect(await running.event("request.finished")).toMatchObject({ outcome: "failed", blame: "upstream" });
  });

  it("does not notice that its token expired between two requests", async () => {
    const running = await signedIn();
    const client = clientOf(running);
    await client.messages.create(question);
    running.upstream.expireAccessTokens();
    await client.messages.create(question);
    expect(running.upstream.tokenCalls().refresh_token).toBe(1);
    expect((await running.event("token.refreshed")).reason).toBe("unauthorized");
  });

  it("is told to sign in when there is no account, in the error shape it knows", async () => {
    const running = await startApp();
    const error = await clientOf(running).messages.create(question).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 503, error: { type: "error", error: { type: "authentication_error" } } });
    expect(running.upstream.requestsTotal()).toBe(0);
  });

  it("is refused with a wrong local key before anything goes upstream", async () => {
    const running = await signedIn();
    const before = running.upstream.requestsTotal();
    const client = new Anthropic({ baseURL: running.listening.url, authToken: "not-the-key", apiKey: null, maxRetries: 0 });
    await expect(client.messages.create(question)).rejects.toMatchObject({ status: 401 });
    expect(running.upstream.requestsTotal()).toBe(before);
  });
});
