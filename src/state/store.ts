// Keeps the current state: events are gathered and folded when a reader asks, so a proxy without a dashboard pays for a
// push into an array. No part of the program decides by what is in here.
import type { Bus } from "../messages/bus.ts";
import type { Event } from "../messages/events.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { reduceAll } from "./reduce.ts";
import { withPast } from "./refreshes.ts";
import { initialState } from "./state.ts";
import type { AppState } from "./state.ts";

/** `subscribe` and `snapshot` fit React's `useSyncExternalStore`. */
export type Store = {
  /** The same object until something changed. */
  snapshot(): AppState;
  /** Calls `listener` after every event; whether it changed anything shows in `snapshot`. Returns the way to stop. */
  subscribe(listener: () => void): () => void;
};

export type StoreDeps = { readonly bus: Pick<Bus, "subscribe" | "flush">; readonly version: string; readonly mode: string };

/** Folding this many takes under a millisecond; it also bounds the memory. */
const mostPending = 512;

/**
 * A store that follows the bus for good. `remember` puts what earlier processes left behind (oldest first) before what
 * this one knows: call it once, with `now` in wall milliseconds.
 */
export const createStore = ({ bus, version, mode }: StoreDeps): Store & { remember(past: readonly RefreshFact[], now: number): void } => {
  let state = initialState({ version, mode });
  let pending: Event[] = [];
  // One fold of many events copies the tables of requests and sessions once.
  const fold = (): AppState => {
    const events = pending;
    pending = [];
    return (state = reduceAll(state, events));
  };
  bus.subscribe((event) => {
    pending.push(event);
    if (pending.length >= mostPending) fold();
  }, "the state");

  return {
    remember(past, now) {
      bus.flush();
      state = withPast(fold(), past, now);
    },
    snapshot() {
      bus.flush();
      return fold();
    },
    subscribe: (listener) => bus.subscribe(() => listener(), "a view of the state"),
  };
};
