// What is learnt from an answer, however it is cut into chunks and however it is packed.
import * as fc from "fast-check";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { readerFor } from "../../src/proxy/answer-reader.ts";
import { createMeter } from "../../src/proxy/meter.ts";
import type { Meter } from "../../src/proxy/meter.ts";

const json = { "content-type": "application/json; charset=utf-8" };
const stream = { "content-type": "text/event-stream" };

const read = async (chunks: readonly Buffer[], table: Record<string, string>, status = 200): Promise<{ meter: Meter; faults: string[] }> => {
  const faults: string[] = [];
  const meter = createMeter({ status, headers: Object.entries(table).flat(), path: "/v1/messages" }, (reason) => faults.push(reason));
  for (const chunk of chunks) meter.push(chunk);
  meter.end();
  await meter.finished();
  return { meter, faults };
};

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
const start = event("message_start", { message: { model: "claude-x", usage: { input_tokens: 3, cache_creation_input_tokens: null, cache_read_input_tokens: 40, output_tokens: 1 } } });
const thinking = event("content_block_start", { index: 0, content_block: { type: "thinking", thinking: "" } });
const delta = event("message_delta", { delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9, input_tokens: null } });
const stop = event("message_stop", {});
const cutEvery = (bytes: Buffer, size: number): Buffer[] => Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));

