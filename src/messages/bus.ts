// Facts out: one ordered line from those who know to those who show and store.
import type { Clock, Timer } from "../lib/clock.ts";
import type { Event, EventDraft } from "./events.ts";

/** Hands a fact to everybody who listens; `at` and `seq` are stamped here and nowhere else. It takes `draft` over: pass a fresh one. */
export type Publish = (draft: EventDraft) => void;

/** Like `Publish` for a fact that is made when it is told. */
export type PublishLate = (make: () => EventDraft | null) => void;

type Held = EventDraft | (() => EventDraft | null);

export type Bus = {
  /** Everybody has heard of it when this returns. */
  readonly publish: Publish;
  /**
   * For the facts of requests, which come by the thousand: told together with the others of the last five
   * milliseconds, in order and with the time they were handed in.
   */
  readonly publishSoon: Publish;
  /** The same for a fact that somebody has still to work out: `make` is called when it is told, and null is none. */
  readonly publishLate: PublishLate;
  /** Tells what `publishSoon` still holds, for those who look now. */
  settle(): void;
  /** Calls `listener` for every later event, in order; returns the way to stop, before which it hears what is held. */
  subscribe(listener: (event: Event) => void): () => void;
};

/**
 * Telling one fact costs a microsecond while everything that listens is in the processor's caches, and five
 * between two requests' worth of other work: a third of what a small request costs (measured).
 */
const soonMs = 5;
/** Telling this many takes under a millisecond; it also bounds what is kept. */
const mostHeld = 512;

/**
 * A subscriber that throws never reaches the publisher: it is caught, and reported once by `onFault`
 * (a broken view must not break a request). What a subscriber publishes is told after what it was told.
 */
export const createBus = (clock: Clock, onFault: (error: unknown) => void = () => {}): Bus => {
  const { deliver, listeners } = createAudience(onFault);
  let held: Held[] = [];
  let times: number[] = [];
  let timer: Timer | null = null;
  let telling = false;
  let seq = 0;

  const hold = (fact: Held): number => {
    times.push(clock.now());
    return held.push(fact);
  };

  const tell = (facts: readonly Held[], at: readonly number[]): void => {
    for (let index = 0; index < facts.length; index += 1) {
      const fact = facts[index];
      const draft = typeof fact === "function" ? fact() : fact;
      if (draft === undefined || draft === null) continue;
      seq += 1;
      deliver(stamped(draft, at[index] ?? 0, seq));
    }
  };

  const settle = (): void => {
    if (telling) return;
    telling = true;
    timer?.cancel();
    timer = null;
    try {
      while (held.length > 0) {
        const [facts, at] = [held, times];
        held = [];
        times = [];
        tell(facts, at);
      }
    } finally {
      telling = false;
    }
  };

  const soon = (fact: Held): void => {
    const count = hold(fact);
    if (count >= mostHeld) settle();
    else if (!telling) timer ??= clock.setTimeout(settle, soonMs);
  };

  return {
    publish(draft) {
      hold(draft);
      settle();
    },
    publishSoon: soon,
    publishLate: soon,
    settle,
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        settle();
        listeners.delete(listener);
      };
    },
  };
};

type Listener = (event: Event) => void;

const createAudience = (onFault: (error: unknown) => void) => {
  const listeners = new Set<Listener>();
  const faulty = new Set<Listener>();
  const attempt = (listener: Listener, event: Event): void => {
    try {
      listener(event);
    } catch (error) {
      if (!faulty.has(listener)) onFault(error);
      faulty.add(listener);
    }
  };
  return {
    listeners,
    deliver(event: Event): void {
      for (const listener of listeners) attempt(listener, event);
    },
  };
};

// In place: a copy made of every shape at one spot in the program takes the engine's slow way. Only what is
// frozen, because somebody has published it before, is copied.
const stamped = (draft: EventDraft, at: number, seq: number): Event => {
  const event = (Object.isExtensible(draft) ? draft : { ...draft }) as EventDraft & { at: number; seq: number };
  event.at = at;
  event.seq = seq;
  return Object.freeze(event);
};
