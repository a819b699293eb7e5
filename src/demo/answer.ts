// What the simulated model says, and the bytes of it. The answer is derived from the request alone, so that the
// same body gets the same answer, byte for byte. It echoes and never calls a tool, so that an agent ends its turn.
import { createHash } from "node:crypto";

export type Block =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: Readonly<Record<string, unknown>> };

export type Usage = {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
};

export type Answer = { readonly id: string; readonly model: string; readonly blocks: readonly Block[]; readonly stopReason: string; readonly usage: Usage };

/** The parts of a Messages request that the answer depends on. */
export type MessagesRequest = {
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly thinking: boolean;
  readonly system: unknown;
  readonly tools: unknown;
  readonly messages: readonly unknown[];
};

/** The ordinary answer: thinking when it was asked for, then one text. */
export const answerTo = (request: MessagesRequest): Answer => {
  const whole = `You said: “${lastUserText(request.messages)}”. ${sentences.join(" ")}`;
  const text = whole.slice(0, Math.max(1, request.maxTokens) * charactersPerToken);
  const thought: Block = { type: "thinking", thinking: "The person wants an answer; repeating the question is the honest one here.", signature: "c2ltdWxhdGVkIHNpZ25hdHVyZQ==" };
  const blocks: readonly Block[] = request.thinking ? [thought, { type: "text", text }] : [{ type: "text", text }];
  return answerWith(request, blocks, text.length < whole.length ? "max_tokens" : "end_turn");
};

/** An answer made of `blocks`, as a script gives them. */
export const answerWith = (request: MessagesRequest, blocks: readonly Block[], stopReason: string): Answer => ({
  id: `msg_01${createHash("sha256").update(JSON.stringify([request.model, request.messages])).digest("hex").slice(0, 22)}`,
  model: request.model,
  blocks,
  stopReason,
  usage: { ...inputUsage(request), output_tokens: blocks.reduce((sum, block) => sum + outputOf(block), 0) },
});

const sentences = [
  "This answer comes from the simulated Anthropic inside claude-oauth-proxy.",
  "No model was asked, and no real account is involved.",
  "It is cut into many small events, so that you can watch a stream at work.",
  "The same question gets the same answer every time.",
  "Ask something else, or press q in the dashboard to leave.",
];

/** What the person said last: tool results have no text, and reminders are the client's own. */
const lastUserText = (messages: readonly unknown[]): string => {
  const said = messages as readonly { readonly role?: unknown; readonly content?: unknown }[];
  const texts = said.filter((message) => message?.role === "user").flatMap(({ content }) => textsOf(content));
  const text = texts.findLast((one) => one.trim() !== "" && !one.trimStart().startsWith("<system-reminder>")) ?? "";
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
};

const textsOf = (content: unknown): readonly string[] => {
  if (typeof content === "string") return [content];
  if (!Array.isArray(content)) return [];
  const parts = content as readonly { readonly type?: unknown; readonly text?: unknown }[];
  return parts.filter((part) => part?.type === "text").map(({ text }) => String(text));
};

/** Everything but the last message counts as cached from the second turn on; the last one is written to the cache. */
export const inputUsage = (request: MessagesRequest): Omit<Usage, "output_tokens"> => {
  const fixed = tokensOf(request.system) + tokensOf(request.tools);
  const earlier = fixed + tokensOf(request.messages.slice(0, -1));
  const last = tokensOf(request.messages.at(-1));
  // Shorter prompts are not cached by the real service either (1024 tokens, prompt caching documentation).
  if (earlier + last < 1024) return { input_tokens: earlier + last, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  return request.messages.length > 1
    ? { input_tokens: 4, cache_creation_input_tokens: last, cache_read_input_tokens: earlier }
    : { input_tokens: last, cache_creation_input_tokens: earlier, cache_read_input_tokens: 0 };
};

const charactersPerToken = 4;

const tokensOf = (value: unknown): number => (value === undefined ? 0 : Math.ceil((typeof value === "string" ? value : JSON.stringify(value)).length / charactersPerToken));

const outputOf = (block: Block): number => tokensOf(block.type === "text" ? block.text : block.type === "thinking" ? block.thinking : block.input);

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

const usageBody = (usage: Usage) => ({
  ...usage,
  cache_creation: { ephemeral_5m_input_tokens: usage.cache_creation_input_tokens, ephemeral_1h_input_tokens: 0 },
  service_tier: "standard",
});

/**
 * The body of an answer with `stream`, one server-sent event each: message_start, then content_block_start,
 * …_delta and …_stop for each block, then message_delta, message_stop. The usage of `message_delta` is
 * cumulative: it repeats that of the start.
 */
export const answerEvents = (answer: Answer): readonly string[] => {
  const message = { ...messageBody(answer), content: [], stop_reason: null, usage: usageBody({ ...answer.usage, output_tokens: 1 }) };
  const [first = "", ...rest] = answer.blocks.flatMap(blockEvents);
  return [
    sseEvent("message_start", { message }),
    first,
    sseEvent("ping"),
    ...rest,
    sseEvent("message_delta", { delta: { stop_reason: answer.stopReason, stop_sequence: null }, usage: answer.usage }),
    sseEvent("message_stop"),
  ];
};

/** `event:` and `data:` lines with the blank line that dispatches them. */
export const sseEvent = (type: string, data: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

const blockEvents = (block: Block, index: number): readonly string[] => [
  sseEvent("content_block_start", { index, content_block: opened(block) }),
  ...deltas(block).map((delta) => sseEvent("content_block_delta", { index, delta })),
  sseEvent("content_block_stop", { index }),
];

const opened = (block: Block): object => {
  if (block.type === "text") return { type: "text", text: "" };
  return block.type === "thinking" ? { type: "thinking", thinking: "", signature: "" } : { ...block, input: {} };
};

const deltas = (block: Block): readonly object[] => {
  if (block.type === "text") return pieces(block.text, 16).map((text) => ({ type: "text_delta", text }));
  if (block.type === "tool_use") return pieces(JSON.stringify(block.input), 12).map((partial_json) => ({ type: "input_json_delta", partial_json }));
  const thoughts = pieces(block.thinking, 16).map((thinking) => ({ type: "thinking_delta", thinking }));
  return [...thoughts, { type: "signature_delta", signature: block.signature }];
};

const pieces = (text: string, size: number): readonly string[] => {
  const signs = Array.from(text);
  return Array.from({ length: Math.ceil(signs.length / size) }, (_, at) => signs.slice(at * size, (at + 1) * size).join(""));
};
