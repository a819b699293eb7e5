import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../src/lib/retry-after.ts";

const now = Date.UTC(2026, 0, 2, 12, 0, 0);

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["12", 12_000],
    [" 1.5 ", 1500],
    ["Fri, 02 Jan 2026 12:00:30 GMT", 30_000],
    ["Friday, 02-Jan-26 12:00:30 GMT", 30_000],
    ["Fri Jan  2 12:00:30 2026 GMT", 30_000],
    ["Fri, 02 Jan 2026 11:00:00 GMT", 0],
    ["-1", null],
    ["soon", null],
    ["1e9", null],
    ["9999999999", null],
    ["", null],
    [null, null],
    [undefined, null],
    ["Fri".repeat(1000), null],
  ])("%j is %j ms", (field, ms) => {
    expect(retryAfterMs(field, now)).toBe(ms);
  });
});
