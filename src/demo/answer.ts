// What the simulated model says: derived from the request alone, so that the same body gets the same
// answer, byte for byte. It echoes and never calls a tool by itself, so that an agent ends its turn.
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
export type Asked = {
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly thinking: boolean;
  readonly system: unknown;
  readonly tools: unknown;
  readonly messages: readonly unknown[];
};

/** About four characters to a token. */
const tokensOf = (value: unknown): number => (value === undefined ? 0 : Math.ceil((typeof value === "string" ? value : JSON.stringify(value)).length / 4));

const textsOf = (content: unknown): readonly string[] => {
  if (typeof content === "string") return [content];
  if (!Array.isArray(content)) return [];
  const parts = content as readonly { readonly type?: unknown; readonly text?: unknown }[];
  return parts.filter((part) => part?.type === "text").map(({ text }) => String(text));
};

/** What the person said last: tool results have no text, and reminders are the client's own. */
const lastUserText = (messages: readonly unknown[]): string => {
  const said = messages as readonly { readonly role?: unknown; readonly content?: unknown }[];
  const texts = said.filter((message) => message?.role === "user").flatMap(({ content }) => textsOf(content));
  const text = texts.findLast((one) => one.trim() !== "" && !one.trimStart().startsWith("<system-reminder>")) ?? "";
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
};

const sentences = [
  "This answer comes from the simulated Anthropic inside claude-oauth-proxy.",
  "No model was asked, and no real account is involved.",
  "It is cut into many small events, so that you can watch a stream at work.",
  "The same question gets the same answer every time.",
  "Ask something else, or press q in the dashboard to leave.",
];

const say = (asked: Asked): string => `You said: “${lastUserText(asked.messages)}”. ${sentences.join(" ")}`;

/** Everything but the last message counts as cached from the second turn on; the last one is written to it. */
export const inputUsage = (asked: Asked): Omit<Usage, "output_tokens"> => {
  const fixed = tokensOf(asked.system) + tokensOf(asked.tools);
  const earlier = fixed + tokensOf(asked.messages.slice(0, -1));
  const last = tokensOf(asked.messages.at(-1));
  // Shorter prompts are not cached by the real service either (1024 tokens, prompt caching documentation).
  if (earlier + last < 1024) return { input_tokens: earlier + last, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  return asked.messages.length > 1
    ? { input_tokens: 4, cache_creation_input_tokens: last, cache_read_input_tokens: earlier }
    : { input_tokens: last, cache_creation_input_tokens: earlier, cache_read_input_tokens: 0 };
};

const cut = (text: string, maxTokens: number): string => text.slice(0, Math.max(1, maxTokens) * 4);

const outputOf = (block: Block): number => tokensOf(block.type === "text" ? block.text : block.type === "thinking" ? block.thinking : block.input);

/** Puts `blocks` into an answer; used by scripts as well. */
export const answerWith = (asked: Asked, blocks: readonly Block[], stopReason: string): Answer => ({
  id: `msg_01${createHash("sha256").update(JSON.stringify([asked.model, asked.messages])).digest("hex").slice(0, 22)}`,
  model: asked.model,
  blocks,
  stopReason,
  usage: { ...inputUsage(asked), output_tokens: blocks.reduce((sum, block) => sum + outputOf(block), 0) },
});

/** The ordinary answer: thinking when it was asked for, then one text. */
export const answer = (asked: Asked): Answer => {
  const whole = say(asked);
  const text = cut(whole, asked.maxTokens);
  const thought: Block = { type: "thinking", thinking: "The person wants an answer; repeating the question is the honest one here.", signature: "c2ltdWxhdGVkIHNpZ25hdHVyZQ==" };
  const blocks: readonly Block[] = asked.thinking ? [thought, { type: "text", text }] : [{ type: "text", text }];
  return answerWith(asked, blocks, text.length < whole.length ? "max_tokens" : "end_turn");
};
