// One piece of work per key at a time: later callers share the running one's promise.

/** Joins the work already running under `key`, or starts `work`. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

/** A fresh group of keys; a finished or failed piece of work is forgotten at once. */
export const createSingleFlight = <T>(): SingleFlight<T> => {
  const running = new Map<string, Promise<T>>();
  return (key, work) => {
    const current = running.get(key);
    if (current !== undefined) return current;
    const started = work().finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };
};
