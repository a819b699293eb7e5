// Times for listings; a time that no calendar knows must not end a command or an answer.

/** Milliseconds as ISO 8601 in UTC, null for none and for an impossible time. */
export const isoTime = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15 ? null : new Date(ms).toISOString();
