// GET /metrics: counts in the Prometheus text format, fed from the events. One metric is one entry of
// `metricsOf`: name, help, labels, and what each event does to it.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Metric } from "prom-client";
import type { Event, EventType } from "../messages/events.ts";
import { createOpenUsage } from "../messages/usage.ts";
import { respondText } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";

type Deps = Pick<ApiDeps, "subscribe" | "store" | "version" | "mode">;

/** Counts from now on. Every instance has a registry of its own, so two proxies in one process stay apart. */
export const createMetrics = (deps: Deps): Endpoint => {
  const registry = new Registry();
  const listeners = new Map<EventType, Listener[]>();
  for (const { metric, on } of metricsOf(deps)) {
    registry.registerMetric(metric);
    for (const [type, listener] of on) listeners.set(type, [...(listeners.get(type) ?? []), listener]);
  }
  deps.subscribe((event) => listeners.get(event.type)?.forEach((listener) => listener(event)), "the metrics");
  return async ({ response }) => {
    // Reading the state delivers the events that are still buffered.
    deps.store.snapshot();
    respondText(response, 200, await registry.metrics(), registry.contentType);
  };
};

const metricsOf = ({ store, version, mode }: Deps): readonly Entry[] => {
  const usage = createOpenUsage();
  return [
    current("info", "Version and mode, always 1.", ["version", "mode"], () => [[1, version, mode]]),
    current("in_flight", "Requests for /v1/* without a complete answer.", [], () => [[store.snapshot().requests.inFlight]]),
    current("accounts", "Accounts by health.", ["health"], () => store.snapshot().accounts.map(({ health }) => [1, health])),
    counter("requests_total", "Requests for /v1/* by outcome and status class.", ["outcome", "status"], {
      "request.finished": ({ outcome, status }, count) => count.add(1, outcome, statusClass(status)),
    }),
    counter("failures_total", "Failed requests by who is at fault.", ["blame", "code"], {
      "request.finished": ({ blame, errorCode }, count) => (blame === null ? undefined : count.add(1, blame, errorCode ?? "none")),
    }),
    counter("rejected_total", "Requests this proxy refused, by code.", ["code"], { "request.rejected": ({ code, count: times = 1 }, count) => count.add(times, code) }),
    counter("failed_attempts_total", "Attempts that failed before an answer, by code.", ["code"], { "attempt.failed": ({ code }, count) => count.add(1, code) }),
    histogram("request_duration_seconds", "From the request's head to the end of the answer.", {
      "request.finished": ({ durationMs }, seconds) => seconds.observe(durationMs / 1000),
    }),
    histogram("first_byte_seconds", "From the request's head to the answer's head.", { "response.started": ({ ttfbMs }, seconds) => seconds.observe(ttfbMs / 1000) }),
    counter("bytes_total", "Body bytes by direction.", ["direction"], {
      "request.finished"({ bytesIn, bytesOut }, count) {
        count.add(bytesIn, "in");
        count.add(bytesOut, "out");
      },
    }),
    counter("tokens_total", "Tokens as the upstream counted them.", ["kind"], {
      "usage.updated"(event, count) {
        const more = usage.add(event);
        const kinds = { input: more.inputTokens, output: more.outputTokens, cache_read: more.cacheReadTokens, cache_creation: more.cacheCreationTokens };
        for (const [kind, tokens] of Object.entries(kinds)) if (tokens > 0) count.add(tokens, kind);
      },
      "request.finished": ({ requestId }) => usage.close(requestId),
    }),
    counter("token_refreshes_total", "Token refreshes by account and result.", ["account", "result"], {
      "token.refreshed": ({ accountId }, count) => count.add(1, accountId, "refreshed"),
      "token.adopted": ({ accountId }, count) => count.add(1, accountId, "adopted"),
      "token.refresh-failed": ({ accountId }, count) => count.add(1, accountId, "refresh-failed"),
    }),
    gauge("limit_utilization", "Share of a plan window that is used; can exceed 1.", ["account", "window"], {
      "limits.updated": ({ utilization, accountId, window }, share) => (utilization === null ? undefined : share.set(utilization, accountId, window)),
      "account.removed": ({ accountId }, share) => share.drop(accountId),
    }),
    counter("clock_jumps_total", "Sleeps and clock corrections noticed.", ["kind"], { "clock.jumped": ({ kind }, count) => count.add(1, kind) }),
  ];
};

