// Pane 2: requests by Claude Code session, with the subagents of each below it.
import { amount, percent, shortSpan } from "../../lib/units.ts";
import { cacheReadShare, totalInput } from "../../messages/usage.ts";
import { cacheCollapse } from "../../state/select.ts";
import type { AgentRow, SessionRow } from "../../state/state.ts";
import { downTo, tableOf } from "../table.ts";
import type { Column } from "../table.ts";
import { safe } from "../text.ts";
import { lineOf, segment } from "../theme.ts";
import type { Line, Segment } from "../theme.ts";
import type { View } from "../view.ts";
import { listingOf } from "./listing.ts";
import type { Listing } from "./listing.ts";

/** The sessions as they are to be drawn, last seen first. */
export const sessionsListing = (view: View): Listing => {
  const { layout, glyphs, shown } = view;
  return listingOf({
    rows: shown.sessions,
    table: tableOf(sessionColumns(view), { breadth: layout.breadth, width: layout.columns, glyphs }),
    id: ({ id }) => id,
    below: ({ agents }) => agents.map((agent) => agentLine(agent, view)),
    empty: [lineOf(segment(" No sessions yet. Claude Code names its session in every request; other clients may not.", "dim"))],
  });
};

const sessionColumns = ({ now, glyphs }: View): readonly Column<SessionRow>[] => [
  { title: "SESSION", width: downTo("tiny", 8), rest: true, cell: ({ id }) => safe(id, glyphs) },
  { title: "CLIENT", width: downTo("wide", 20), cell: ({ client }) => segment(safe(client, glyphs), "dim") },
  { title: "REQ", width: downTo("narrow", 5), right: true, cell: ({ requests }) => amount(requests) },
  { title: "OPEN", width: downTo("normal", 4), right: true, cell: ({ inFlight }) => segment(String(inFlight), inFlight > 0 ? "accent" : "dim") },
  { title: "ERR", width: downTo("narrow", 4), right: true, cell: ({ errors }) => segment(amount(errors), errors > 0 ? "warning" : "dim") },
  { title: "IN", width: downTo("normal", 6), right: true, cell: (session) => amount(totalInput(session)) },
  { title: "OUT", width: downTo("normal", 6), right: true, cell: ({ outputTokens }) => amount(outputTokens) },
  { title: "CACHE", width: downTo("narrow", 12), right: true, cell: (session) => cacheWord(session) },
  { title: "SEEN", width: downTo("tiny", 5), right: true, cell: ({ inFlight, lastSeenAt }) => (inFlight > 0 ? "now" : shortSpan(now - lastSeenAt)) },
];

/** `91%`, and what it was when it has collapsed: `3% was 91%`. */
export const cacheWord = (session: SessionRow): Segment => {
  const collapsed = cacheCollapse(session);
  if (collapsed !== null) return segment(`${percent(collapsed.now)} was ${percent(collapsed.before)}`, "warning");
  const share = cacheReadShare(session);
  return share === null ? segment("-", "dim") : segment(percent(share), share >= 0.5 ? "good" : "plain");
};

const agentLine = (agent: AgentRow, { glyphs }: View): Line =>
  lineOf(segment(`    ${glyphs.branch}${safe(agent.id, glyphs).slice(0, 24)}  ${amount(agent.requests)} req  in ${amount(agent.inputTokens)}  out ${amount(agent.outputTokens)}`, "dim"));
