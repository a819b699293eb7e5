// The events of one turn of the event loop, worked off at its end: nobody who publishes waits for a log.
import { createBatch } from "../messages/batch.ts";
import type { Bus } from "../messages/bus.ts";
import type { Event } from "../messages/events.ts";

export type Following = {
  /** Works off what came in this turn, now. */
  settle(): void;
  /** Works it off and listens no longer. */
  stop(): void;
};

/** Calls `write` for every event of `bus`, in order, before the next turn of the event loop. */
export const followByTurn = (bus: Pick<Bus, "subscribe">, write: (event: Event) => void): Following => {
  let due = false;
  const batch = createBatch((events) => {
    for (const event of events) write(event);
  });
  const settle = (): void => {
    due = false;
    batch.settle();
  };
  const unsubscribe = bus.subscribe((event) => {
    if (!due) setImmediate(settle);
    due = true;
    batch.add(event);
  });
  return {
    settle,
    stop() {
      unsubscribe();
      settle();
    },
  };
};
