// Times and durations as the log writes them: local wall clock, so that they match the reader's own.

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-01-02 12:00:00` in the machine's time zone; `at` is wall milliseconds. Never throws. */
export const localTime = (at: number): string => {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "an impossible time";
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

/** `340 ms`, `12.1 s`, `3 min 4 s`, `2 h 5 min`. */
export const duration = (ms: number): string => {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};