describe("a streamed message", () => {
  it("counts are replaced by the last that is said, never added", async () => {
    const { meter } = await read([Buffer.from(start + thinking + delta + delta + stop)], stream);
    expect(meter.usage()).toEqual({ model: "claude-x", inputTokens: 3, outputTokens: 9, cacheReadTokens: 40, cacheCreationTokens: null, stopReason: "tool_use" });
    expect(meter.isIncomplete()).toBe(false);
  });

  it.each([
    ["thinking", "thinking"],
    ["redacted_thinking", "thinking"],
    ["text", "text"],
    ["tool_use", "tool"],
    ["server_tool_use", "tool"],
    ["something_new", "text"],
  ])("a %s block is the phase %s", (type, phase) => {
    const meter = createMeter({ status: 200, headers: Object.entries(stream).flat(), path: "/v1/messages" }, () => {});
    expect(meter.phase()).toBe("waiting");
    meter.push(Buffer.from(start + event("content_block_start", { index: 0, content_block: { type } })));
    expect(meter.phase()).toBe(phase);
  });

  it("events without a name are known by their type, unknown ones and odd values are tolerated", async () => {
    const nameless = (start + delta + stop).replace(/^event: .*\n/gm, "");
    const odd = 'event: new_kind\ndata: {"x":1}\n\nevent: message_delta\ndata: {"usage":{"output_tokens":"many","input_tokens":-1}}\n\nevent: message_delta\ndata: [nope\n\n: keep-alive\n\n';
    const { meter, faults } = await read([Buffer.from(nameless + odd)], stream);
    expect(meter.usage()).toMatchObject({ inputTokens: 3, outputTokens: 9 });
    expect(faults).toEqual([]);
  });

  it("however it is cut and packed, the same usage comes out (R2, R3)", async () => {
    const packers = [
      ["", (bytes: Buffer) => bytes],
      ["gzip", gzipSync],
      ["deflate", deflateSync],
      ["br", brotliCompressSync],
      ["zstd", zstdCompressSync],
    ] as const;
    const deltas = fc.array(fc.record({ count: fc.nat(10_000), text: fc.string({ unit: "grapheme", maxLength: 20 }) }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(deltas, fc.integer({ min: 1, max: 200 }), fc.constantFrom(...packers), fc.constantFrom("\n", "\r\n"), async (parts, size, [encoding, pack], end) => {
        const middle = parts.map(({ count, text: words }) => [
          event("content_block_delta", { delta: { type: "text_delta", text: words } }),
          event("message_delta", { delta: {}, usage: { output_tokens: count } }),
        ]);
        const text = start + middle.flat().join("") + stop;
        const bytes = pack(Buffer.from(text.replaceAll("\n", end)));
        const { meter, faults } = await read(cutEvery(bytes, size), encoding === "" ? stream : { ...stream, "content-encoding": encoding });
        expect(faults).toEqual([]);
        expect(meter.usage()).toMatchObject({ inputTokens: 3, cacheReadTokens: 40, outputTokens: parts.at(-1)?.count ?? 1 });
        expect(meter.isIncomplete()).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});

describe("a JSON message", () => {
  it("only the outermost usage counts, wherever the answer was cut", async () => {
    const answer = {
      id: "m",
      content: [{ type: "tool_use", input: { usage: { input_tokens: 999 }, model: "other" } }, { type: "text", text: '"usage":{"input_tokens":1}' }],
      model: "claude-x", stop_reason: "end_turn", usage: { input_tokens: 5, output_tokens: 6 },
    };
    for (const size of [1, 7, 10_000]) {
      const { meter } = await read(cutEvery(Buffer.from(JSON.stringify(answer, null, size % 3)), size), json);
      expect(meter.usage()).toMatchObject({ model: "claude-x", inputTokens: 5, outputTokens: 6, stopReason: "end_turn" });
    }
  });

  it("an answer too large to keep is relayed without usage and without complaint", async () => {
    const { meter, faults } = await read([Buffer.from('{"usage":{"input_tokens":1},"x":"'), Buffer.alloc(2 * 1024 * 1024, "x"), Buffer.from('"}')], json);
    expect(meter.usage()).toBe(null);
    expect(faults).toEqual([]);
  });

  it("one that is announced as too large is not even begun to be kept", () => {
    const readers = [1024 * 1024, 1024 * 1024 + 1].map((length) => readerFor({ status: 200, path: "/v1/messages", headers: ["content-type", "application/json", "Content-Length", String(length)] }));
    expect(readers.map((reader) => reader !== null)).toEqual([true, false]);
  });
});

describe("errors", () => {
  it.each([
    ['{"type":"error","error":{"type":"invalid_request_error","message":"bad \\u001b]0;x\\u0007 \\u202e"}}', { type: "invalid_request_error", message: "bad ·]0;x· ·" }],
    ['{"error":"invalid_grant","error_description":"Refresh token expired"}', { type: "invalid_grant", message: "Refresh token expired" }],
    ["<html><body>Attention Required!</body></html>", { type: null, message: null }],
    ['{"error":{"__proto__":{"type":"x"}}}', { type: null, message: null }],
    ["[]", { type: null, message: null }],
  ])("the upstream's own words are read from %s", async (body, expected) => {
    const { meter } = await read([gzipSync(Buffer.from(body))], { "content-encoding": "gzip" }, 400);
    expect(meter.error()).toMatchObject(expected);
  });
});

describe("a reading that fails", () => {
  it.each([
    ["bytes that are not gzip", Buffer.from("no gzip at all"), { ...json, "content-encoding": "gzip" }],
    ["a br that breaks off", brotliCompressSync(Buffer.alloc(10_000, "abc")).subarray(0, 12), { ...json, "content-encoding": "br" }],
  ])("%s is one fault, and the meter still settles (R13)", async (_, body, table) => {
    const { meter, faults } = await read([body, Buffer.from("more")], table);
    expect(faults).toEqual(["encoding"]);
    expect(meter.usage()).toBe(null);
  });

  it.each([["as it came", {}], ["compressed", { "content-encoding": "gzip" }]])("a usage that is no JSON, %s, is one fault however often it is asked for", async (_, encoding) => {
    const body = Buffer.from('{"model":"m","usage":{oops}}');
    const { meter, faults } = await read(["content-encoding" in encoding ? gzipSync(body) : body], { ...json, ...encoding });
    expect([meter.usage(), meter.usage(), meter.isIncomplete()]).toEqual([null, null, false]);
    expect(faults).toEqual(["reader"]);
  });

  it("an encoding nobody knows, or several, are left unread without complaint", async () => {
    for (const encoding of ["compress", "gzip, br"]) {
      const { meter, faults } = await read([Buffer.from("x")], { ...json, "content-encoding": encoding });
      expect([meter.usage(), faults]).toEqual([null, []]);
    }
  });

  it("a bomb is given up when it has grown too large", async () => {
    const bomb = gzipSync(Buffer.alloc(66 * 1024 * 1024));
    const { faults } = await read(cutEvery(bomb, 64 * 1024), { ...stream, "content-encoding": "gzip" });
    expect(faults).toEqual(["too-much"]);
  });

  it("a meter that is stopped settles and ignores what still comes", async () => {
    const meter = createMeter({ status: 200, headers: [...Object.entries(stream).flat(), "content-encoding", "gzip"], path: "/v1/messages" }, () => {});
    meter.push(gzipSync(start).subarray(0, 20));
    meter.stop();
    meter.push(Buffer.from("late"));
    await meter.finished();
    expect(meter.isIncomplete()).toBe(false);
  });
});
