import { describe, expect, it } from "vitest";

import { retryAfterFailure, retryAfterStatus } from "../../src/proxy/retry.ts";

const settings = { maxRetries: 3, delayMs: 1000, statuses: [529] };
const failed = { sent: false, replayable: true, permanent: false, refused: false, retries: 0 };

describe("retry", () => {
  it("waits twice as long each time and stops at the limit", () => {
    expect([0, 1, 2, 3].map((retries) => retryAfterFailure({ ...failed, retries }, settings))).toEqual([1000, 2000, 4000, null]);
  });

  it("F1 after a refused connection all tries happen within the first pause, as many as set", () => {
    const pauses = [0, 1, 2, 3].map((retries) => retryAfterFailure({ ...failed, refused: true, retries }, settings));
    expect(pauses).toEqual([125, 250, 500, null]);
    expect(retryAfterFailure({ ...failed, refused: true, retries: 9 }, { ...settings, maxRetries: 10 })).toBe(500);
    expect(retryAfterFailure({ ...failed, refused: true }, { ...settings, maxRetries: 0 })).toBe(null);
  });

  it("never repeats what may have been executed, cannot be repeated, or cannot succeed", () => {
    expect(retryAfterFailure({ ...failed, sent: true }, settings)).toBe(null);
    expect(retryAfterFailure({ ...failed, replayable: false }, settings)).toBe(null);
    expect(retryAfterFailure({ ...failed, permanent: true }, settings)).toBe(null);
  });

  it("a status is tried again only when it was opted in", () => {
    expect(retryAfterStatus(529, failed, settings)).toBe(1000);
    expect(retryAfterStatus(500, failed, settings)).toBe(null);
    expect(retryAfterStatus(529, { ...failed, replayable: false }, settings)).toBe(null);
  });
});
