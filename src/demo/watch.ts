// Waiting for something to become true without polling: looked at again after every change.

export type Watch = {
  /** Call after a change. */
  changed(): void;
  /** Resolves when `predicate` holds; rejects after `deadlineMs` of real time with `what` was waited for. */
  waitFor(predicate: () => boolean, deadlineMs: number, what: string): Promise<void>;
};

export const createWatch = (): Watch => {
  const watchers = new Set<() => void>();
  return {
    changed() {
      for (const look of watchers) look();
    },
    waitFor: (predicate, deadlineMs, what) =>
      new Promise<void>((resolve, reject) => {
        if (predicate()) return resolve();
        // Real time on purpose: a deadline has to pass even when a test holds the clock still.
        const timer = setTimeout(() => settle(() => reject(new Error(`not seen within ${deadlineMs} ms: ${what}`))), deadlineMs);
        const look = (): void => {
          try {
            if (predicate()) settle(resolve);
          } catch (error) {
            // The predicate's fault belongs to the one who waits, not to the request that was looked at.
            settle(() => reject(error as Error));
          }
        };
        const settle = (end: () => void): void => {
          watchers.delete(look);
          clearTimeout(timer);
          end();
        };
        watchers.add(look);
        return undefined;
      }),
  };
};
