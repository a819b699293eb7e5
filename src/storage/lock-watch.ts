// Is the holder of a lock hung? Judged by watching its heartbeat with our own steady clock, so that a
// wall clock that jumped, or a laptop that slept, does not take the lock from a live holder.
import type { Clock } from "../lib/clock.ts";

/** Milliseconds. */
export type LockTiming = {
  /** How often a holder touches its claim. */
  readonly heartbeatMs: number;
  /** A claim untouched for this long while we watched, or by its date, belongs to a hung holder. */
  readonly hungMs: number;
  /** A date that looks wrong (too old, or in the future) must stay unchanged for this long before it is believed. */
  readonly confirmMs: number;
  /** How far in the future a date may lie. */
  readonly futureMs: number;
};

export const lockTiming: LockTiming = { heartbeatMs: 1_000, hungMs: 20_000, confirmMs: 3_000, futureMs: 5_000 };

/** Looks at the same claim again and again; true when its holder counts as hung. */
export type LockWatch = (claim: { readonly token: string; readonly touchedAt: number }) => boolean;

/**
 * A watch for one wait. Time in which we ourselves did not run (stopped, asleep) counts for at most
 * `longestStepMs` per look: the holder may have slept with us.
 */
export const createLockWatch = (clock: Clock, timing: LockTiming, longestStepMs = 500): LockWatch => {
  let seen = "";
  let watchedMs = 0;
  let lookedAt = 0;
  return ({ token, touchedAt }) => {
    const now = clock.monotonic();
    const mark = `${token} ${touchedAt}`;
    watchedMs = mark === seen ? watchedMs + Math.min(now - lookedAt, longestStepMs) : 0;
    seen = mark;
    lookedAt = now;
    const age = clock.now() - touchedAt;
    const odd = age > timing.hungMs || age < -timing.futureMs;
    return watchedMs >= timing.hungMs || (odd && watchedMs >= timing.confirmMs);
  };
};
