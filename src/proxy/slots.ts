// How many connections plain requests may use at once. Undici's own limit cannot tell a stream that
// stays open for minutes from a request that is over in one, so long streams would starve the rest:
// a request leaves its slot as soon as its answer turns out to be a stream.

/** A place in the line; `leave` is idempotent and also gives up waiting. */
export type Slot = { leave(): void };

export type Slots = {
  /** Runs `start` at once when a slot is free, else in the order of arrival when one becomes free. */
  enter(start: () => void): Slot;
};

type Entry = Slot & { state: "waiting" | "inside" | "gone"; readonly start: () => void };

/** At most `limit` inside. */
export const createSlots = (limit: number): Slots => {
  const waiting = new Set<Entry>();
  let inside = 0;

  const admit = (entry: Entry): void => {
    inside += 1;
    entry.state = "inside";
    entry.start();
  };

  const leave = (entry: Entry): void => {
    const { state } = entry;
    entry.state = "gone";
    if (state === "waiting") waiting.delete(entry);
    if (state !== "inside") return;
    inside -= 1;
    for (const next of waiting) {
      if (inside >= limit) return;
      waiting.delete(next);
      admit(next);
    }
  };

  return {
    enter(start) {
      const entry: Entry = { state: "waiting", start, leave: () => leave(entry) };
      if (inside < limit) admit(entry);
      else waiting.add(entry);
      return entry;
    },
  };
};
