// Names for requests: a prefix that tells two runs apart and a counter. Not a secret, not unguessable.
import type { Random } from "../lib/random.ts";

/** Each call gives the next id, such as `cop-3f9a01c2-1z`. */
export const createRequestIds = (random: Random): (() => string) => {
  const prefix = `cop-${Buffer.from(random(4)).toString("hex")}-`;
  let count = 0;
  return () => {
    count += 1;
    return prefix + count.toString(36);
  };
};
