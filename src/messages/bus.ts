// Facts out: one synchronous, ordered line from those who know to those who show and store.
import type { Clock } from "../lib/clock.ts";
import type { Event, EventDraft } from "./events.ts";

/** Hands a fact to everybody who listens; `at` and `seq` are stamped here and nowhere else. It takes `draft` over: pass a fresh one. */
export type Publish = (draft: EventDraft) => void;

export type Bus = {
  readonly publish: Publish;
  /** Calls `listener` for every later event, in order; returns the way to stop. */
  subscribe(listener: (event: Event) => void): () => void;
};

/**
 * A subscriber that throws never reaches the publisher: it is caught, and reported once by `onFault`
 * (a broken view must not break a request).
 */
export const createBus = (clock: Clock, onFault: (error: unknown) => void = () => {}): Bus => {
  const listeners = new Set<(event: Event) => void>();
  const faulty = new Set<(event: Event) => void>();
  let seq = 0;
  const deliver = (listener: (event: Event) => void, event: Event): void => {
    try {
      listener(event);
    } catch (error) {
      if (!faulty.has(listener)) onFault(error);
      faulty.add(listener);
    }
  };
  return {
    publish(draft) {
      seq += 1;
      const event = stamped(draft, clock.now(), seq);
      for (const listener of listeners) deliver(listener, event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
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
