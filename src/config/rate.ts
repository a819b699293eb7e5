// Rate limits as people write them: `20/min`, `5/s`, `off`.
import type { Rate } from "./schema.ts";

const windows: Readonly<Record<string, number>> = { s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, hour: 3_600_000 };

/** Null is `off`; undefined is not a rate at all. */
export const parseRate = (text: string): Rate | null | undefined => {
  const wanted = text.trim().toLowerCase();
  if (wanted === "off") return null;
  const [, count = "", unit = ""] = /^([1-9]\d{0,6})\s*\/\s*([a-z]+)$/.exec(wanted) ?? [];
  const windowMs = Object.hasOwn(windows, unit) ? windows[unit] : undefined;
  return windowMs === undefined ? undefined : { count: Number(count), windowMs };
};

/** The spelling that `parseRate` reads back. */
export const formatRate = (rate: Rate | null): string => {
  if (rate === null) return "off";
  const unit = rate.windowMs === 1000 ? "s" : rate.windowMs === 60_000 ? "min" : "h";
  return `${rate.count}/${unit}`;
};
