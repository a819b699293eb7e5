// The header's second line: whose token, how long it lasts, the plan's limits; or the banner in its place.
import { leadingAccount, tokenState } from "../../state/select.ts";
import type { AccountRow } from "../../state/state.ts";
import { clockMinute, duration, shortSpan, span } from "../../state/words.ts";
import { accountName, healthWord } from "../panes/accounts.ts";
import { segment } from "../theme.ts";
import type { Line, Segment } from "../theme.ts";
import type { View } from "../view.ts";
import { bannerOf } from "./banner.ts";
import { joinFitting, spread, widthOfAll } from "./compose.ts";
import { limitSegments } from "./limits.ts";
import { statusTone, statusWord } from "./request-row.ts";
import { expiryText, lifeBar, refreshText, timeLeft, tokenWord } from "./token.ts";
import { cut } from "./width.ts";

/** The line of the leading account. */
export const accountLine = (view: View): Line => {
  const { layout, glyphs, live, now } = view;
  const margin = segment(layout.breadth === "wide" || layout.breadth === "normal" ? " " : "");
  const instead = bannerOf(view) ?? (live.server.mode === "pass-through" ? segment("PASS-THROUGH: the client keeps its own login, nothing is stored") : null);
  if (instead !== null) return spread([margin, instead], [], layout.columns, glyphs);
  const account = leadingAccount(live.accounts, now);
  if (account === null) return spread([margin, segment("...", "dim")], [], layout.columns, glyphs);
  if (layout.breadth === "tiny") return tinyLine(account, view);
  const right = layout.breadth === "wide" ? refreshedText(account, view) : layout.breadth === "narrow" ? upText(view) : "";
  return withRight([margin, ...joinFitting(accountGroups(account, view), layout.columns - right.length - 3)], right, view);
};

// The token is pinned; the last answer only fills what is left beside it.
const tinyLine = (account: AccountRow, view: View): Line => {
  const token = tokenShortly(account, view);
  const last = lastAnswer(view);
  const { columns } = view.layout;
  return spread(token, widthOfAll(token) + widthOfAll(last) < columns ? last : [], columns, view.glyphs);
};

const withRight = (left: readonly Segment[], right: string, { layout, glyphs }: View): Line =>
  spread(left, right === "" ? [] : [segment(`${right}${layout.breadth === "narrow" ? "" : " "}`, "dim")], layout.columns, glyphs);

/** `up 3h12m`; empty before the start. Without seconds beyond the first minute: an idle screen is drawn once a minute. */
export const upText = ({ live, now }: View): string => {
  if (live.server.startedAt === null) return "";
  const up = now - live.server.startedAt;
  return `up ${up < 3_600_000 ? shortSpan(up) : span(up)}`;
};

/** `TOKEN 4h12m`: the token in the fewest words. */
export const tokenShortly = (account: AccountRow, { now }: View): readonly Segment[] => {
  const word = tokenWord(account, now);
  return [segment(`${word.text === "TOKEN OK" ? "TOKEN" : word.text} ${leftText(account, now)}`.trimEnd(), word.tone)];
};

// In the order of importance; what does not fit is left out.
const accountGroups = (account: AccountRow, view: View): readonly (readonly Segment[])[] => {
  const { now, live, layout, glyphs, about } = view;
  const expiring = tokenState(account, now) === "expiring";
  const wide = layout.breadth === "wide";
  const name = segment(layout.breadth === "narrow" ? "" : cut(accountName(account, view), wide ? 32 : 20, glyphs));
  const resting = account.health === "cooling" || account.health === "limited";
  return [
    [name],
    [tokenWord(account, now), segment(wide ? spaced("  ", expiryText(account, now)) : spaced(expiring ? " in " : " ", leftText(account, now)))],
    [segment(expiring ? refreshText(account, now, about.leadMs) : "", "warning")],
    resting ? [healthWord(account, now)] : [],
    limitSegments(account, now, glyphs),
    othersGroup(live.accounts, account, now),
    [segment(layout.breadth === "narrow" ? "" : lifeBar(account, now, wide ? 12 : 10), "dim")],
  ];
};

const spaced = (before: string, text: string): string => (text === "" ? "" : before + text);

const leftText = ({ expiresAt }: AccountRow, now: number): string => (expiresAt === null || expiresAt <= now ? "" : timeLeft(expiresAt, now));

const othersGroup = (accounts: readonly AccountRow[], leading: AccountRow, now: number): readonly Segment[] => {
  const others = accounts.filter(({ id }) => id !== leading.id);
  const signedOut = others.filter((account) => tokenState(account, now) === "needs-login").length;
  if (signedOut > 0) return [segment(`${signedOut} of ${accounts.length} signed out (3, l)`, "warning")];
  return others.length === 0 ? [] : [segment(`+${others.length} more`, "dim")];
};

const refreshedText = (account: AccountRow, { now }: View): string =>
  account.refreshedAt === null ? "" : `last refresh ${clockMinute(account.refreshedAt, now)} ${account.lastRefreshReason ?? ""} ok (#${account.refreshCount})`;

const lastAnswer = ({ live }: View): readonly Segment[] => {
  const row = live.requests.rows.find(({ outcome }) => outcome !== null);
  return row === undefined ? [] : [segment("last "), segment(statusWord(row), statusTone(row)), segment(` ${duration(row.durationMs ?? 0)}`)];
};
