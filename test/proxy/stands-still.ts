// Back-pressure seen from outside: a counter that grew and then stops growing.
import { eventually } from "../helpers/eventually.ts";

/** Resolves with the count once two looks in a row saw the same, above `from`. */
export const standsStill = async (read: () => number, from = 0): Promise<number> => {
  let before = -1;
  await eventually(
    () => {
      const now = read();
      const still = now > from && now === before;
      before = now;
      return still;
    },
    (still) => still,
  );
  return before;
};
