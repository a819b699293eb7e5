// The top of the screen: state and address, then the account or what is wrong with it, then traffic.
// Pinned at every size; only the words get shorter.
import { amount, clockMinute, duration, percent, shortSpan, span } from "../../lib/units.ts";
import { totalInput } from "../../messages/usage.ts";
import { cacheCollapse, headerWord, leadingAccount, requestsPerMinute, tokenState, ttfbPercentiles, worstCache } from "../../state/select.ts";
import type { HeaderWord } from "../../state/select.ts";
import type { AccountRow } from "../../state/state.ts";
import { accountName, expiryText, healthWord, lifeBar, limitSegments, refreshText, timeLeft, tokenWord } from "../panes/accounts.ts";
import { statusTone, statusWord } from "../panes/requests.ts";
import { clientAddress } from "../setup-lines.ts";
import { cut, fit, joinFitting, spread, widthOfAll } from "../text.ts";
import { indented, lineOf, segment } from "../theme.ts";
import type { Line, Segment, Tone } from "../theme.ts";
import type { View } from "../view.ts";
import { bannerOf } from "./banner.ts";
import { noticeIn } from "./footer.ts";

/** As many lines as the layout gives to the header. */
export const headerLines = (view: View): readonly Line[] => {
  const { header } = view.layout;
  if (header === 1) return [onlyLine(view)];
  const two = [stateLine(view), accountLine(view)];
  return header === 2 ? two : [...two, trafficLine(view)];
};

const wordTones: Readonly<Record<HeaderWord, Tone>> = { STARTING: "accent", RUNNING: "good", DEGRADED: "error", STOPPING: "warning", STOPPED: "dim" };

const stateWord = ({ live, now, layout }: View): Segment => {
  const word = headerWord(live);
  if (word === "STOPPING") return segment(`STOPPING, ${live.requests.inFlight} open, ${span((live.server.stopDeadline ?? now) - now)} left`, "warning");
  return segment(word === "RUNNING" && (layout.breadth === "narrow" || layout.breadth === "tiny") ? "RUN" : word, wordTones[word]);
};

const rateText = ({ live, now }: View): string => `${amount(requestsPerMinute(live.requests, now))}/min`;
const slowMark = ({ slow }: View): readonly Segment[] => (slow ? [segment("slow  ", "warning")] : []);

const stateLine = (view: View): Line => {
  const { layout, glyphs, live } = view;
  const address = clientAddress(view);
  const open = live.requests.inFlight;
  const width = layout.columns;
  switch (layout.breadth) {
    case "wide":
      return spread(
        [segment(` claude-oauth-proxy ${live.server.version}   `, "strong"), stateWord(view), segment(`   ${address}`)],
        [...slowMark(view), segment(`${upText(view)}   in-flight ${open}   ${rateText(view)} `)],
        width,
        glyphs,
      );
    case "normal":
      return spread([segment(" "), stateWord(view), segment(` ${address}`)], [...slowMark(view), segment(`${rateText(view)}  ${open} open  ${upText(view)} `)], width, glyphs);
    case "narrow":
      return spread([stateWord(view), segment(` ${address.replace("http://", "")}`)], [segment(`${rateText(view)} ${open} open`)], width, glyphs);
    case "tiny":
      return spread([stateWord(view), segment(` :${live.server.port ?? 0}`)], [segment(rateText(view))], width, glyphs);
  }
};

/** The line of the leading account. */
export const accountLine = (view: View): Line => {
  const { layout, glyphs, live, now } = view;
  const margin = segment(layout.breadth === "wide" || layout.breadth === "normal" ? " " : "");
  const banner = bannerOf(view);
  if (banner !== null) return indented(banner, margin.text.length);
  if (live.server.mode === "pass-through") return lineOf(margin, segment("PASS-THROUGH: the client keeps its own login, nothing is stored"));
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

const counted = (count: number): string => count.toLocaleString("en-US");

const trafficLine = (view: View): Line => {
  const { live: { requests }, layout, glyphs } = view;
  const ttfb = ttfbPercentiles(requests);
  const groups: readonly (readonly Segment[])[] = [
    [
      segment(` since start  2xx ${counted(requests.ok)}`),
      segment(`   4xx ${counted(requests.clientErrors)}`, requests.clientErrors > 0 ? "warning" : "plain"),
      segment(`   5xx ${counted(requests.serverErrors)}`, requests.serverErrors > 0 ? "error" : "plain"),
    ],
    ttfb === null ? [] : [segment(`TTFB p50 ${duration(ttfb.p50)} p95 ${duration(ttfb.p95)}`)],
    [segment(`in ${amount(totalInput(requests))}  out ${amount(requests.outputTokens)}`)],
    cacheGroup(view),
  ];
  const right = upstreamText(view);
  return spread(joinFitting(groups, layout.columns - right.length - 3, "   "), [segment(right === "" ? "" : `${right} `, "dim")], layout.columns, glyphs);
};

const cacheGroup = ({ live, now }: View): readonly Segment[] => {
  const session = worstCache(live, now);
  const collapsed = session === null ? null : cacheCollapse(session);
  if (session !== null && collapsed !== null) return [segment(`! cache ${percent(collapsed.now)}, was ${percent(collapsed.before)} (2)`, "warning")];
  const total = totalInput(live.requests);
  return total === 0 ? [] : [segment(`cache ${percent(live.requests.cacheReadTokens / total)}`)];
};

const upstreamText = ({ live: { requests, upstream }, now }: View): string => {
  if (upstream.failingSince !== null) return `upstream failing ${shortSpan(now - upstream.failingSince)}`;
  if (requests.lastUpstreamOkAt === null) return "";
  // Seconds only while they are kept up to date.
  const ago = now - requests.lastUpstreamOkAt;
  return `upstream ok ${ago < 60_000 && requests.inFlight === 0 ? "<1m" : shortSpan(ago)} ago`;
};

const onlyLine = (view: View): Line => {
  // Never the very last cell: some consoles scroll when it is written.
  const width = view.layout.columns - 1;
  const alert = noticeIn(view) ?? bannerOf(view);
  if (alert !== null) return fit(alert, width, view.glyphs);
  const account = leadingAccount(view.live.accounts, view.now);
  const token = account === null ? [] : tokenShortly(account, view);
  return lineOf(...joinFitting([[stateWord(view)], token, [segment(`${view.live.requests.inFlight} open`)], [segment(rateText(view))]], width, " "));
};
