// Facts out: one ordered line from those who know to those who show and store.
import type { Clock } from "../lib/clock.ts";
import type { Event, EventDraft } from "./events.ts";

/** Hands a fact to everybody who listens; `at` and `seq` are stamped here and nowhere else. It takes `draft` over: pass a fresh one. */
export type Publish = (draft: EventDraft) => void;

export type Bus = {
  /** Everybody has heard of it when this returns. */
  readonly publish: Publish;
  /**
   * For the facts of requests, which come by the thousand: told together with the others of the last five
   * milliseconds, in order and with the time they were handed in.
   */
  readonly publishSoon: Publish;
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
  const listeners = new Set<(event: Event) => void>();
  const faulty = new Set<(event: Event) => void>();
  let held: EventDraft[] = [];
  let times: number[] = [];
  let telling = false;
  let seq = 0;

  const deliver = (listener: (event: Event) => void, event: Event): void => {
    try {
      listener(event);
    } catch (error) {
      if (!faulty.has(listener)) onFault(error);
      faulty.add(listener);
    }
  };

  const hold = (draft: EventDraft): number => {
    times.push(clock.now());
    return held.push(draft);
  };

  const tell = (drafts: readonly EventDraft[], at: readonly number[]): void => {
    for (let index = 0; index < drafts.length; index += 1) {
      const draft = drafts[index];
      if (draft === undefined) continue;
      seq += 1;
      const event = stamped(draft, at[index] ?? 0, seq);
      for (const listener of listeners) deliver(listener, event);
    }
  };

  const settle = (): void => {
    if (telling) return;
    telling = true;
    try {
      while (held.length > 0) {
        const [drafts, at] = [held, times];
        held = [];
        times = [];
        tell(drafts, at);
      }
    } finally {
      telling = false;
    }
  };

  return {
    publish(draft) {
      hold(draft);
      settle();
    },
    publishSoon(draft) {
      const count = hold(draft);
      if (count === 1 && !telling) clock.setTimeout(settle, soonMs);
      else if (count >= mostHeld) settle();
    },
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

// In place: a copy made of every shape at one spot in the program takes the engine's slow way. Only what is
// frozen, because somebody has published it before, is copied.
const stamped = (draft: EventDraft, at: number, seq: number): Event => {
  const event = (Object.isExtensible(draft) ? draft : { ...draft }) as EventDraft & { at: number; seq: number };
  event.at = at;
  event.seq = seq;
  return Object.freeze(event);
};
