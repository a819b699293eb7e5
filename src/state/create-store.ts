// Keeps the current picture: events are gathered and folded when somebody looks, so a proxy that nobody
// watches pays for a push into an array. Holds nothing that anybody decides by.
import { createBatch } from "../messages/batch.ts";
import type { Bus } from "../messages/bus.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { initialState } from "./initial.ts";
import { withPast } from "./past.ts";
import { reduceAll } from "./reduce.ts";
import type { AppState } from "./state.ts";
import type { Store } from "./store.ts";

export type StoreDeps = { readonly bus: Pick<Bus, "subscribe" | "settle">; readonly version: string; readonly mode: string };

export type Remembering = {
  /** Puts what earlier processes left behind (oldest first) before what this one knows; call it once. `now` is wall milliseconds. */
  remember(past: readonly RefreshFact[], now: number): void;
};

/**
 * Subscribes to the bus for good. Listeners are told after every event; whether it changed anything
 * shows in the reference that `snapshot` gives.
 */
export const createStore = ({ bus, version, mode }: StoreDeps): Store & Remembering => {
  const listeners = new Set<() => void>();
  let state: AppState = initialState({ version, mode });
  const batch = createBatch((events) => {
    state = reduceAll(state, events);
  });

  bus.subscribe((event) => {
    batch.add(event);
    for (const listener of listeners) listener();
  });

  return {
    remember(past, now) {
      bus.settle();
      batch.settle();
      state = withPast(state, past, now);
      for (const listener of listeners) listener();
    },
    snapshot() {
      bus.settle();
      batch.settle();
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
