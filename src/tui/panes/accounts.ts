// Pane 3: every account with its health, token, limits, next refresh and last error; and the words in which the
// header and the details speak of an account.
import { amount, clockMinute, percent, shortSpan, span } from "../../lib/units.ts";
import { currentLimits, tokenState } from "../../state/select.ts";
import type { TokenState } from "../../state/select.ts";
import type { AccountRow, LimitReading } from "../../state/state.ts";
import { downTo, tableOf } from "../table.ts";
import type { Column } from "../table.ts";
import { safe } from "../text.ts";
import { lineOf, segment } from "../theme.ts";
import type { Glyphs, Line, Segment, Tone } from "../theme.ts";
import type { View } from "../view.ts";
import { listingOf } from "./listing.ts";
import type { Listing } from "./listing.ts";

/** The accounts as they are to be drawn; an account with something to say has further lines. */
export const accountsListing = (view: View): Listing => {
  const { layout, glyphs, shown } = view;
  return listingOf({
    rows: shown.accounts,
    table: tableOf(accountColumns(view), { breadth: layout.breadth, width: layout.columns, glyphs }),
    id: ({ id }) => id,
    below: (account) => remarks(account, view),
    empty: [
      shown.server.mode === "pass-through"
        ? lineOf(segment(" pass-through: the client keeps its own login, nothing is stored here.", "dim"))
        : lineOf(segment(" No account yet. a signs one in, y adds an API key.")),
    ],
  });
};

const accountColumns = (view: View): readonly Column<AccountRow>[] => [
  { title: "ACCOUNT", width: downTo("tiny", 8), rest: true, cell: (account) => segment(accountName(account, view), account.enabled ? "strong" : "dim") },
  { title: "KIND", width: downTo("wide", 5), cell: ({ kind }) => segment(kind === "oauth" ? "plan" : "key", "dim") },
  { title: "PRIO", width: downTo("normal", 4), right: true, cell: ({ priority }) => segment(String(priority), "dim") },
  { title: "HEALTH", width: downTo("normal", 16), cell: (account) => healthWord(account, view.now) },
  { title: "TOKEN", width: downTo("tiny", 15), cell: (account) => tokenShort(account, view.now) },
  { title: "NEXT", width: downTo("wide", 16), cell: (account) => segment(refreshText(account, view.now, view.about.leadMs), "dim") },
  { title: "REQ", width: downTo("normal", 5), right: true, cell: ({ requests }) => amount(requests) },
];

const remarks = (account: AccountRow, view: View): readonly Line[] => {
  const limits = limitSegments(account, view.now, view.glyphs);
  const failed = account.lastError !== null && tokenState(account, view.now) !== "disabled";
  return [
    ...(limits.length === 0 ? [] : [lineOf(segment("    "), ...limits)]),
    ...(failed ? [lineOf(segment(`    last error: ${safe(account.lastError ?? "", view.glyphs)}`, account.health === "needs-login" ? "error" : "warning"))] : []),
  ];
};

/** The name an account goes by. */
export const accountName = ({ label, id }: Pick<AccountRow, "label" | "id">, { glyphs }: Pick<View, "glyphs">): string => safe(label === "" ? id : label, glyphs);

const healthTones: Readonly<Record<AccountRow["health"], Tone>> = { healthy: "good", cooling: "warning", limited: "warning", disabled: "dim", "needs-login": "error" };

/** `healthy`, `limited to 21:42`. */
export const healthWord = ({ health, coolingUntil }: AccountRow, now: number): Segment =>
  segment(coolingUntil !== null && coolingUntil > now ? `${health} to ${clockMinute(coolingUntil, now)}` : health.replace("-", " "), healthTones[health]);

const tokenWords: Readonly<Record<TokenState, readonly [string, Tone]>> = {
  ok: ["TOKEN OK", "good"],
  expiring: ["TOKEN EXPIRING", "warning"],
  expired: ["TOKEN EXPIRED", "error"],
  refreshing: ["TOKEN REFRESHING", "accent"],
  "refresh-failed": ["REFRESH FAILED", "error"],
  "needs-login": ["SIGN IN AGAIN", "error"],
  key: ["API KEY", "good"],
  disabled: ["DISABLED", "dim"],
};

