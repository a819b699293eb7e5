// Pane 4: what happened, newest first: refreshes, failures with who is to blame, limits, clock jumps.
import { clockTime } from "../../lib/units.ts";
import type { ActivityLine } from "../../state/state.ts";
import { downTo, tableOf } from "../table.ts";
import type { Column, Table } from "../table.ts";
import { safe } from "../text.ts";
import { alertSigns, lineOf, segment } from "../theme.ts";
import type { Tone } from "../theme.ts";
import type { View } from "../view.ts";
import { listingOf } from "./listing.ts";
import type { Listing } from "./listing.ts";

/** The events as they are to be drawn. */
export const eventsListing = (view: View): Listing =>
  listingOf({ rows: view.shown.activity.toReversed(), table: eventTable(view), id: ({ seq }) => String(seq), empty: [lineOf(segment(" Nothing happened yet.", "dim"))] });

/** The table of events: time, sign, sentence. */
export const eventTable = ({ layout: { breadth, columns: width }, glyphs }: View): Table<ActivityLine> => tableOf(eventColumns(glyphs), { breadth, width, glyphs });

const tones: Readonly<Record<ActivityLine["tone"], Tone>> = { info: "plain", good: "good", warning: "warning", error: "error" };
const signs: Readonly<Record<ActivityLine["tone"], string>> = { ...alertSigns, info: " " };

const eventColumns = (glyphs: View["glyphs"]): readonly Column<ActivityLine>[] => [
  { title: "TIME", width: downTo("tiny", 8), cell: ({ at }) => segment(clockTime(at), "dim") },
  { title: "WHAT HAPPENED", width: downTo("tiny", 1), rest: true, cell: ({ tone, text }) => segment(`${signs[tone]} ${safe(text, glyphs)}`, tones[tone]) },
];
