// The plan's and the API's limits in response headers. Pure, generic over windows (new ones appear without notice), bounded,
// and never in the way of a request.
import { visibleText } from "../lib/visible-text.ts";

/** Header names are lower case. */
export type ResponseHeaders = Readonly<Record<string, string | undefined>>;

/** One window; the field meanings of the event `limits.updated`. */
export type LimitReading = {
  readonly window: string;
  readonly status: string | null;
  /** 0..1, can exceed 1 (1.02 was seen). */
  readonly utilization: number | null;
  /** Wall milliseconds. */
  readonly resetsAt: number | null;
  readonly representative: boolean;
};

/** More windows than any plan has; a hostile server must not fill memory. */
const mostWindows = 24;

/** Every window that the answer speaks of. Subscription headers are undocumented, the others are in the API's rate-limit page. */
export const readLimits = (headers: ResponseHeaders): readonly LimitReading[] => {
  const windows = new Map<string, Map<string, string>>();
  for (const name in headers) {
    if (!name.startsWith("anthropic-")) continue;
    const text = headers[name];
    const place = placeOf(name);
    if (place === null || text === undefined) continue;
    if (!windows.has(place.window) && windows.size >= mostWindows) continue;
    const fields = windows.get(place.window) ?? new Map<string, string>();
    windows.set(place.window, fields.set(place.field, visibleText(text.trim(), 80)));
  }
  const claimed = claimedWindow(headers["anthropic-ratelimit-unified-representative-claim"]);
  return [...windows].map(([window, fields]) => reading(window, fields, window === claimed));
};

/** True when `next` says something else than `previous`, or `previous` is older than a minute. */
export const isNews = (previous: { readonly reading: LimitReading; readonly readAt: number } | undefined, next: LimitReading, now: number): boolean =>
  previous === undefined ||
  Math.abs(now - previous.readAt) >= 60_000 ||
  (["status", "utilization", "resetsAt", "representative"] as const).some((field) => previous.reading[field] !== next[field]);

type Place = { readonly window: string; readonly field: string };

const unified = /^anthropic-ratelimit-unified-(?:(.{1,40})-)?(status|reset|utilization)$/;
const overage = /^anthropic-ratelimit-unified-(overage)-(disabled-reason|in-use)$/;
const classic = /^anthropic-(?:ratelimit|(priority))-(?!unified-)(.{1,40})-(limit|remaining|reset)$/;

const placeOf = (name: string): Place | null => {
  const match = overage.exec(name) ?? unified.exec(name);
  if (match !== null) return { window: visibleText(match[1] ?? ""), field: match[2] ?? "" };
  const plain = classic.exec(name);
  if (plain === null) return null;
  return { window: visibleText(plain[1] === undefined ? (plain[2] ?? "") : `priority-${plain[2]}`), field: plain[3] ?? "" };
};

const reading = (window: string, fields: ReadonlyMap<string, string>, representative: boolean): LimitReading => ({
  window,
  status: statusOf(fields),
  utilization: utilizationOf(fields),
  resetsAt: instant(fields.get("reset")),
  representative,
});

// `overage` says whether requests are billed beyond the plan, and why not: that belongs into the same line.
const statusOf = (fields: ReadonlyMap<string, string>): string | null => {
  const inUse = fields.get("in-use") === "true" ? "in use" : undefined;
  const words = [fields.get("status"), fields.get("disabled-reason"), inUse].filter((word) => word !== undefined && word !== "");
  return words.length === 0 ? null : words.join(", ");
};

const utilizationOf = (fields: ReadonlyMap<string, string>): number | null => {
  const given = amount(fields.get("utilization"));
  if (given !== null) return given;
  const [limit, remaining] = [amount(fields.get("limit")), amount(fields.get("remaining"))];
  return limit === null || remaining === null || limit === 0 ? null : Math.max(0, 1 - remaining / limit);
};

const amount = (text: string | undefined): number | null => (text !== undefined && /^\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : null);

/** Epoch seconds (milliseconds when too large for that) or RFC 3339; null when it is neither. */
const instant = (text: string | undefined): number | null => {
  const number = amount(text);
  if (number !== null) return number > 1e11 ? Math.round(number) : Math.round(number * 1000);
  if (text === undefined || !/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
};

// The claim spells windows out: five_hour, seven_day, seven_day_overage_included.
const claimedWindow = (claim: string | undefined): string | undefined =>
  claim?.trim().replace(/^five_hour/, "5h").replace(/^seven_day/, "7d").replace(/_overage_included$/, "_oi");