/** The word for the token, in its tone. */
export const tokenWord = (account: AccountRow, now: number): Segment => segment(...tokenWords[tokenState(account, now)]);

/** A short word for tables: `ok 4h12m`, `expired`, `sign in`. */
export const tokenShort = (account: AccountRow, now: number): Segment => {
  const state = tokenState(account, now);
  const left = account.expiresAt === null ? "" : ` ${timeLeft(account.expiresAt, now)}`;
  const words: Readonly<Record<TokenState, string>> = {
    ok: `ok${left}`, expiring: `expiring${left}`, "refresh-failed": `failed${left}`, expired: "expired", refreshing: "refreshing", "needs-login": "sign in", key: "key", disabled: "disabled",
  };
  return segment(words[state], tokenWords[state][1]);
};

/** `expires in 4h12m at 21:42`; empty when it does not expire. */
export const expiryText = ({ expiresAt }: AccountRow, now: number): string =>
  expiresAt === null || expiresAt <= now ? "" : `expires in ${timeLeft(expiresAt, now)} at ${clockMinute(expiresAt, now)}`;

/** Seconds only in the last ten minutes: a countdown that moves every second costs a frame every second. */
export const timeLeft = (at: number, now: number): string => {
  const left = at - now;
  if (left < 10 * 60_000) return span(left);
  return left < 3_600_000 ? `${Math.floor(left / 60_000)}m` : span(left);
};

/** When the automatic refresh will run: `refresh in 1m`; empty when there is nothing to refresh. */
export const refreshText = (account: AccountRow, now: number, leadMs: number): string => {
  if (account.kind === "api_key" || account.expiresAt === null || account.refreshing) return "";
  const at = account.nextRefreshAt ?? account.expiresAt - leadMs;
  return at <= now ? "refresh due" : `refresh in ${timeLeft(at, now)}`;
};

/** A bar of what is left of the token's life, `[######----]`; the life is taken as eight hours when its start is not known. */
export const lifeBar = (account: AccountRow, now: number, width: number): string => {
  if (account.expiresAt === null) return "";
  const from = account.refreshedAt ?? account.expiresAt - 8 * 3_600_000;
  const share = Math.min(1, Math.max(0, (account.expiresAt - now) / Math.max(1, account.expiresAt - from)));
  const full = Math.round(share * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
};

/** A reading older than this carries its age. */
const staleMs = 5 * 60_000;

/**
 * The plan's limits in few columns, `5h 42% ↻2h · 7d 13% ↻3d`, in the order of their windows; empty without any.
 * No window is known by name except the overage one, which is shown only while it is in use.
 */
export const limitSegments = (account: AccountRow, now: number, glyphs: Glyphs): readonly Segment[] => {
  const shown = currentLimits(account, now).filter(isShown).sort(byWindow);
  if (shown.length === 0) return [];
  const readAt = Math.max(...shown.map((limit) => limit.readAt));
  const age = now - readAt > staleMs ? [segment(` (${shortSpan(now - readAt)} ago)`, "dim")] : [];
  return [...shown.flatMap((limit, index) => [...(index === 0 ? [] : [segment(glyphs.between, "dim")]), limitSegment(limit, now, glyphs)]), ...age];
};

/** One reading with everything that is known of it, for the details. */
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
  return refuses(limit) || (limit.window !== "" && limit.utilization !== null);
};

const refuses = ({ status }: LimitReading): boolean => status === "rejected" || status === "rate_limited";

const limitSegment = (limit: LimitReading, now: number, glyphs: Glyphs): Segment => {
  const name = limit.window === "" ? "plan" : safe(limit.window, glyphs);
  const used = limit.utilization === null ? "" : ` ${percent(limit.utilization)}`;
  const word = refuses(limit) ? " FULL" : limit.status === "allowed_warning" ? " HIGH" : "";
  const reset = limit.resetsAt === null ? "" : ` ${glyphs.reset}${shortSpan(limit.resetsAt - now)}`;
  return segment(`${name}${used}${word}${reset}`, limitTone(limit));
};

const limitTone = (limit: LimitReading): Tone => {
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
