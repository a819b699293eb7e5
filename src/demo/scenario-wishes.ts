// What the demo's own requests ask of the simulated upstream. The wish travels as a header of the
// request itself, so that no scripted fault can ever hit a request of somebody else.
import type { Block } from "./answer.ts";
import type { Fault, Rule } from "./fault.ts";
import type { RuleHandle } from "./script.ts";

export const wishHeader = "x-demo-wish";

export type DemoWish = "tool" | "essay" | "throttle" | "plan-limit" | "overloaded" | "broken";

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

const faults: Readonly<Record<DemoWish, Fault>> = {
  tool: { kind: "answer", blocks: [thought, { type: "text", text: "I will read the file first." }, tool] },
  essay: { kind: "answer", blocks: [thought, essay] },
  throttle: { kind: "throttle", retryAfterSeconds: 2 },
  "plan-limit": { kind: "plan-limit", window: "5h" },
  overloaded: { kind: "overloaded" },
  broken: { kind: "stream-error", afterEvents: 6 },
};

/** Puts every wish into force; returns the way to take them back. */
export const grantWishes = (script: (rule: Rule) => RuleHandle): (() => void) => {
  const handles = Object.entries(faults).map(([wish, fault]) => script({ match: { headers: { [wishHeader]: wish } }, times: Number.POSITIVE_INFINITY, fault }));
  return () => {
    for (const handle of handles) handle.remove();
  };
};
