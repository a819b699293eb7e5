// What the mixed load is made of: each kind of request says how the upstream misbehaves for it, what the
// client does, and which ends are right. The client names its kind in a header, so that both sides agree.
import type { Fault } from "../../../src/demo/faults.ts";

export const kindHeader = "x-soak-kind";

/** The end of one request as its client saw it: status and `whole` or `broken`, `none` for no answer, `left`. */
export type End = string;

export type Kind = {
  readonly name: string;
  /** How often, among the others. */
  readonly weight: number;
  readonly stream?: boolean;
  readonly path?: string;
  readonly faults: readonly Fault[];
  readonly ends: readonly End[];
  /** The client leaves at a random moment up to this many milliseconds after it has sent everything. */
  readonly leavesWithinMs?: number;
  /** Pause before each further 16 KiB are read. */
  readonly readsEveryMs?: number;
  /** Half of the body, then the client leaves. */
  readonly cutsUpload?: boolean;
};

const brisk: Fault = { kind: "slow", bytes: 600, delayMs: 20 };
const whole = ["200 whole"];
// A head that is followed at once by the end of the connection may be lost with it.
const broken = ["200 broken", "none"];
const says = (characters: number): Fault => ({ kind: "answer", blocks: [{ type: "text", text: "0123456789abcde ".repeat(characters / 16) }] });

/** Streams of one event a second for that long; six events of each are not text, the others carry 16 characters. */
export const holding = (name: string, seconds: number, ends: readonly End[]): Kind => ({ name, weight: 0, stream: true, faults: [says(Math.max(1, seconds - 5) * 16)], ends });

export const mixed: readonly Kind[] = [
  { name: "json", weight: 20, faults: [], ends: whole },
  { name: "count", weight: 10, path: "/v1/messages/count_tokens?beta=true", faults: [], ends: whole },
  { name: "stream", weight: 24, stream: true, faults: [brisk], ends: whole },
  { name: "gzip stream", weight: 5, stream: true, faults: [{ kind: "encoding", encoding: "gzip" }, brisk], ends: whole },
  { name: "paced stream", weight: 4, stream: true, faults: [says(64)], ends: whole },
  { name: "slow bytes", weight: 4, faults: [{ kind: "slow", bytes: 40, delayMs: 25 }], ends: whole },
  { name: "slow reader", weight: 3, faults: [says(1_048_576)], ends: whole, readsEveryMs: 40 },
  { name: "pause", weight: 3, stream: true, faults: [brisk, { kind: "silence", afterBytes: 500, ms: 2000 }], ends: whole },
  { name: "error event", weight: 2, stream: true, faults: [{ kind: "stream-error" }, brisk], ends: whole },
  { name: "reset before", weight: 4, faults: [{ kind: "refuse" }], ends: ["502 whole"] },
  { name: "hang-up", weight: 2, faults: [{ kind: "hang-up" }], ends: ["502 whole"] },
  { name: "answer lost", weight: 2, faults: [{ kind: "answer-lost" }], ends: ["502 whole"] },
  { name: "garbage", weight: 1, faults: [{ kind: "garbage" }], ends: ["502 whole"] },
  { name: "reset in stream", weight: 4, stream: true, faults: [brisk, { kind: "reset", afterBytes: 1300 }], ends: broken },
  { name: "reset after head", weight: 2, faults: [{ kind: "reset", afterBytes: 0 }], ends: broken },
  { name: "truncated stream", weight: 3, stream: true, faults: [brisk, { kind: "truncated", afterBytes: 1300 }], ends: broken },
  { name: "truncated", weight: 2, faults: [{ kind: "truncated", afterBytes: 200 }], ends: broken },
  { name: "silent for ever", weight: 1, stream: true, faults: [brisk, { kind: "silence", afterBytes: 500 }], ends: broken },
  { name: "never", weight: 1, faults: [{ kind: "never" }], ends: ["504 whole"] },
  { name: "429", weight: 3, faults: [{ kind: "throttle", retryAfterSeconds: 1 }], ends: ["429 whole"] },
  { name: "plan limit", weight: 1, faults: [{ kind: "plan-limit" }], ends: ["429 whole"] },
  { name: "529", weight: 3, faults: [{ kind: "overloaded" }], ends: ["529 whole"] },
  { name: "500", weight: 1, faults: [{ kind: "status", status: 500 }], ends: ["500 whole"] },
  { name: "leaves early", weight: 5, faults: [{ kind: "never" }], ends: ["left"], leavesWithinMs: 300 },
  { name: "leaves stream", weight: 8, stream: true, faults: [says(640)], ends: ["left"], leavesWithinMs: 3000 },
  { name: "cut upload", weight: 2, faults: [], ends: ["left"], cutsUpload: true },
];
