// The field Retry-After (RFC 9110 section 10.2.3): whole seconds or an HTTP date.

/**
 * Milliseconds to wait from `now` (wall milliseconds), never negative; null when the field is absent
 * or makes no sense. The caller sets its own upper bound.
 */
export const retryAfterMs = (field: string | null | undefined, now: number): number | null => {
  const text = field?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  // A date always names a weekday or a month; `Date.parse` alone would take "-1" for a year.
  if (!/[a-z]{3}/i.test(text) || text.length > 60) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
};
