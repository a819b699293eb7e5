// Other machines on the same host take time away now and then, up to half of it, and not from all contenders alike.
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** A turn in which more than this share of the machine's time was taken is run again. */
const quietShare = 0.015;
const tickMs = 10;

/** Milliseconds of processor time that the host has taken so far (`steal` in /proc/stat); 0 where nobody says. */
const stolenMs = (): number => {
  try {
    return Number(/^cpu (?: *\d+){7} (\d+)/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0) * tickMs;
  } catch {
    return 0;
  }
};

const shares: number[] = [];

/** Runs `turn` until it was quiet, at most `mostTries` times, and returns what the quietest gave. */
export const quietest = async <R>(mostTries: number, turn: () => Promise<R>): Promise<R> => {
  let best: { readonly share: number; readonly result: R } | null = null;
  for (let tries = 0; tries < mostTries && (best === null || best.share > quietShare); tries += 1) {
    const [stolen, startedAt] = [stolenMs(), performance.now()];
    const result = await turn();
    const share = (stolenMs() - stolen) / (performance.now() - startedAt) / cpus().length;
    if (best === null || share < best.share) best = { share, result };
  }
  if (best === null) throw new Error("no turn was run");
  shares.push(best.share);
  return best.result;
};

/** In words, what was taken from the turns that count. */
export const disturbance = (): string => {
  const loud = shares.filter((share) => share > quietShare).length;
  const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  return `the host took ${(mean * 100).toFixed(1)} % of the machine's time; ${loud} of ${shares.length} turns were never quiet`;
};
