// The two things the dashboard asks of the process it runs in. Nothing else of the screens may touch it.

/**
 * Stops the whole job, as Ctrl+Z does in a terminal that is not in raw mode; comes back when it is
 * continued. Throws where the system has no such signal (Windows).
 */
export const freezeJob = (): void => void process.kill(0, "SIGTSTP");

/** Resident memory, bytes. */
export const residentMemory = (): number => process.memoryUsage.rss();
