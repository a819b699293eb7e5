// Pane 2: requests by Claude Code session, with the subagents of each below it.
import { cacheCollapse, cacheReadShare, totalInput } from "../../state/select.ts";
import type { AgentRow, SessionRow } from "../../state/state.ts";
import { amount, percent, shortSpan } from "../../state/words.ts";
import { tableHeads, tableLine } from "../format/table.ts";
import type { TableColumn } from "../format/table.ts";
import { safe } from "../format/width.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line, Segment } from "../theme.ts";
import type { View } from "../view.ts";
import type { Listing } from "./listing.ts";

const all = ["wide", "normal", "narrow", "tiny"] as const;
const roomy = ["wide", "normal"] as const;

/** The sessions as they are to be drawn, last seen first. */
export const sessionsListing = (view: View): Listing => {
  const { layout, glyphs, shown } = view;
  const setting = { breadth: layout.breadth, width: layout.columns, glyphs };
  const columns = sessionColumns(view);
  const lines = shown.sessions.flatMap((session) => [
    { id: session.id, draw: (selected: boolean) => tableLine(columns, session, selected, setting) },
    ...session.agents.map((agent) => ({ id: null, draw: () => agentLine(agent, view) })),
  ]);
  return {
    heads: tableHeads(columns, setting),
    ids: lines.map(({ id }) => id),
    line: (index, selected) => lines[index]?.draw(selected) ?? emptyLine,
    empty: [lineOf(segment(" No sessions yet. Claude Code names its session in every request; other clients may not.", "dim"))],
  };
};

/** `91%`, and what it was when it has collapsed: `3% was 91%`. */
export const cacheWord = (session: SessionRow): Segment => {
  const collapsed = cacheCollapse(session);
  if (collapsed !== null) return segment(`${percent(collapsed.now)} was ${percent(collapsed.before)}`, "warning");
  const share = cacheReadShare(session);
  return share === null ? segment("-", "dim") : segment(percent(share), share >= 0.5 ? "good" : "plain");
};

const sessionColumns = ({ now, glyphs }: View): readonly TableColumn<SessionRow>[] => [
  { title: "SESSION", width: 8, grows: true, breadths: all, cell: ({ id }) => segment(safe(id, glyphs)) },
  { title: "CLIENT", width: 20, breadths: ["wide"], cell: ({ client }) => segment(safe(client, glyphs), "dim") },
  { title: "REQ", width: 5, right: true, breadths: ["wide", "normal", "narrow"], cell: ({ requests }) => segment(amount(requests)) },
  { title: "OPEN", width: 4, right: true, breadths: roomy, cell: ({ inFlight }) => segment(String(inFlight), inFlight > 0 ? "accent" : "dim") },
  { title: "ERR", width: 4, right: true, breadths: ["wide", "normal", "narrow"], cell: ({ errors }) => segment(amount(errors), errors > 0 ? "warning" : "dim") },
  { title: "IN", width: 6, right: true, breadths: roomy, cell: (session) => segment(amount(totalInput(session))) },
  { title: "OUT", width: 6, right: true, breadths: roomy, cell: ({ outputTokens }) => segment(amount(outputTokens)) },
  { title: "CACHE", width: 12, right: true, breadths: ["wide", "normal", "narrow"], cell: cacheWord },
  { title: "SEEN", width: 5, right: true, breadths: all, cell: ({ inFlight, lastSeenAt }) => segment(inFlight > 0 ? "now" : shortSpan(now - lastSeenAt)) },
];

const agentLine = (agent: AgentRow, { glyphs }: View): Line =>
  lineOf(
    segment(`    ${glyphs.branch}${safe(agent.id, glyphs).slice(0, 24)}`, "dim"),
    segment(`  ${amount(agent.requests)} req  in ${amount(agent.inputTokens)}  out ${amount(agent.outputTokens)}`, "dim"),
  );
