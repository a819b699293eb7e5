// Numbers, durations and times as short texts: what a person reads in a log line, a table or a listing. No time makes
// them throw, because a time may come from a file or from the network.

const two = (value: number): string => String(value).padStart(2, "0");

/** A measured time, milliseconds: `0.8s`, `12.1s`, `3m04`, `2h05m`. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 99.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.floor(seconds);
  return whole < 3600 ? `${Math.floor(whole / 60)}m${two(whole % 60)}` : `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`;
};

/** The same for a log, in which milliseconds count: `340ms`, `12.1s`. */
export const exactDuration = (ms: number): string => (ms < 999.5 ? `${Math.round(ms)}ms` : duration(ms));

/** A time to come or gone by, milliseconds, largest two units: `12s`, `4m10s`, `3h12m`, `2d03h`. */
export const span = (ms: number): string => {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h${two(minutes % 60)}m` : `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
};

/** The same in one unit: `12s`, `4m`, `3h`, `2d`. */
export const shortSpan = (ms: number): string => {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
};

/** A count: `310`, `18.2k`, `212k`, `4.1M`, `1.2G`. */
export const amount = (count: number): string => {
  if (count < 1000) return String(Math.round(count));
  const [unit, letter] = count < 999_500 ? [1e3, "k"] : count < 999.5e6 ? [1e6, "M"] : [1e9, "G"];
  const scaled = count / Number(unit);
  return `${scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${letter}`;
};

/** `42%`; a share of 1.02 is `102%`. */
export const percent = (share: number): string => `${Math.round(share * 100)}%`;

/** Local wall time, `HH:MM:SS`. */
export const clockTime = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "--:--:--" : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Local wall time, `HH:MM`; with the weekday when it is more than 20 hours away from `now`, with the date beyond six days. */
export const clockMinute = (ms: number, now: number): string => {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "--:--";
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const away = Math.abs(ms - now);
  if (away < 20 * 3_600_000) return time;
  if (away < 6 * 86_400_000) return `${days[date.getDay()] ?? ""} ${time}`;
  return `${dayOf(date)} ${time}`;
};

/** Local wall time with its date, `2026-01-02 12:00:00`. */
export const dateTime = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "an impossible time" : `${dayOf(date)} ${clockTime(ms)}`;
};

const dayOf = (date: Date): string => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** ISO 8601 in UTC; null for none and for an impossible time. */
export const isoTime = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15 ? null : new Date(ms).toISOString();
