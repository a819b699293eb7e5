// One answer as the Messages API sends it: a JSON message, or the flow of server-sent events
// message_start → (content_block_start, …_delta, …_stop) per block → message_delta → message_stop.
import type { Answer, Block, Usage } from "./answer.ts";

const usageBody = (usage: Usage) => ({
  ...usage,
  cache_creation: { ephemeral_5m_input_tokens: usage.cache_creation_input_tokens, ephemeral_1h_input_tokens: 0 },
  service_tier: "standard",
});

/** The body of an answer without `stream`. */
export const messageBody = ({ id, model, blocks, stopReason, usage }: Answer) => ({
  id,
  type: "message",
  role: "assistant",
  model,
  content: blocks,
  stop_reason: stopReason,
  stop_sequence: null,
  usage: usageBody(usage),
});

/** `event:` and `data:` lines with the blank line that dispatches them. */
export const sseEvent = (data: { readonly type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const pieces = (text: string, size: number): readonly string[] => {
  const signs = Array.from(text);
  return Array.from({ length: Math.ceil(signs.length / size) }, (_, at) => signs.slice(at * size, (at + 1) * size).join(""));
};

const opened = (block: Block): object => {
  if (block.type === "text") return { type: "text", text: "" };
  return block.type === "thinking" ? { type: "thinking", thinking: "", signature: "" } : { ...block, input: {} };
};

const deltas = (block: Block): readonly object[] => {
  if (block.type === "text") return pieces(block.text, 16).map((text) => ({ type: "text_delta", text }));
  if (block.type === "tool_use") {
    return pieces(JSON.stringify(block.input), 12).map((partial_json) => ({ type: "input_json_delta", partial_json }));
  }
  const thoughts = pieces(block.thinking, 16).map((thinking) => ({ type: "thinking_delta", thinking }));
  return [...thoughts, { type: "signature_delta", signature: block.signature }];
};

const blockEvents = (block: Block, index: number): readonly string[] => [
  sseEvent({ type: "content_block_start", index, content_block: opened(block) } as { type: string }),
  ...deltas(block).map((delta) => sseEvent({ type: "content_block_delta", index, delta } as { type: string })),
  sseEvent({ type: "content_block_stop", index } as { type: string }),
];

/** Complete events in order. The usage of `message_delta` is cumulative: it repeats what the start said. */
export const answerEvents = (answer: Answer): readonly string[] => {
  const message = { ...messageBody(answer), content: [], stop_reason: null, usage: usageBody({ ...answer.usage, output_tokens: 1 }) };
  const [first = "", ...rest] = answer.blocks.flatMap(blockEvents);
  const end = { type: "message_delta", delta: { stop_reason: answer.stopReason, stop_sequence: null }, usage: answer.usage };
  return [sseEvent({ type: "message_start", message } as { type: string }), first, sseEvent({ type: "ping" }), ...rest, sseEvent(end), sseEvent({ type: "message_stop" })];
};
