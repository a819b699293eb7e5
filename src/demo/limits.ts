// What is left of the invented plans, and how the response headers tell it: unified windows for a
// subscription (fractions, epoch seconds), classic counters for an API key (RFC 3339).
import type { Clock } from "../lib/clock.ts";
import type { Caller } from "./credential.ts";
import type { SimulatedPerson } from "./people.ts";
import type { Header } from "./reply.ts";

type Window = { readonly name: string; readonly claim: string; readonly ms: number; readonly budget: number; readonly start: number };

const hour = 3_600_000;

/** Budgets are small, so that a quarter of an hour of demo traffic moves the bars; `start` is the share used before. */
const windows: readonly [Window, Window] = [
  { name: "5h", claim: "five_hour", ms: 5 * hour, budget: 400_000, start: 0.18 },
  { name: "7d", claim: "seven_day", ms: 168 * hour, budget: 4_000_000, start: 0.41 },
];

export type Reading = { readonly utilization: number; readonly resetsAt: number };

export type Limits = ReturnType<typeof createLimits>;

const statusOf = (utilization: number): string => (utilization >= 0.8 ? "allowed_warning" : "allowed");

/** The headers of one unified answer; `rejected` is the window that refuses, if one does. */
export const unifiedHeaders = (readings: ReadonlyMap<Window, Reading>, rejected: string | null): readonly Header[] => {
  const prefix = "anthropic-ratelimit-unified";
  const all = [...readings].map(([window, reading]) => ({ ...window, ...reading, status: window.name === rejected ? "rejected" : statusOf(reading.utilization) }));
  const binding = all.find(({ name }) => name === rejected) ?? all.reduce((most, one) => (one.utilization > most.utilization ? one : most));
  return [
    [`${prefix}-status`, binding.status],
    [`${prefix}-reset`, String(binding.resetsAt / 1000)],
    [`${prefix}-representative-claim`, binding.claim],
    ...all.flatMap(({ name, status, resetsAt, utilization }): readonly Header[] => [
      [`${prefix}-${name}-status`, status],
      [`${prefix}-${name}-reset`, String(resetsAt / 1000)],
      [`${prefix}-${name}-utilization`, String(utilization)],
    ]),
    [`${prefix}-fallback-percentage`, "0.5"],
    [`${prefix}-overage-status`, "rejected"],
    [`${prefix}-overage-disabled-reason`, "out_of_credits"],
  ];
};

export const createLimits = (clock: Clock) => {
  const spent = new Map<string, { resetsAt: number; tokens: number }>();

  const meter = (person: SimulatedPerson, window: Window) => {
    const key = `${person.id} ${window.name}`;
    const known = spent.get(key);
    if (known !== undefined && clock.now() < known.resetsAt) return known;
    const fresh = { resetsAt: Math.floor((clock.now() + window.ms) / 1000) * 1000, tokens: known === undefined ? window.start * window.budget : 0 };
    spent.set(key, fresh);
    return fresh;
  };

  const readings = (person: SimulatedPerson, full: string | null): ReadonlyMap<Window, Reading> =>
    new Map(
      windows.map((window) => {
        const { tokens, resetsAt } = meter(person, window);
        const share = Math.round((tokens / window.budget) * 1000) / 1000;
        return [window, { utilization: window.name === full ? 1.02 : share, resetsAt }];
      }),
    );

  const classic = (tokens: number): readonly Header[] => {
    const reset = new Date(clock.now() + 60_000).toISOString();
    const counters: readonly (readonly [string, number, number])[] = [["requests", 4000, 1], ["input-tokens", 2_000_000, tokens], ["output-tokens", 400_000, tokens]];
    return counters.flatMap(([name, limit, used]): readonly Header[] => [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(Math.max(0, limit - used))],
      [`anthropic-ratelimit-${name}-reset`, reset],
    ]);
  };

  return {
    /** Counts `tokens` and gives the headers of the answer that spent them. */
    spend({ person, kind }: Caller, tokens: number): readonly Header[] {
      if (kind === "api_key") return classic(tokens);
      for (const window of windows) meter(person, window).tokens += tokens;
      return unifiedHeaders(readings(person, null), null);
    },
    /** Headers of a 429 that says that the plan is used up, with `retry-after`. */
    rejected(person: SimulatedPerson, window: "5h" | "7d"): readonly Header[] {
      const all = readings(person, window);
      const resetsAt = [...all].find(([{ name }]) => name === window)?.[1].resetsAt ?? clock.now();
      return [...unifiedHeaders(all, window), ["retry-after", String(Math.max(0, Math.ceil((resetsAt - clock.now()) / 1000)))]];
    },
  };
};
