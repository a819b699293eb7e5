// Demo traffic through the proxy: two sessions, subagents, a token count, now and then a limit, an
// overload, a client that leaves. Bounded: one group of at most two requests at a time, a pause after
// each, a longer one while no account is signed in. It says that it is the demo and never claims to be
// another client.
import { sleep } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { Block } from "./answer.ts";
import type { Fault, Rule, RuleHandle } from "./faults.ts";

export type ScenarioDeps = {
  /** The proxy's address. */
  readonly baseUrl: string;
  /** The local key; null when the proxy asks for none. */
  readonly key: Secret | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof fetch;
  /** `script` of the embedded upstream: the limits and overloads are made there. */
  readonly script: (rule: Rule) => RuleHandle;
  readonly version: string;
};

export type Scenario = {
  start(): void;
  /** Leaves every open request; resolves when nothing runs any more. */
  stop(): Promise<void>;
};

type Run = ScenarioDeps & { readonly signal: AbortSignal; readonly ids: Readonly<Record<"main" | "side" | "agent-1" | "agent-2", string>> };

/** Nothing runs before `start`. */
export const createScenario = (deps: ScenarioDeps): Scenario => {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  return {
    start() {
      if (running !== null || stopping.signal.aborted) return;
      const ids = { main: uuid(deps.random), side: uuid(deps.random), "agent-1": uuid(deps.random), "agent-2": uuid(deps.random) };
      const rules = effectRules.map((rule) => deps.script(rule));
      running = play({ ...deps, signal: stopping.signal, ids }).finally(() => {
        for (const rule of rules) rule.remove();
      });
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
};

const pauseMs = { least: 600, spread: 1400, whenRefused: 4000 } as const;

const play = async (run: Run): Promise<void> => {
  for (let turn = 0; !run.signal.aborted; turn += 1) {
    const group = rounds[turn % rounds.length] ?? [];
    const statuses = await Promise.all(group.map((step) => send(step, Math.floor(turn / 2), run)));
    const jitter = ((run.random(1)[0] ?? 0) / 256) * pauseMs.spread;
    await sleep(run.clock, statuses.every(isRefusal) ? pauseMs.whenRefused : pauseMs.least + jitter, run);
  }
};

/** A refusal of the proxy itself, or no proxy there: more requests would only fill the screen. */
const isRefusal = (status: number | null): boolean => status === null || status === 401 || status === 503;

/** The status, or null when there was no whole answer. Failures are the dashboard's to show. */
const send = async (step: Step, turn: number, run: Run): Promise<number | null> => {
  const own = new AbortController();
  const signal = AbortSignal.any([run.signal, own.signal]);
  try {
    const response = await run.fetch(run.baseUrl + step.path, { method: "POST", headers: headersOf(step, run), body: bodyOf(step, turn), signal });
    await readAnswer(response, step.leaveAfterChunks, () => own.abort());
    return response.status;
  } catch {
    return null;
  }
};

const headersOf = (step: Step, run: Run): Record<string, string> => ({
  "user-agent": `claude-oauth-proxy-demo/${run.version}`,
  "content-type": "application/json",
  accept: "application/json",
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "interleaved-thinking-2025-05-14",
  ...senderHeaders(step.sender, run),
  ...(run.key === null ? {} : { authorization: `Bearer ${run.key.reveal()}` }),
  ...(step.effect === null ? {} : { [effectHeader]: step.effect }),
});

const senderHeaders = (sender: Sender, { ids }: Run): Record<string, string> => {
  if (sender === "main" || sender === "side") return { "x-claude-code-session-id": ids[sender] };
  const first = { "x-claude-code-session-id": ids.side, "x-claude-code-agent-id": ids["agent-1"] };
  return sender === "subagent-1" ? first : { ...first, "x-claude-code-agent-id": ids["agent-2"], "x-claude-code-parent-agent-id": ids["agent-1"] };
};

/** Reads to the end, or leaves in the middle as a person does who presses Escape. */
const readAnswer = async (response: Response, leaveAfterChunks: number | null, leave: () => void): Promise<void> => {
  let chunks = 0;
  for await (const _ of response.body ?? []) {
    chunks += 1;
    if (chunks === leaveAfterChunks) return leave();
  }
};

const uuid = (random: Random): string => {
  const hex = Buffer.from(random(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/** What a step makes the simulated upstream do. */
type DemoEffect = "tool" | "essay" | "throttle" | "plan-limit" | "overloaded" | "broken";

/** The effect travels as a header of the request itself, so that a scripted fault can never hit another request. */
const effectHeader = "x-demo-effect";

/** `main` and `side` are two sessions; the subagents belong to the second. */
type Sender = "main" | "side" | "subagent-1" | "subagent-2";

type Step = {
  readonly sender: Sender;
  readonly path: "/v1/messages?beta=true" | "/v1/messages/count_tokens?beta=true";
  readonly model: string;
  readonly stream: boolean;
  readonly thinking: boolean;
  readonly effect: DemoEffect | null;
  /** The client leaves after that many chunks of the answer. */
  readonly leaveAfterChunks: number | null;
};

const step = (sender: Sender, change: Partial<Step> = {}): Step => ({
  sender,
  path: "/v1/messages?beta=true",
  model: "claude-opus-4-8",
  stream: true,
  thinking: false,
  effect: null,
  leaveAfterChunks: null,
  ...change,
});

const haiku = { model: "claude-haiku-4-5-20251001", stream: false } as const;

/** One round; steps of one group run side by side. */
export const rounds: readonly (readonly Step[])[] = [
  [step("main", { path: "/v1/messages/count_tokens?beta=true", stream: false }), step("main", haiku)],
  [step("main", { effect: "tool", thinking: true })],
  [step("main", { effect: "essay", thinking: true }), step("side", { thinking: true })],
  [step("side", { effect: "tool" })],
  [step("subagent-1", { model: "claude-sonnet-4-6", effect: "essay" }), step("subagent-2", { model: "claude-sonnet-4-6" })],
  [step("main", { effect: "throttle" })],
  [step("main", { thinking: true })],
  [step("subagent-1", { model: "claude-sonnet-4-6", effect: "tool" }), step("main", { effect: "essay", leaveAfterChunks: 5 })],
  [step("side", { effect: "overloaded" })],
  [step("side", { effect: "essay" }), step("main", haiku)],
  [step("main", { effect: "broken" })],
  [step("main", { effect: "tool", thinking: true }), step("side")],
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

const thought: Block = {
  type: "thinking",
  thinking: "The tests first, then the smallest change that makes them pass. Let me look at the file before touching it. ".repeat(3),
  signature: "c2ltdWxhdGVkIHNpZ25hdHVyZQ==",
};

const tool: Block = { type: "tool_use", id: "toolu_01simulated", name: "Read", input: { file_path: "/demo/src/main.ts", offset: 1, limit: 200 } };

const essay: Block = {
  type: "text",
  text: "This is a longer simulated answer, so that a stream can be watched for a while. Every few characters are an event of their own. ".repeat(8),
};

const faults: Readonly<Record<DemoEffect, Fault>> = {
  tool: { kind: "answer", blocks: [thought, { type: "text", text: "I will read the file first." }, tool] },
  essay: { kind: "answer", blocks: [thought, essay] },
  throttle: { kind: "throttle", retryAfterSeconds: 2 },
  "plan-limit": { kind: "plan-limit", window: "5h" },
  overloaded: { kind: "overloaded" },
  broken: { kind: "stream-error", afterEvents: 6 },
};

/** One rule for each effect. */
const effectRules: readonly Rule[] = Object.entries(faults).map(([effect, fault]) => ({ match: { headers: { [effectHeader]: effect } }, times: Number.POSITIVE_INFINITY, fault }));
