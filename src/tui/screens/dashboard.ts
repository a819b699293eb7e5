// The whole screen as lines: header, list or overlay, events, footer. Exactly as many lines as the
// terminal has rows, none wider than its columns. Pure, so that every size is a table test.
import { accountsListing } from "../panes/accounts.ts";
import { eventsListing, eventTable } from "../panes/events.ts";
import { selectedIndex, windowStart } from "../panes/listing.ts";
import type { Listing } from "../panes/listing.ts";
import { requestsListing } from "../panes/requests.ts";
import { sessionsListing } from "../panes/sessions.ts";
import { fit, widthOfAll } from "../text.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line, Segment } from "../theme.ts";
import { panes } from "../ui-state.ts";
import type { Pane } from "../ui-state.ts";
import type { View } from "../view.ts";
import { footerLine } from "./footer.ts";
import { headerLines } from "./header.ts";
import { overlayHeight, overlayText } from "./overlay.ts";

/** One frame. */
export const dashboardLines = (view: View): readonly Line[] => {
  const { layout, glyphs } = view;
  const { rules, footer, rows, columns } = layout;
  const lines = [
    ...headerLines(view),
    ...(rules ? [tabsLine(view)] : []),
    ...(view.ui.overlay === null ? listLines(view) : overlayLines(view)),
    ...(rules ? [ruleLine(view)] : []),
    ...eventLines(view),
    ...(layout.events > 0 && rules && layout.breadth === "wide" && layout.header === 3 ? [ruleLine(view)] : []),
    ...(footer ? [footerLine(view)] : []),
  ];
  return filled(lines, rows).map((line) => fit(line, columns, glyphs));
};

const listings: Readonly<Record<Pane, (view: View) => Listing>> = { requests: requestsListing, sessions: sessionsListing, accounts: accountsListing, events: eventsListing };

/** What the current pane lists; the controller moves the selection along its ids. */
export const currentListing = (view: View): Listing => listings[view.ui.pane](view);

/** The id under the cursor; null in an empty list. */
export const selectedId = (view: View): string | null => {
  const listing = currentListing(view);
  return listing.ids[selectedLine(listing, view)] ?? null;
};

const selectedLine = (listing: Listing, { ui: { pane, follow, selected } }: View): number => selectedIndex(listing, pane === "requests" && follow ? null : selected[pane]);

const listLines = (view: View): readonly Line[] => {
  const { layout } = view;
  const listing = currentListing(view);
  const heads = layout.heads ? [listing.heads] : [];
  if (listing.ids.length === 0) return [...heads, ...filled(listing.empty, layout.list)];
  const selected = selectedLine(listing, view);
  const start = windowStart(listing.ids.length, layout.list, selected);
  const count = Math.min(layout.list, listing.ids.length - start);
  return [...heads, ...filled(Array.from({ length: count }, (_, index) => listing.line(start + index, start + index === selected)), layout.list)];
};

const overlayLines = (view: View): readonly Line[] => {
  const height = overlayHeight(view);
  if (height === 0) return [];
  const lines = overlayText(view);
  const start = Math.max(0, Math.min(view.ui.scroll, lines.length - height));
  return filled(lines.slice(start, start + height), height);
};

const filled = (lines: readonly Line[], height: number): readonly Line[] => {
  const kept = lines.slice(0, height);
  return [...kept, ...Array.from({ length: height - kept.length }, () => emptyLine)];
};

const eventLines = (view: View): readonly Line[] => {
  const { layout: { events }, live: { activity } } = view;
  if (events === 0) return [];
  const { line } = eventTable(view);
  return filled(activity.slice(-events).toReversed().map((entry) => line(entry, false)), events);
};

const ruleLine = ({ layout, glyphs }: View): Line => lineOf(segment(glyphs.rule.repeat(layout.columns), "dim"));

// The rule above the list carries the panes: the open one stands out, and its digit is its key.
const tabsLine = ({ layout, glyphs, ui }: View): Line => {
  const names: readonly Segment[] = panes.flatMap((pane, index) => [
    segment(glyphs.rule.repeat(index === 0 ? 1 : 2), "dim"),
    segment(pane === ui.pane ? ` [${index + 1} ${pane}] ` : ` ${index + 1} ${pane} `, pane === ui.pane ? "strong" : "dim"),
  ]);
  return lineOf(...names, segment(glyphs.rule.repeat(Math.max(0, layout.columns - widthOfAll(names))), "dim"));
};
