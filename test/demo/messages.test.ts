// The Messages API: shapes, checks, limits; and that the same question gets the same bytes.
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../helpers/fake-clock.ts";
import type { Upstream } from "../../src/demo/upstream.ts";
import { ask, eventsOf, hello, keyHeaders, oauthHeaders, start } from "./kit.ts";

const errorOf = async (response: Response) => [response.status, ((await response.json()) as { error: { type: string; message: string } }).error] as const;

const longPrompt = { system: "word ".repeat(2000) };

describe("a streamed answer", () => {
  it("flows from message_start to message_stop with a ping, usage last cumulative", async () => {
    const upstream = await start();
    const response = await ask(upstream, { stream: true });
    const events = eventsOf(await response.text());
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const order = events.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1]);
    expect(order).toEqual(["message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]);
    expect(events[0]).toMatchObject({ message: { role: "assistant", content: [], usage: { input_tokens: expect.any(Number), output_tokens: 1 } } });
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "end_turn" }, usage: { output_tokens: expect.any(Number) } });
  });

  it("thinks first when it was asked to, and signs the thought", async () => {
    const upstream = await start();
    const events = eventsOf(await (await ask(upstream, { stream: true, thinking: { type: "enabled", budget_tokens: 1024 } })).text());
    const starts = events.filter(({ type }) => type === "content_block_start").map((event) => (event["content_block"] as { type: string }).type);
    expect(starts).toEqual(["thinking", "text"]);
    expect(events.some((event) => (event["delta"] as { type?: string } | undefined)?.type === "signature_delta")).toBe(true);
  });

  it("says the same as the JSON answer, and the same again", async () => {
    const upstream = await start();
    const whole = (await (await ask(upstream)).json()) as { id: string; content: { text: string }[] };
    const [one, two] = [await (await ask(upstream, { stream: true })).text(), await (await ask(upstream, { stream: true })).text()];
    const text = eventsOf(one).map((event) => (event["delta"] as { text?: string } | undefined)?.text ?? "").join("");
    expect(one).toBe(two);
    expect(text).toBe(whole.content[0]?.text);
    expect(text).toContain("You said: “hello”");
    expect(one).toContain(whole.id);
  });

  it("repeats what the person said, not a tool's result or a client's reminder", async () => {
    const upstream = await start();
    const messages = [
      { role: "user", content: [{ type: "text", text: "read  it,\nplease" }, { type: "text", text: "<system-reminder>be kind</system-reminder>" }] },
      { role: "assistant", content: [{ type: "tool_use", id: "t", name: "Read", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "secret file" }] },
    ];
    const text = await (await ask(upstream, { messages })).text();
    expect(text).toContain("You said: “read it, please”");
    expect(text).not.toContain("secret file");
  });

  it("calls a tool only when it was scripted", async () => {
    const upstream = await start();
    const input = { file_path: "/tmp/x" };
    upstream.script({ fault: { kind: "answer", blocks: [{ type: "tool_use", id: "toolu_1", name: "Read", input }] } });
    const events = eventsOf(await (await ask(upstream, { stream: true })).text());
    const json = events.map((event) => (event["delta"] as { partial_json?: string } | undefined)?.partial_json ?? "").join("");
    expect(JSON.parse(json)).toEqual(input);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" } });
    expect((await (await ask(upstream)).json()) as object).toMatchObject({ stop_reason: "end_turn" });
  });

  it("paces its events by the clock", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock, chunkDelayMs: 1000 });
    const response = await ask(upstream, { stream: true });
    await upstream.waitFor(({ requests }) => (requests[0]?.bytesSent ?? 0) > 0);
    const first = upstream.requests[0]?.bytesSent ?? 0;
    expect(upstream.openStreams()).toBe(1);
    await upstream.waitFor(() => clock.pendingTimers() > 0);
    await clock.advance(1000);
    await upstream.waitFor(({ requests }) => (requests[0]?.bytesSent ?? 0) > first);
    await response.body?.cancel();
    await upstream.waitFor(({ openStreams }) => openStreams() === 0);
  });
});

