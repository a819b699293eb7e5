// Keeps the current picture: events are gathered and folded when somebody looks, so a proxy that nobody
// watches pays for a push into an array. Holds nothing that anybody decides by.
import type { Bus } from "../messages/bus.ts";
import type { Event } from "../messages/events.ts";
import type { RefreshFact } from "../messages/refresh-fact.ts";
import { initialState } from "./initial.ts";
import { withPast } from "./past.ts";
import { reduceAll } from "./reduce.ts";
import type { AppState } from "./state.ts";
import type { Store } from "./store.ts";

export type StoreDeps = { readonly bus: Pick<Bus, "subscribe" | "flush">; readonly version: string; readonly mode: string };

export type Remembering = {
  /** Puts what earlier processes left behind (oldest first) before what this one knows; call it once. `now` is wall milliseconds. */
  remember(past: readonly RefreshFact[], now: number): void;
};

/** Folding this many takes under a millisecond; it also bounds what is kept. */
const mostPending = 512;

/**
 * Subscribes to the bus for good. Listeners are called after every event; whether it changed anything
 * shows in the reference that `snapshot` gives.
 */
export const createStore = ({ bus, version, mode }: StoreDeps): Store & Remembering => {
  let state: AppState = initialState({ version, mode });
  let pending: Event[] = [];
  // Many in a row are cheap: one fold copies the tables of requests and sessions once.
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
