// GET /metrics: counters in the Prometheus text format, fed from the events. Own registry, so that two
// proxies in one process do not meet; the counting itself is plain numbers until somebody scrapes.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { createBatch } from "../messages/batch.ts";
import type { Event } from "../messages/events.ts";
import { createOpenUsage } from "../messages/open-usage.ts";
import type { UsageReport } from "../messages/open-usage.ts";
import { respondText } from "../server/respond.ts";
import type { ApiDeps, Endpoint } from "./call.ts";
import { createTally } from "./tally.ts";
import type { Tally } from "./tally.ts";

type Deps = Pick<ApiDeps, "subscribe" | "store" | "version" | "mode">;

/** Seconds: from a count of tokens to a long answer with thinking. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Counts from now on; every label has a bounded number of values. */
export const createMetrics = (deps: Deps): Endpoint => {
  const registry = new Registry();
  const counts = createCounts(registry, deps);
  const batch = createBatch((events) => {
    for (const event of events) count(counts, event);
  });
  deps.subscribe(batch.add);
  return async ({ response }) => {
    // The picture is asked for first: what was published so far is told then.
    deps.store.snapshot();
    batch.settle();
    respondText(response, 200, await registry.metrics(), registry.contentType);
  };
};

type Counts = ReturnType<typeof createCounts>;

const createCounts = (registry: Registry, deps: Deps) => {
  const counter = (name: string, help: string, labelNames: readonly string[]): Tally => expose(Counter, registry, { name, help, labelNames });
  const gauge = (name: string, help: string, labelNames: readonly string[]): Tally => expose(Gauge, registry, { name, help, labelNames });
  const seconds = (name: string, help: string): Histogram => new Histogram({ name: `${prefix}${name}`, help, buckets, registers: [registry] });
  gauge("info", "Version and mode, always 1.", ["version", "mode"]).set(1, deps.version, deps.mode);
  exposeState(registry, deps);
  return {
    requests: counter("requests_total", "Requests for /v1/* by outcome and status class.", ["outcome", "status"]),
    blames: counter("failures_total", "Failed requests by who is at fault.", ["blame", "code"]),
    rejected: counter("rejected_total", "Requests this proxy refused, by code.", ["code"]),
    attempts: counter("failed_attempts_total", "Attempts that failed before an answer, by code.", ["code"]),
    duration: seconds("request_duration_seconds", "From the request's head to the end of the answer."),
    ttfb: seconds("first_byte_seconds", "From the request's head to the answer's head."),
    bytes: counter("bytes_total", "Body bytes by direction.", ["direction"]),
    tokens: counter("tokens_total", "Tokens as the upstream counted them.", ["kind"]),
    refreshes: counter("token_refreshes_total", "Token refreshes by account and result.", ["account", "result"]),
    limits: gauge("limit_utilization", "Share of a plan window that is used; can exceed 1.", ["account", "window"]),
    jumps: counter("clock_jumps_total", "Sleeps and clock corrections noticed.", ["kind"]),
    usage: createOpenUsage(),
  };
};

const prefix = "claude_oauth_proxy_";

/** Combinations of one metric that are told apart. */
const mostCombinations = 200;

type Shape = { readonly name: string; readonly help: string; readonly labelNames: readonly string[] };

// The library's own `inc` hashes its labels on every call; a tally is copied into it when asked.
const expose = (Metric: typeof Counter | typeof Gauge, registry: Registry, { name, help, labelNames }: Shape): Tally => {
  const tally = createTally(mostCombinations);
  const metric = new Metric({
    name: `${prefix}${name}`,
    help,
    labelNames: [...labelNames],
    registers: [],
    collect() {
      this.reset();
      for (const { labels, value } of tally.entries()) this.inc(Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ""])), value);
    },
  });
  registry.registerMetric(metric);
  return tally;
};

const exposeState = (registry: Registry, { store }: Deps): void => {
  const inFlight = new Gauge({
    name: `${prefix}in_flight`,
    help: "Requests for /v1/* without a complete answer.",
    registers: [],
    collect() {
      this.set(store.snapshot().requests.inFlight);
    },
  });
  const accounts = new Gauge({
    name: `${prefix}accounts`,
    help: "Accounts by health.",
    labelNames: ["health"],
    registers: [],
    collect() {
      this.reset();
      for (const { health } of store.snapshot().accounts) this.inc({ health });
    },
  });
  registry.registerMetric(inFlight);
  registry.registerMetric(accounts);
};

const count = (counts: Counts, event: Event): void => {
  switch (event.type) {
    case "request.finished":
      return countFinished(counts, event);
    case "request.rejected":
      return counts.rejected.add(1, event.code);
    case "attempt.failed":
      return counts.attempts.add(1, event.code);
    case "response.started":
      return counts.ttfb.observe(event.ttfbMs / 1000);
    case "usage.updated":
      return countUsage(counts, event);
    default:
      return countRare(counts, event);
  }
};

const countRare = (counts: Counts, event: Event): void => {
  switch (event.type) {
    case "token.refreshed":
    case "token.adopted":
    case "token.refresh-failed":
      return counts.refreshes.add(1, event.accountId, event.type.slice("token.".length));
    case "limits.updated":
      return event.utilization === null ? undefined : counts.limits.set(event.utilization, event.accountId, event.window);
    case "account.removed":
      return counts.limits.drop(event.accountId);
    case "clock.jumped":
      return counts.jumps.add(1, event.kind);
    default:
      return undefined;
  }
};

const countFinished = (counts: Counts, event: Extract<Event, { type: "request.finished" }>): void => {
  counts.requests.add(1, event.outcome, classOf(event.status));
  if (event.blame !== null) counts.blames.add(1, event.blame, event.errorCode ?? "none");
  counts.duration.observe(event.durationMs / 1000);
  counts.bytes.add(event.bytesIn, "in");
  counts.bytes.add(event.bytesOut, "out");
  counts.usage.close(event.requestId);
};

const statusClasses = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx"] as const;

const classOf = (status: number | null): string => (status === null ? "none" : (statusClasses[Math.floor(status / 100)] ?? "none"));

const countUsage = ({ usage, tokens }: Counts, event: UsageReport): void => {
  const more = usage.add(event);
  if (more.inputTokens > 0) tokens.add(more.inputTokens, "input");
  if (more.outputTokens > 0) tokens.add(more.outputTokens, "output");
  if (more.cacheReadTokens > 0) tokens.add(more.cacheReadTokens, "cache_read");
  if (more.cacheCreationTokens > 0) tokens.add(more.cacheCreationTokens, "cache_creation");
};