const usageOf = async (upstream: Upstream, change: object) => ((await (await ask(upstream, change)).json()) as { usage: Record<string, number> }).usage;

describe("usage", () => {
  it("writes the cache with the first turn and reads it with the later ones", async () => {
    const upstream = await start();
    const first = await usageOf(upstream, longPrompt);
    expect(first).toMatchObject({ cache_read_input_tokens: 0, cache_creation_input_tokens: expect.toSatisfy((n: number) => n > 1024) });
    const messages = [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }];
    expect((await usageOf(upstream, { ...longPrompt, messages }))["cache_read_input_tokens"]).toBeGreaterThan(1024);
    expect(await usageOf(upstream, {})).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: 0 });
  });

  it("keeps to max_tokens and says so", async () => {
    const upstream = await start();
    const cut = (await (await ask(upstream, { max_tokens: 3 })).json()) as { stop_reason: string; usage: { output_tokens: number } };
    expect(cut).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 3 } });
  });

  it("is counted without an answer by count_tokens", async () => {
    const upstream = await start();
    const { max_tokens: _, ...body } = { ...hello, ...longPrompt };
    const headers = oauthHeaders(upstream.issueTokens().accessToken);
    const counted = await fetch(`${upstream.baseUrl}/v1/messages/count_tokens?beta=true`, { method: "POST", headers, body: JSON.stringify(body) });
    const usage = await usageOf(upstream, longPrompt);
    expect(await counted.json()).toEqual({ input_tokens: (usage["input_tokens"] ?? 0) + (usage["cache_creation_input_tokens"] ?? 0) });
  });
});

describe("a wrong request", () => {
  it.each([
    [{ model: undefined }, 400, "model: Field required"],
    [{ messages: undefined }, 400, "messages: Field required"],
    [{ messages: [] }, 400, "messages: at least one message is required"],
    [{ messages: [{ role: "robot", content: "x" }] }, 400, "messages.0.role: Input should be 'user' or 'assistant'"],
    [{ messages: [{ role: "user" }] }, 400, "messages.0.content: Field required"],
    [{ max_tokens: undefined }, 400, "max_tokens: Field required"],
    [{ max_tokens: 0 }, 400, "max_tokens: Input should be greater than or equal to 1"],
    [{ model: "gpt-4" }, 404, "model: gpt-4"],
  ])("%j is answered with %i", async (change, status, message) => {
    const upstream = await start();
    expect(await errorOf(await ask(upstream, change))).toEqual([status, { type: status === 404 ? "not_found_error" : "invalid_request_error", message }]);
  });

  it("is one that is no JSON, or has no anthropic-version", async () => {
    const upstream = await start();
    const headers = oauthHeaders(upstream.issueTokens().accessToken);
    expect(await errorOf(await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers, body: "{" }))).toMatchObject([400, { message: "The request body is not valid JSON" }]);
    const { "anthropic-version": _, ...without } = headers;
    const unversioned = await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers: without, body: JSON.stringify(hello) });
    expect(await errorOf(unversioned)).toEqual([400, { type: "invalid_request_error", message: "anthropic-version: header is required" }]);
  });

  it("is one over 32 MB, declared or chunked: 413, and the connection lives on", async () => {
    const upstream = await start({ maxBodyBytes: 100_000 });
    const headers = oauthHeaders(upstream.issueTokens().accessToken);
    const post = (body: BodyInit) => fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers, body, duplex: "half" } as RequestInit);
    expect((await post("x".repeat(100_001))).status).toBe(413);
    const streamed = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)), cancel: () => undefined });
    expect((await post(streamed)).status).toBe(413);
    expect((await post(JSON.stringify(hello))).status).toBe(200);
  });

  it("is any other path or method, in Anthropic's envelope with the request id", async () => {
    const upstream = await start();
    const response = await fetch(`${upstream.baseUrl}/v1/nothing`);
    const body = (await response.json()) as { request_id: string };
    expect(body).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    expect(body.request_id).toBe(response.headers.get("request-id"));
    expect((await fetch(`${upstream.baseUrl}/v1/messages`)).status).toBe(405);
  });
});

