import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import type { Listing } from "../../../src/tui/panes/listing.ts";
import { sessionsListing } from "../../../src/tui/panes/sessions.ts";
import type { View } from "../../../src/tui/view.ts";
import { fact } from "../../state/facts.ts";
import { noon, stateOf, textOf, viewAt } from "../scene.ts";

const texts = ({ ids, line }: Listing): readonly string[] => ids.map((_, index) => textOf(line(index, false)).trimEnd());
const view = (...events: readonly Event[]): View => viewAt({ live: stateOf(events) });
const answer = (id: string, read: number, agentId: string | null = null): readonly Event[] => [
  fact("request.received", { requestId: id, sessionId: "6f1c1d9e-session", agentId, at: noon - 60_000 }),
  fact("usage.updated", { requestId: id, inputTokens: 20_000 - read, cacheReadTokens: read }),
  fact("request.finished", { requestId: id, at: noon - 30_000 }),
];

/** The tone of the cache column after an answer that read `read` tokens of 20,000 from the cache. */
const toneOf = (read: number) => {
  const { segments } = sessionsListing(view(...answer("a", read))).line(0, false);
  return segments.find(({ text }) => text.trim() === `${read / 200}%`)?.tone;
};

describe("the sessions", () => {
  it("show requests, tokens, cache share and subagents (N8, N9)", () => {
    const listing = sessionsListing(view(...answer("a", 18_000), ...answer("b", 10_000, "explorer")));
    expect(texts(listing)).toEqual([
      expect.stringMatching(/^ {2}6f1c1d9e-session +claude-cli\/2\.1\.197 +2 +0 +0 +40\.0k +620 +70% +30s$/),
      "    └ explorer  1 req  in 20.0k  out 310",
    ]);
    expect(listing.ids).toEqual(["6f1c1d9e-session", null]);
  });

  it("show a cache that serves half of the input as good", () => {
    expect([toneOf(9_800), toneOf(10_000)]).toEqual(["plain", "good"]);
  });

  it("warn when the cache collapses (N9)", () => {
    const events = ["a", "b", "c"].flatMap((id) => answer(id, 18_000)).concat(["d", "e"].flatMap((id) => answer(id, 0)));
    expect(texts(sessionsListing(view(...events)))[0]).toContain("0% was 90%");
  });
});
