// Pane 1: the requests.
import { setupLines } from "../format/setup-lines.ts";
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

// The next action, not "no data".
const firstSteps = (view: View): readonly Line[] => {
  const narrow = view.layout.breadth === "narrow" || view.layout.breadth === "tiny";
  const lines = setupLines(view).map((text) => lineOf(segment(` ${text}`, "strong")));
  return [
    lineOf(segment(narrow ? "No requests yet. Point a client at it:" : " No requests yet. Point Claude Code at it, in another terminal:")),
    ...(view.layout.list > lines.length + 3 ? [emptyLine] : []),
    ...lines,
    ...(view.layout.list > lines.length + 3 ? [emptyLine] : []),
    lineOf(segment(narrow ? " c copies these lines; or run" : " c copies these lines. Shorter, with everything set:")),
    lineOf(segment(` ${view.about.program} run claude`, "strong")),
  ];
};
