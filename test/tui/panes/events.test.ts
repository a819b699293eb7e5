import { describe, expect, it } from "vitest";
import { eventsListing } from "../../../src/tui/panes/events.ts";
import { fact } from "../../state/facts.ts";
import { noon, stateOf, textOf, viewAt } from "../scene.ts";

describe("the events", () => {
  it("stand newest first, with a sign beside the colour (N3)", () => {
    const { ids, line } = eventsListing(viewAt({ live: stateOf([fact("token.refreshed", { at: noon - 60_000 }), fact("notice", { at: noon })]) }));
    const texts = ids.map((_, index) => textOf(line(index, false)).trimEnd());
    expect(texts.slice(0, 2)).toEqual(["  12:00:00  x The disk is full. Next: free some space.", "  11:59:00  + dana (Max): token refreshed ahead of expiry in 0.4s, expiry no expiry -> no expiry"]);
  });
});
