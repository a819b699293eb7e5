// The top of the screen: state and address, then the account or what is wrong with it, then traffic.
// Pinned at every size; only the words get shorter.
import { cacheCollapse, headerWord, leadingAccount, requestsPerMinute, ttfbPercentiles, totalInput, worstCache } from "../../state/select.ts";
import type { HeaderWord } from "../../state/select.ts";
import { amount, duration, percent, shortSpan, span } from "../../state/words.ts";
import { segment } from "../theme.ts";
import type { Line, Segment, Tone } from "../theme.ts";
import type { View } from "../view.ts";
import { accountLine, tokenShortly, upText } from "./account-line.ts";
import { bannerOf } from "./banner.ts";
import { joinFitting, spread } from "./compose.ts";
import { saidIn } from "./footer.ts";
import { clientAddress } from "./setup-lines.ts";

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

const counted = (count: number): string => count.toLocaleString("en-US");

const trafficLine = (view: View): Line => {
  const { live: { requests }, layout, glyphs } = view;
  const ttfb = ttfbPercentiles(requests);
  const groups: readonly (readonly Segment[])[] = [
    [segment(` since start  2xx ${counted(requests.ok)}`), segment(`   4xx ${counted(requests.clientErrors)}`, requests.clientErrors > 0 ? "warning" : "plain"), segment(`   5xx ${counted(requests.serverErrors)}`, requests.serverErrors > 0 ? "error" : "plain")],
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
  const account = leadingAccount(view.live.accounts, view.now);
  const banner = saidIn(view) ?? bannerOf(view);
  const token = banner !== null ? [banner] : account === null ? [] : tokenShortly(account, view);
  const groups = [[stateWord(view)], token, [segment(`${view.live.requests.inFlight} open`)], [segment(rateText(view))]];
  // Never the very last cell: some consoles scroll when it is written.
  return spread(banner === null ? joinFitting(groups, view.layout.columns - 1, " ") : [banner], [], view.layout.columns - 1, view.glyphs);
};
