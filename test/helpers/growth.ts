// How the cost of some work grows: a ratio of two processor times taken in turns, which neither a slow nor a busy
// machine changes much.

const turns = 5;

/** Microseconds of processor time. */
const costOf = (work: () => void): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return Math.max(1, user + system);
};

/** How many times as much `second` costs as `first`; the least of several, since everything else only adds. */
export const timesAsMuch = (first: () => void, second: () => void): number => {
  const costs = Array.from({ length: turns }, () => [costOf(first), costOf(second)] as const);
  return Math.min(...costs.map(([, cost]) => cost)) / Math.min(...costs.map(([cost]) => cost));
};

const factor = 8;

/** What `work` costs at eight times `size`, by what it costs eight times at `size`: about 1 where it is linear, about 8 where it is quadratic. */
export const growth = (size: number, work: (size: number) => unknown): number =>
  timesAsMuch(() => {
    for (let time = 0; time < factor; time += 1) work(size);
  }, () => void work(size * factor));

/** The same for work that is waited for. */
export const growthOf = async (size: number, work: (size: number) => Promise<unknown>): Promise<number> => {
  const costs: (readonly [number, number])[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const small = await costOfAsync(async () => {
      for (let time = 0; time < factor; time += 1) await work(size);
    });
    costs.push([small, await costOfAsync(() => work(size * factor))]);
  }
  return Math.min(...costs.map(([, cost]) => cost)) / Math.min(...costs.map(([cost]) => cost));
};

const costOfAsync = async (work: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return Math.max(1, user + system);
};
