// One timer for all requests in flight: the limits on silence, and the few progress events. A timer for each request
// or chunk would be the most expensive part of the hot path.
import type { Clock, Timer } from "../lib/clock.ts";
import type { PublishBuffered } from "../messages/bus.ts";
import { publishUsage } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";

/** Both run from the last sign of life; 0 is off. */
export type TimeoutSettings = {
  /** Until the response headers. */
  readonly headersTimeoutMs: number;
  /** Between two bytes of a response body. The two settings are one limit: the shorter one counts. */
  readonly bodyIdleTimeoutMs: number;
  readonly silenceSeconds: number;
};

export type Timeouts = {
  watch(exchange: Exchange): void;
  forget(exchange: Exchange): void;
  /** Visits the exchanges in flight; `visit` may end them. */
  each(visit: (exchange: Exchange) => void): void;
};

export type TimeoutDeps = {
  readonly clock: Clock;
  readonly publish: PublishBuffered;
  readonly settings: TimeoutSettings;
  /** `headers`: the answer did not begin in time · `silence`: it stopped in the middle. */
  readonly onTimeout: (exchange: Exchange, which: "headers" | "silence") => void;
};

const tickMs = 250;
// Above this many streams, growth in bytes alone is published once a second; a new phase still at once.
const manyStreams = 100;
const growthPauseMs = 1000;

/** Looks at every exchange four times a second while there are any; no timer runs when there are none. */
export const createTimeouts = ({ clock, publish, settings, onTimeout }: TimeoutDeps): Timeouts => {
  // Not a Set: V8 keeps each table that a Set has outgrown, with all its members, until the next full collection. At
  // 3,000 requests a second that cost 40 µs of garbage collection a request, beside 7 with a list (measured).
  const inFlight: Exchange[] = [];
  const headersMs = orNever(settings.headersTimeoutMs);
  const silenceMs = Math.min(orNever(settings.silenceSeconds * 1000), orNever(settings.bodyIdleTimeoutMs));
  let timer: Timer | null = null;

  const tick = (): void => {
    const now = clock.monotonic();
    for (const exchange of inFlight.slice()) {
      const quietMs = now - exchange.aliveAt;
      if (exchange.stage === "waiting" && quietMs >= headersMs) onTimeout(exchange, "headers");
      else if (exchange.stage === "relaying" && !exchange.paused && quietMs >= silenceMs) onTimeout(exchange, "silence");
      else if (exchange.stage === "relaying") publishProgress(exchange, now);
    }
  };

  const publishProgress = (exchange: Exchange, now: number): void => {
    const { published, bytesOut, options } = exchange;
    if (!published.usage) publishUsage(exchange, publish);
    const phase = exchange.meter?.phase() ?? "body";
    const grown = bytesOut !== published.bytesOut && (inFlight.length <= manyStreams || now - published.at >= growthPauseMs);
    if (phase === published.phase && !grown) return;
    published.phase = phase;
    published.bytesOut = bytesOut;
    published.at = now;
    publish({ type: "response.progress", requestId: options.requestId, phase, bytesOut, outputTokens: exchange.meter?.usage()?.outputTokens ?? null });
  };

  return {
    watch(exchange) {
      exchange.place = inFlight.push(exchange) - 1;
      timer ??= clock.setInterval(tick, tickMs);
    },
    forget(exchange) {
      const last = inFlight.pop();
      if (last !== undefined && last !== exchange) {
        last.place = exchange.place;
        inFlight[last.place] = last;
      }
      if (inFlight.length > 0) return;
      timer?.cancel();
      timer = null;
    },
    each: (visit) => inFlight.slice().forEach(visit),
  };
};

const orNever = (ms: number): number => (ms === 0 ? Infinity : ms);
