// The current picture: folds every event at once, tells watchers that it changed.
import type { AppState } from "./state.ts";

/** `subscribe` and `snapshot` fit React's `useSyncExternalStore`. */
export type Store = {
  /** The same object until something changed. */
  snapshot(): AppState;
  /** Called after a change; returns the way to stop. */
  subscribe(listener: () => void): () => void;
};
