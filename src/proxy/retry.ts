// May a failed attempt be tried again, and when? Pure. A request that may have been executed is never
// repeated: a second POST to the Messages API costs the user a second time.

export type RetrySettings = { readonly maxRetries: number; readonly delayMs: number; readonly statuses: readonly number[] };

/** What is known of the attempt that failed. */
export type FailedAttempt = {
  /** A connection stood and the request was being written. */
  readonly sent: boolean;
  /** The body can be sent again from its start. */
  readonly replayable: boolean;
  /** Trying again cannot help: a wrong certificate, a proxy that refuses, a broken setting. */
  readonly permanent: boolean;
  /** Nobody listens there, which was known at once. */
  readonly refused: boolean;
  /** Tries after the first that were already made for this reason. */
  readonly retries: number;
};

/** Milliseconds to wait before the next try; null: do not try again. */
export const retryAfterFailure = (attempt: FailedAttempt, settings: RetrySettings): number | null => {
  // A reused connection that dies before the first byte of the answer looks the same whether or not the
  // upstream had begun to work: left to the client, which is told so by `x-should-retry`.
  if (attempt.sent || attempt.permanent || !attempt.replayable || attempt.retries >= settings.maxRetries) return null;
  return attempt.refused ? shortPause(attempt.retries, settings) : pause(attempt.retries, settings);
};

/** The same for an answer with one of the opted-in statuses. */
export const retryAfterStatus = (status: number, attempt: Pick<FailedAttempt, "replayable" | "retries">, settings: RetrySettings): number | null => {
  if (!settings.statuses.includes(status) || !attempt.replayable || attempt.retries >= settings.maxRetries) return null;
  return pause(attempt.retries, settings);
};

const pause = (retries: number, settings: RetrySettings): number => settings.delayMs * 2 ** retries;

// A client that waits seconds for "refused" learns nothing by it, and it has more patience than we have: all tries
// together take less than the one pause.
const shortPause = (retries: number, settings: RetrySettings): number => pause(retries, settings) / 2 ** settings.maxRetries;
