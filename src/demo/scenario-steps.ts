// The demo's traffic as a list: which session asks for what, in which order. Pure; nothing is sent here.
import type { DemoWish } from "./scenario-wishes.ts";

/** `main` and `side` are two sessions; the subagents belong to the second. */
export type Voice = "main" | "side" | "subagent-1" | "subagent-2";

export type Step = {
  readonly voice: Voice;
  readonly path: "/v1/messages?beta=true" | "/v1/messages/count_tokens?beta=true";
  readonly model: string;
  readonly stream: boolean;
  readonly thinking: boolean;
  readonly wish: DemoWish | null;
  /** The client leaves after that many chunks of the answer. */
  readonly leaveAfterChunks: number | null;
};

const step = (voice: Voice, change: Partial<Step> = {}): Step => ({
  voice,
  path: "/v1/messages?beta=true",
  model: "claude-opus-4-8",
  stream: true,
  thinking: false,
  wish: null,
  leaveAfterChunks: null,
  ...change,
});

const haiku = { model: "claude-haiku-4-5-20251001", stream: false } as const;

/** One round; steps of one group run side by side. */
export const rounds: readonly (readonly Step[])[] = [
  [step("main", { path: "/v1/messages/count_tokens?beta=true", stream: false }), step("main", haiku)],
  [step("main", { wish: "tool", thinking: true })],
  [step("main", { wish: "essay", thinking: true }), step("side", { thinking: true })],
  [step("side", { wish: "tool" })],
  [step("subagent-1", { model: "claude-sonnet-4-6", wish: "essay" }), step("subagent-2", { model: "claude-sonnet-4-6" })],
  [step("main", { wish: "throttle" })],
  [step("main", { thinking: true })],
  [step("subagent-1", { model: "claude-sonnet-4-6", wish: "tool" }), step("main", { wish: "essay", leaveAfterChunks: 5 })],
  [step("side", { wish: "overloaded" })],
  [step("side", { wish: "essay" }), step("main", haiku)],
  [step("main", { wish: "broken" })],
  [step("main", { wish: "tool", thinking: true }), step("side")],
];

/** Long enough for a prompt cache: about 5,000 tokens of instructions and tools. */
const system = [{ type: "text", text: "You are taking part in a demonstration. ".repeat(450), cache_control: { type: "ephemeral" } }];

const tools = ["Read", "Edit", "Bash", "Grep"].map((name) => ({
  name,
  description: `The tool ${name} of the demonstration. `.repeat(8),
  input_schema: { type: "object", properties: { file_path: { type: "string" } } },
}));

/** The conversation grows by a turn with each request and starts again after twelve. */
export const bodyOf = ({ model, stream, thinking, path }: Step, turn: number): string => {
  const turns = turn % 12;
  const earlier = Array.from({ length: turns }, (_, at) => [
    { role: "user", content: `Please do part ${at + 1} of the work. ${"Some context that both of us know by now. ".repeat(10)}` },
    { role: "assistant", content: `Part ${at + 1} is done. ${"Here is what was changed and why. ".repeat(10)}` },
  ]).flat();
  const messages = [...earlier, { role: "user", content: `And now part ${turns + 1}, please.` }];
  const limits = path.includes("count_tokens") ? {} : { max_tokens: 4096, stream };
  return JSON.stringify({ model, ...limits, ...(thinking ? { thinking: { type: "enabled", budget_tokens: 2048 } } : {}), system, tools, messages });
};
