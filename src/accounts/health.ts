// What an upstream answer says about the account it was asked with. Pure. Only the refresher may decide
// that an account needs a new sign-in: a single 401 or 403 is never enough here.
import { retryAfterMs } from "../lib/http-fields.ts";
import type { AnswerHeaders, LimitReading } from "./limits.ts";

export type Answer = { readonly status: number; readonly headers: AnswerHeaders };

export type Lesson =
  /** Says nothing about the account. */
  | { readonly learnt: "nothing" }
  /** It serves. `clears` false: a success that may have been under way before the plan's limit was hit. */
  | { readonly learnt: "well"; readonly clears: boolean }
  /** One more failure of a kind that counts only when it repeats. */
  | { readonly learnt: "strike" }
  | { readonly learnt: "cool"; readonly forMs: number; readonly reason: string; readonly limited: boolean };

export type Past = { readonly strikes: number; readonly limited: boolean };

const second = 1000;
const longestCooling = 8 * 24 * 3600 * second;

/** `strikes` are the failures in a row so far; `now` is wall milliseconds. */
export const lessonOf = (answer: Answer, limits: readonly LimitReading[], past: Past, now: number): Lesson => {
  const { status } = answer;
  if (status === 429) return throttled(answer, limits, now);
  if (status === 402) return { learnt: "cool", forMs: 300 * second, reason: "the upstream refuses for billing reasons (402)", limited: false };
  if (status === 403 || status >= 500) return struck(status, past.strikes + 1, retryAfter(answer, now));
  return status === 401 || status < 200 ? { learnt: "nothing" } : { learnt: "well", clears: clears(status, limits, past) };
};

const clears = (status: number, limits: readonly LimitReading[], { limited }: Past): boolean =>
  status < 300 && (!limited || overall(limits)?.status?.startsWith("allowed") === true);

const throttled = (answer: Answer, limits: readonly LimitReading[], now: number): Lesson => {
  const binding = limits.find(({ representative }) => representative);
  const rejected = [overall(limits), binding].some((limit) => limit?.status === "rejected");
  const pause = retryAfter(answer, now);
  // Without the plan's headers a 429 is a short throttle of the server, not the plan's limit.
  if (!rejected) return { learnt: "cool", forMs: clamp(pause ?? 10 * second, second, 3600 * second), reason: "throttled by the upstream (429)", limited: false };
  const reset = [binding, overall(limits)].map((limit) => limit?.resetsAt ?? 0).find((at) => at > now);
  const forMs = reset === undefined ? (pause ?? 300 * second) : reset - now;
  const name = binding === undefined || binding.window === "" ? "plan limit" : `plan limit ${binding.window}`;
  return { learnt: "cool", forMs: clamp(forMs, second, longestCooling), reason: `${name} reached`, limited: true };
};

// One overloaded answer says little (the client retries by itself); three in a row make another account
// the better choice for a while: 15 s, doubling to 2 min.
const struck = (status: number, strikes: number, pause: number | null): Lesson => {
  if (strikes < 3) return { learnt: "strike" };
  const forMs = Math.min(120, 15 * 2 ** Math.min(strikes - 3, 3)) * second;
  const reason = status === 403 ? "the upstream refuses this account (403)" : `the upstream fails repeatedly (${status})`;
  return { learnt: "cool", forMs: clamp(Math.max(forMs, pause ?? 0), second, 3600 * second), reason, limited: false };
};

const overall = (limits: readonly LimitReading[]): LimitReading | undefined => limits.find(({ window }) => window === "");

const retryAfter = ({ headers }: Answer, now: number): number | null => retryAfterMs(headers["retry-after"], now);

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