describe("models", () => {
  it("are listed up to the limit, and one by one", async () => {
    const upstream = await start();
    const headers = keyHeaders(upstream.issueApiKey());
    const get = async (path: string) => fetch(upstream.baseUrl + path, { headers });
    const list = (await (await get("/v1/models?limit=1000")).json()) as { data: { id: string }[] };
    expect(list).toMatchObject({ has_more: false, first_id: list.data[0]?.id });
    expect(await (await get("/v1/models?limit=1")).json()).toMatchObject({ has_more: true, data: [list.data[0]] });
    expect((await get("/v1/models?limit=1001")).status).toBe(400);
    expect(await (await get(`/v1/models/${list.data[1]?.id}`)).json()).toEqual(list.data[1]);
    expect((await get("/v1/models/none")).status).toBe(404);
  });

  it("answer HEAD with the headers alone", async () => {
    const upstream = await start();
    const response = await fetch(`${upstream.baseUrl}/v1/models`, { method: "HEAD", headers: keyHeaders(upstream.issueApiKey()) });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(0);
    expect(upstream.requests[0]?.bytesSent).toBe(0);
  });
});

const unified = (response: Response): Record<string, string> =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("anthropic-ratelimit-")).map(([name, value]) => [name.slice(20), value]));

describe("a subscription", () => {
  it("is told both windows, the binding one, and the organization", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock });
    const response = await ask(upstream);
    const now = clock.now() / 1000;
    expect(unified(response)).toMatchObject({
      "unified-status": "allowed",
      "unified-representative-claim": "seven_day",
      "unified-5h-utilization": "0.18",
      "unified-5h-reset": String(now + 5 * 3600),
      "unified-7d-utilization": "0.41",
      "unified-7d-reset": String(now + 7 * 24 * 3600),
    });
    expect(response.headers.get("anthropic-organization-id")).toMatch(/^a{8}-/);
  });

  it("uses its window up, is warned, and gets a fresh one after five hours", async () => {
    const clock = createFakeClock();
    const upstream = await start({ clock });
    const big = { system: "word ".repeat(280_000) };
    expect(unified(await ask(upstream, big))).toMatchObject({ "unified-5h-status": "allowed_warning", "unified-status": "allowed_warning", "unified-representative-claim": "five_hour" });
    clock.jump(5 * 3_600_000);
    expect(unified(await ask(upstream))).toMatchObject({ "unified-5h-utilization": "0", "unified-5h-status": "allowed" });
  });

  it("is refused by the window that a script names, with the seconds to wait", async () => {
    const upstream = await start({ clock: createFakeClock() });
    upstream.script({ fault: { kind: "plan-limit", window: "7d" } });
    const response = await ask(upstream);
    expect(response.status).toBe(429);
    expect(unified(response)).toMatchObject({ "unified-status": "rejected", "unified-7d-status": "rejected", "unified-5h-status": "allowed", "unified-representative-claim": "seven_day" });
    expect(Number(response.headers.get("retry-after"))).toBe(7 * 24 * 3600);
  });

  it("is not mentioned at all when the server is merely busy", async () => {
    const upstream = await start();
    upstream.script({ fault: { kind: "throttle", retryAfterSeconds: 3 } });
    const response = await ask(upstream);
    expect([response.status, response.headers.get("retry-after"), unified(response)]).toEqual([429, "3", {}]);
  });
});

describe("an API key", () => {
  it("is told the classic counters with RFC 3339 times", async () => {
    const upstream = await start({ clock: createFakeClock() });
    const response = await fetch(`${upstream.baseUrl}/v1/messages`, { method: "POST", headers: keyHeaders(upstream.issueApiKey()), body: JSON.stringify(hello) });
    expect(unified(response)).toMatchObject({ "requests-limit": "4000", "requests-remaining": "3999", "requests-reset": "2026-01-02T12:01:00.000Z" });
    expect(unified(response)["unified-status"]).toBeUndefined();
  });
});
