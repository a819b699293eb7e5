// Pane 4: what happened, newest first: refreshes, failures with who is to blame, limits, clock jumps.
import type { ActivityLine } from "../../state/state.ts";
import { clockTime } from "../../state/words.ts";
import { safe } from "../format/width.ts";
import { emptyLine, lineOf, segment } from "../theme.ts";
import type { Line, Tone } from "../theme.ts";
import type { View } from "../view.ts";
import type { Listing } from "./listing.ts";

const tones: Readonly<Record<ActivityLine["tone"], Tone>> = { info: "plain", good: "good", warning: "warning", error: "error" };

/** The events as they are to be drawn. */
export const eventsListing = ({ shown, glyphs }: View): Listing => {
  const { activity } = shown;
  const at = (index: number): ActivityLine | undefined => activity[activity.length - 1 - index];
  return {
    heads: lineOf(segment("  TIME      WHAT HAPPENED", "dim")),
    ids: activity.map((_, index) => String(at(index)?.seq)),
    line: (index, selected) => {
      const entry = at(index);
      return entry === undefined ? emptyLine : eventLine(entry, selected, { glyphs });
    },
    empty: [lineOf(segment(" Nothing happened yet.", "dim"))],
  };
};

// A sign beside the colour, so that a failure is one without colours too.
const signs: Readonly<Record<ActivityLine["tone"], string>> = { info: " ", good: "+", warning: "!", error: "x" };

/** One line: time, sign, sentence. */
export const eventLine = (entry: ActivityLine, selected: boolean, { glyphs }: Pick<View, "glyphs">): Line => ({
  segments: [segment(`${selected ? ">" : " "} ${clockTime(entry.at)}  `, "dim"), segment(`${signs[entry.tone]} ${safe(entry.text, glyphs)}`, tones[entry.tone])],
  selected,
});
