// Pane 1: the requests.
import { clientAddress, setupLines } from "../format/setup-lines.ts";
import { requestHeads, requestLine } from "../format/request-row.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line } from "../theme.ts";
import { visibleRequests } from "../view.ts";
import type { View } from "../view.ts";
import type { Listing } from "./listing.ts";

/** The requests as they are to be drawn. */
export const requestsListing = (view: View): Listing => {
  const { layout, now, glyphs, shown } = view;
  const setting = { breadth: layout.breadth, width: layout.columns, now, glyphs };
  const rows = visibleRequests(view);
  return {
    heads: requestHeads(setting),
    ids: rows.map(({ id }) => id),
    line: (index, selected) => {
      const row = rows[index];
      return row === undefined ? emptyLine : requestLine(row, selected, setting);
    },
    empty: shown.requests.rows.length === 0 ? firstSteps(view) : [lineOf(segment(" No request matches. Esc shows all.", "dim"))],
  };
};

const command = (text: string): Line => lineOf(segment(` ${text}`, "strong"));

// The next action, not "no data".
const firstSteps = (view: View): readonly Line[] => {
  const { breadth, list } = view.layout;
  const shorter = command(`${view.about.program} run claude`);
  if (breadth === "narrow" || breadth === "tiny") {
    return [lineOf(segment("No requests yet. In another terminal:")), shorter, lineOf(segment("or point a client at it:")), command("ANTHROPIC_BASE_URL="), command(clientAddress(view)), lineOf(segment("c copies the lines for Claude Code"))];
  }
  const lines = setupLines(view).map(command);
  const gap = list > lines.length + 4 ? [emptyLine] : [];
  return [
    lineOf(segment(" No requests yet. Point Claude Code at it, in another terminal:")),
    ...gap,
    ...lines,
    ...gap,
    lineOf(segment(" c copies these lines. Shorter, with everything set:")),
    shorter,
  ];
};
