// What a response of the upstream means for the account it was asked with. Pure. Only the refresher may decide that an
// account needs a new sign-in: a single 401 or 403 is never enough here.
import { retryAfterMs } from "../lib/http-fields.ts";
import type { LimitReading, ResponseHeaders } from "./limits.ts";

export type UpstreamResponse = { readonly status: number; readonly headers: ResponseHeaders };

export type HealthChange =
  /** The response says nothing of the account. */
  | { readonly to: "same" }
  /** It serves. `endsCooling` is false for a success that may have been under way before the plan's limit was hit. */
  | { readonly to: "well"; readonly endsCooling: boolean }
  /** One more failure of a kind that counts only when it repeats. */
  | { readonly to: "strike" }
  | { readonly to: "cooling"; readonly forMs: number; readonly reason: string; readonly limited: boolean };

/** What is known before the response: failures in a row, and whether the account cools because of a limit. */
export type HealthBefore = { readonly strikes: number; readonly limited: boolean };

const second = 1000;
const longestCooling = 8 * 24 * 3600 * second;

/** `now` is wall milliseconds. */
export const healthChange = (response: UpstreamResponse, limits: readonly LimitReading[], before: HealthBefore, now: number): HealthChange => {
  const { status } = response;
  if (status === 429) return throttled(response, limits, now);
  if (status === 402) return { to: "cooling", forMs: 300 * second, reason: "the upstream refuses for billing reasons (402)", limited: false };
  if (status === 403 || status >= 500) return struck(status, before.strikes + 1, retryAfter(response, now));
  return status === 401 || status < 200 ? { to: "same" } : { to: "well", endsCooling: endsCooling(status, limits, before) };
};

const endsCooling = (status: number, limits: readonly LimitReading[], { limited }: HealthBefore): boolean =>
  status < 300 && (!limited || overall(limits)?.status?.startsWith("allowed") === true);

const throttled = (response: UpstreamResponse, limits: readonly LimitReading[], now: number): HealthChange => {
  const binding = limits.find(({ representative }) => representative);
  const rejected = [overall(limits), binding].some((limit) => limit?.status === "rejected");
  const pause = retryAfter(response, now);
  // Without the plan's headers a 429 is a short throttle of the server, not the plan's limit.
  if (!rejected) return { to: "cooling", forMs: clamp(pause ?? 10 * second, second, 3600 * second), reason: "throttled by the upstream (429)", limited: false };
  const reset = [binding, overall(limits)].map((limit) => limit?.resetsAt ?? 0).find((at) => at > now);
  const forMs = reset === undefined ? (pause ?? 300 * second) : reset - now;
  const name = binding === undefined || binding.window === "" ? "plan limit" : `plan limit ${binding.window}`;
  return { to: "cooling", forMs: clamp(forMs, second, longestCooling), reason: `${name} reached`, limited: true };
};

// One overloaded answer says little (the client retries by itself); three in a row make another account
// the better choice for a while: 15 s, doubling to 2 min.
const struck = (status: number, strikes: number, pause: number | null): HealthChange => {
  if (strikes < 3) return { to: "strike" };
  const forMs = Math.min(120, 15 * 2 ** Math.min(strikes - 3, 3)) * second;
  const reason = status === 403 ? "the upstream refuses this account (403)" : `the upstream fails repeatedly (${status})`;
  return { to: "cooling", forMs: clamp(Math.max(forMs, pause ?? 0), second, 3600 * second), reason, limited: false };
};

const overall = (limits: readonly LimitReading[]): LimitReading | undefined => limits.find(({ window }) => window === "");

const retryAfter = ({ headers }: UpstreamResponse, now: number): number | null => retryAfterMs(headers["retry-after"], now);

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