const statusClass = (status: number | null): string => (status === null ? "none" : `${Math.floor(status / 100)}xx`);

type Listener = (event: Event) => void;

type Entry = { readonly metric: Metric; readonly on: readonly (readonly [EventType, Listener])[] };

/** What each event does to `target`. */
type Effects<Target> = { readonly [Type in EventType]?: (event: Extract<Event, { readonly type: Type }>, target: Target) => void };

type Sample = readonly [value: number, ...labels: readonly string[]];

const counter = (name: string, help: string, labels: readonly string[], effects: Effects<LabelledCounter>): Entry => labelled(Counter, { name, help, labels }, effects);

const gauge = (name: string, help: string, labels: readonly string[], effects: Effects<LabelledCounter>): Entry => labelled(Gauge, { name, help, labels }, effects);

const labelled = (Kind: typeof Counter | typeof Gauge, { name, help, labels }: { name: string; help: string; labels: readonly string[] }, effects: Effects<LabelledCounter>): Entry => {
  const count = createLabelledCounter();
  return { metric: collected(Kind, { name, help, labels, samples: count.samples }), on: listening(effects, count) };
};

/** A value that is asked for at each scrape; samples with the same labels are added up. */
const current = (name: string, help: string, labels: readonly string[], samples: () => readonly Sample[]): Entry => ({
  metric: collected(Gauge, { name, help, labels, samples }),
  on: [],
});

/** Seconds: from a count of tokens to a long answer with thinking. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

const histogram = (name: string, help: string, effects: Effects<Histogram>): Entry => {
  const metric = new Histogram({ name: `${prefix}${name}`, help, buckets, registers: [] });
  return { metric, on: listening(effects, metric) };
};

const prefix = "claude_oauth_proxy_";

const listening = <Target>(effects: Effects<Target>, target: Target): Entry["on"] =>
  (Object.entries(effects) as [EventType, (event: Event, target: Target) => void][]).map(([type, effect]) => [type, (event) => effect(event, target)]);

type Collected = { readonly name: string; readonly help: string; readonly labels: readonly string[]; readonly samples: () => readonly Sample[] };

const collected = (Kind: typeof Counter | typeof Gauge, { name, help, labels, samples }: Collected): Metric =>
  new Kind({
    name: `${prefix}${name}`,
    help,
    labelNames: [...labels],
    registers: [],
    collect() {
      this.reset();
      for (const [value, ...values] of samples()) this.inc(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ""])), value);
    },
  });

type LabelledCounter = {
  add(amount: number, ...labels: readonly string[]): void;
  /** Sets instead of adding. */
  set(value: number, ...labels: readonly string[]): void;
  /** Removes every sample whose first label is `first`. */
  drop(first: string): void;
  samples(): readonly Sample[];
};

/** Combinations of labels in one metric; further ones are counted together under `other`. Names come from outside, and must not fill the memory. */
const mostCombinations = 200;

const createLabelledCounter = (): LabelledCounter => {
  const counts = new Map<string, { readonly labels: readonly string[]; value: number }>();
  const at = (labels: readonly string[]): { value: number } => {
    const key = labels.join("\0");
    const known = counts.get(key);
    if (known !== undefined) return known;
    const rest = labels.map(() => "other");
    if (counts.size >= mostCombinations && key !== rest.join("\0")) return at(rest);
    const count = { labels, value: 0 };
    counts.set(key, count);
    return count;
  };
  return {
    add(amount, ...labels) {
      at(labels).value += amount;
    },
    set(value, ...labels) {
      at(labels).value = value;
    },
    drop(first) {
      for (const [key, { labels }] of counts) if (labels[0] === first) counts.delete(key);
    },
    samples: () => [...counts.values()].map(({ labels, value }) => [value, ...labels]),
  };
};
