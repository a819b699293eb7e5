// How many connections plain requests may use at once. Undici's own limit cannot tell a stream that
// stays open for minutes from a request that is over in one, so long streams would starve the rest:
// a request leaves its slot as soon as its answer turns out to be a stream.

/** Who needs a slot: by itself, because one is made for every request. */
export type Guest = {
  place: "outside" | "waiting" | "inside" | "gone";
  /** The slot is there. */
  start(): void;
};

export type Slots = {
  /** Starts `guest` at once when a slot is free, else in the order of arrival when one becomes free. Once. */
  enter(guest: Guest): void;
  /** Gives the slot back, or gives up waiting for one; idempotent. */
  leave(guest: Guest): void;
};

/** At most `limit` inside. */
export const createSlots = (limit: number): Slots => {
  const waiting = new Set<Guest>();
  let inside = 0;

  const admit = (guest: Guest): void => {
    inside += 1;
    guest.place = "inside";
    guest.start();
  };

  return {
    enter(guest) {
      if (inside < limit) return admit(guest);
      guest.place = "waiting";
      waiting.add(guest);
    },
    leave(guest) {
      const { place } = guest;
      guest.place = "gone";
      if (place === "waiting") waiting.delete(guest);
      if (place !== "inside") return;
      inside -= 1;
      for (const next of waiting) {
        if (inside >= limit) return;
        waiting.delete(next);
        admit(next);
      }
    },
  };
};
