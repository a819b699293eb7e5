import { describe, expect, it } from "vitest";
import { amount, clockMinute, clockTime, dateTime, duration, exactDuration, percent, shortSpan, span } from "../../src/lib/units.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const noon = Date.UTC(2026, 0, 2, 12, 0, 0);

describe("short texts for numbers and times", () => {
  it.each([
    [0, "0.0s"], [840, "0.8s"], [12_100, "12.1s"], [99_949, "99.9s"], [99_960, "1m39"], [184 * second, "3m04"], [2 * hour + 5 * minute, "2h05m"], [-5, "0.0s"],
  ])("duration %d is %s", (ms, text) => expect(duration(ms)).toBe(text));
  it.each([[0, "0ms"], [12.4, "12ms"], [999.4, "999ms"], [999.6, "1.0s"], [184 * second, "3m04"]])("exact duration %d is %s", (ms, text) => expect(exactDuration(ms)).toBe(text));
  it.each([[0, "0s"], [59_999, "59s"], [250 * second, "4m10s"], [192 * minute, "3h12m"], [51 * hour, "2d03h"], [-1, "0s"]])("span %d is %s", (ms, text) => expect(span(ms)).toBe(text));
  it.each([[12 * second, "12s"], [250 * second, "4m"], [192 * minute, "3h"], [73 * hour, "3d"]])("short span %d is %s", (ms, text) => expect(shortSpan(ms)).toBe(text));
  it.each([
    [0, "0"], [310, "310"], [999, "999"], [1000, "1.0k"], [18_234, "18.2k"], [99_949, "99.9k"], [99_950, "100k"], [212_345, "212k"], [999_499, "999k"], [999_500, "1.0M"],
    [4_100_000, "4.1M"], [1_200_000_000, "1.2G"],
  ])("amount %d is %s", (count, text) => expect(amount(count)).toBe(text));
  it("a share can exceed the whole", () => expect([percent(0), percent(0.424), percent(1.02)]).toEqual(["0%", "42%", "102%"]));
  it("times are local and never fail", () => {
    const localNoon = new Date(2026, 0, 2, 12).getTime();
    expect(clockTime(localNoon + 61 * second)).toBe("12:01:01");
    expect(clockMinute(localNoon, localNoon)).toBe("12:00");
    expect(clockMinute(localNoon + 30 * hour, localNoon)).toBe("Sat 18:00");
    expect(clockMinute(localNoon + 300 * hour, localNoon)).toBe("2026-01-15 00:00");
    expect([clockTime(Number.NaN), clockMinute(Number.POSITIVE_INFINITY, noon), dateTime(9e15)]).toEqual(["--:--:--", "--:--", "an impossible time"]);
  });

  it.each([
    ["Asia/Kolkata", "17:31:01", "17:30", "Sun 05:30", "2026-01-15 05:30", "2026-01-03 05:30:00"],
    ["America/St_Johns", "08:31:01", "08:30", "Sat 20:30", "2026-01-14 20:30", "2026-01-02 20:30:00"],
    ["Pacific/Kiritimati", "02:01:01", "02:00", "Sun 14:00", "2026-01-15 14:00", "2026-01-03 14:00:00"],
  ])("times are those of the reader's own zone, %s", (zone, ...texts) => {
    const before = process.env["TZ"];
    process.env["TZ"] = zone;
    try {
      const evening = noon + 12 * hour;
      expect([clockTime(noon + 61 * second), clockMinute(noon, noon), clockMinute(noon + 36 * hour, noon), clockMinute(noon + 300 * hour, noon), dateTime(evening)]).toEqual(texts);
    } finally {
      if (before === undefined) delete process.env["TZ"];
      else process.env["TZ"] = before;
    }
  });
});
