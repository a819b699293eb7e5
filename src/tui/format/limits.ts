// Plan limits in the few columns beside the token: `5h 42% ↻2h · 7d 13% ↻3d`. Knows no window by name
// except the overage one, which is shown only while it is in use.
import { currentLimits } from "../../state/select.ts";
import type { AccountRow, LimitReading } from "../../state/state.ts";
import { percent, shortSpan } from "../../state/words.ts";
import { segment } from "../theme.ts";
import type { Glyphs, Segment, Tone } from "../theme.ts";
import { safe } from "./width.ts";

/** A reading older than this carries its age. */
const staleMs = 5 * 60_000;

/** The readings in the order of their windows; empty without any. */
export const limitSegments = (account: AccountRow, now: number, glyphs: Glyphs): readonly Segment[] => {
  const shown = currentLimits(account, now).filter(isShown).sort(byWindow);
  if (shown.length === 0) return [];
  const readAt = Math.max(...shown.map((limit) => limit.readAt));
  const age = now - readAt > staleMs ? [segment(` (${shortSpan(now - readAt)} ago)`, "dim")] : [];
  return [...shown.flatMap((limit, index) => [...(index === 0 ? [] : [segment(glyphs.between, "dim")]), limitSegment(limit, now, glyphs)]), ...age];
};

/** One reading with everything that is known of it, for the detail view. */
export const limitText = (limit: LimitReading, now: number, glyphs: Glyphs): string => {
  const parts = [
    limit.window === "" ? "plan" : safe(limit.window, glyphs),
    limit.utilization === null ? null : percent(limit.utilization),
    limit.status === null ? null : safe(limit.status, glyphs).replaceAll("_", " "),
    limit.resetsAt === null ? null : limit.resetsAt > now ? `resets in ${shortSpan(limit.resetsAt - now)}` : "has been reset",
    limit.representative ? "binding" : null,
    `read ${shortSpan(now - limit.readAt)} ago`,
  ];
  return parts.filter((part) => part !== null).join(", ");
};

const isShown = (limit: LimitReading): boolean => {
  if (limit.window.includes("overage")) return limit.representative || (limit.utilization ?? 0) > 0;
  if (limit.window === "") return refuses(limit);
  return limit.utilization !== null || refuses(limit);
};

const refuses = ({ status }: LimitReading): boolean => status === "rejected" || status === "rate_limited";

const limitSegment = (limit: LimitReading, now: number, glyphs: Glyphs): Segment => {
  const name = limit.window === "" ? "plan" : safe(limit.window, glyphs);
  const used = limit.utilization === null ? "" : ` ${percent(limit.utilization)}`;
  const word = refuses(limit) ? " FULL" : limit.status === "allowed_warning" ? " HIGH" : "";
  const reset = limit.resetsAt === null ? "" : ` ${glyphs.reset}${shortSpan(limit.resetsAt - now)}`;
  return segment(`${name}${used}${word}${reset}`, toneOf(limit));
};

const toneOf = (limit: LimitReading): Tone => {
  if (refuses(limit) || (limit.utilization ?? 0) >= 1) return "error";
  return limit.status === "allowed_warning" || (limit.utilization ?? 0) >= 0.8 || limit.window.includes("overage") ? "warning" : "plain";
};

// Shorter windows first: they bind first. A name that begins with no number comes last.
const lengthOf = (window: string): number => {
  const match = /^(\d+)([mhd])/.exec(window);
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]) * ({ m: 1, h: 60, d: 1440 }[match[2] ?? "d"] ?? 1440);
};

const byWindow = (left: LimitReading, right: LimitReading): number =>
  lengthOf(left.window) === lengthOf(right.window) ? left.window.localeCompare(right.window) : lengthOf(left.window) - lengthOf(right.window);
