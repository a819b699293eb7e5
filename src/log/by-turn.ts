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

/**
 * Calls `write` for every event of `bus`, in order, before the next turn of the event loop. When it throws, the
 * events after it are written all the same, and the bus gets the error to report with the next event.
 */
export const followByTurn = (bus: Pick<Bus, "subscribe">, write: (event: Event) => void): Following => {
  let due = false;
  let fault: unknown = null;
  const attempt = (event: Event): void => {
    try {
      write(event);
    } catch (error) {
      fault = error;
    }
  };
  const batch = createBatch((events) => {
    for (const event of events) attempt(event);
  });
  const settle = (): void => {
    due = false;
    batch.settle();
  };
  const unsubscribe = bus.subscribe((event) => {
    if (!due) setImmediate(settle);
    due = true;
    batch.add(event);
    if (fault === null) return;
    const thrown = fault;
    fault = null;
    throw thrown;
  });
  return {
    settle,
    stop() {
      unsubscribe();
      settle();
    },
  };
};
