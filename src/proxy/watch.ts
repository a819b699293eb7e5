// One timer for all requests in flight: limits on silence, and the few progress events. A timer of its own
// per request (or per chunk) would be the dearest part of the hot path.
import type { Clock, Timer } from "../lib/clock.ts";
import { createRoster } from "../lib/roster.ts";
import type { Publish } from "../messages/bus.ts";
import type { ForwardSettings } from "./deps.ts";
import { tellUsage } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";

/** What became of an exchange while nobody touched it. */
export type Lapse = "headers-timeout" | "silence";

export type Watch = {
  add(exchange: Exchange): void;
  remove(exchange: Exchange): void;
  /** Visits those in flight; `visit` may end them. */
  each(visit: (exchange: Exchange) => void): void;
};

type Limits = Pick<ForwardSettings, "headersTimeoutMs" | "bodyIdleTimeoutMs" | "silenceSeconds">;

export type WatchDeps = {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly limits: Limits;
  readonly onLapse: (exchange: Exchange, lapse: Lapse) => void;
};

const tickMs = 250;
// Above this many streams a mere growth in bytes is told once a second, a new phase still at once.
const manyStreams = 100;
const growthPauseMs = 1000;

/** Looks at every exchange four times a second while there are any; no timer runs when there are none. */
export const createWatch = (deps: WatchDeps): Watch => {
  const inFlight = createRoster<Exchange>();
  const silenceMs = shortest(deps.limits.silenceSeconds * 1000, deps.limits.bodyIdleTimeoutMs);
  let timer: Timer | null = null;

  const tick = (): void => {
    const now = deps.clock.monotonic();
    inFlight.each((exchange) => {
      const lapse = lapseOf(exchange, now, { headersMs: deps.limits.headersTimeoutMs, silenceMs });
      if (lapse !== null) deps.onLapse(exchange, lapse);
      else if (exchange.stage === "relaying") tell(exchange, now);
    });
  };

  const tell = (exchange: Exchange, now: number): void => {
    if (!exchange.toldUsage) tellUsage(exchange, deps.publish);
    const phase = exchange.meter?.phase() ?? "body";
    if (phase === exchange.toldPhase && !hasGrown(exchange, now, inFlight.size())) return;
    exchange.toldPhase = phase;
    exchange.toldBytes = exchange.bytesOut;
    exchange.toldAt = now;
    const outputTokens = exchange.meter?.usage()?.outputTokens ?? null;
    deps.publish({ type: "response.progress", requestId: exchange.facts.requestId, phase, bytesOut: exchange.bytesOut, outputTokens });
  };

  return {
    add(exchange) {
      inFlight.add(exchange);
      timer ??= deps.clock.setInterval(tick, tickMs);
    },
    remove(exchange) {
      inFlight.remove(exchange);
      if (inFlight.size() > 0) return;
      timer?.cancel();
      timer = null;
    },
    each: inFlight.each,
  };
};

const hasGrown = (exchange: Exchange, now: number, inFlight: number): boolean =>
  exchange.bytesOut !== exchange.toldBytes && (inFlight <= manyStreams || now - exchange.toldAt >= growthPauseMs);

const shortest = (...limits: readonly number[]): number => Math.min(...limits.map((limit) => (limit === 0 ? Infinity : limit)));

const lapseOf = (exchange: Exchange, now: number, { headersMs, silenceMs }: { readonly headersMs: number; readonly silenceMs: number }): Lapse | null => {
  const quietMs = now - exchange.aliveAt;
  if (exchange.stage === "awaiting") return headersMs > 0 && quietMs >= headersMs ? "headers-timeout" : null;
  return exchange.stage === "relaying" && !exchange.paused && exchange.ending === null && quietMs >= silenceMs ? "silence" : null;
};
