import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import { accountsListing } from "../../../src/tui/panes/accounts.ts";
import { eventsListing } from "../../../src/tui/panes/events.ts";
import { selectedIndex, windowStart } from "../../../src/tui/panes/listing.ts";
import type { Listing } from "../../../src/tui/panes/listing.ts";
import { sessionsListing } from "../../../src/tui/panes/sessions.ts";
import type { View } from "../../../src/tui/view.ts";
import { fact } from "../../state/facts.ts";
import { noon, pictureOf, textOf, viewAt } from "../scene.ts";

const texts = ({ ids, line }: Listing): readonly string[] => ids.map((_, index) => textOf(line(index, false)).trimEnd());
const view = (...events: readonly Event[]): View => viewAt({ live: pictureOf(events) });
const answer = (id: string, read: number, agentId: string | null = null): readonly Event[] => [
  fact("request.received", { requestId: id, sessionId: "6f1c1d9e-session", agentId, at: noon - 60_000 }),
  fact("usage.updated", { requestId: id, inputTokens: 20_000 - read, cacheReadTokens: read }),
  fact("request.finished", { requestId: id, at: noon - 30_000 }),
];

describe("the sessions", () => {
  it("N8 N9 show requests, tokens, cache share and subagents", () => {
    const listing = sessionsListing(view(...answer("a", 18_000), ...answer("b", 10_000, "explorer")));
    expect(texts(listing)).toEqual([
      expect.stringMatching(/^ {2}6f1c1d9e-session +claude-cli\/2\.1\.197 +2 +0 +0 +40\.0k +620 +70% +30s$/),
      "    └ explorer  1 req  in 20.0k  out 310",
    ]);
    expect(listing.ids).toEqual(["6f1c1d9e-session", null]);
  });

  it("N9 warn when the cache collapses", () => {
    const events = ["a", "b", "c"].flatMap((id) => answer(id, 18_000)).concat(["d", "e"].flatMap((id) => answer(id, 0)));
    expect(texts(sessionsListing(view(...events)))[0]).toContain("0% was 90%");
  });
});

describe("the accounts", () => {
  it("show health, token, next refresh, limits and the last error of each", () => {
    const listing = accountsListing(view(fact("limits.updated", { at: noon, resetsAt: noon + 130 * 60_000 }), fact("account.added", { accountId: "b", label: "", kind: "api_key", priority: 2 }), fact("token.refresh-failed", { nextTryAt: noon + 30_000 })));
    expect(texts(listing)).toEqual([
      expect.stringMatching(/^ {2}dana \(Max\) +plan +1 {2}healthy +failed 4h12m +refresh in 30s +0$/),
      "    5h 42% ↻2h",
      "    last error: Refresh token not found",
      expect.stringMatching(/^ {2}b +key +2 {2}healthy +key +0$/),
    ]);
  });

  it("say what to do when there is none, and why there is none in pass-through mode", () => {
    expect(accountsListing(view(fact("account.removed"))).empty.map(textOf)).toEqual([" No account yet. a signs one in, y adds an API key."]);
    expect(accountsListing(viewAt({ live: pictureOf([], "pass-through") })).empty.map(textOf)).toEqual([" pass-through: the client keeps its own login, nothing is stored here."]);
  });
});

describe("the events", () => {
  it("N3 stand newest first, with a sign beside the colour", () => {
    const listing = eventsListing(view(fact("token.refreshed", { at: noon - 60_000 }), fact("notice", { at: noon })));
    expect(texts(listing).slice(0, 2)).toEqual(["  12:00:00  x The disk is full. Next: free some space.", "  11:59:00  + dana (Max): token refreshed ahead of expiry in 0.4s, expiry no expiry -> no expiry"]);
  });
});

describe("a window on a list", () => {
  it("keeps the selected line in the middle as far as the ends allow", () => {
    expect([0, 3, 50, 98].map((index) => windowStart(100, 10, index))).toEqual([0, 0, 45, 90]);
    expect(windowStart(3, 10, 2)).toBe(0);
  });

  it("falls back to the first line that can be selected", () => {
    expect(selectedIndex({ ids: [null, "a", "b"] }, "gone")).toBe(1);
    expect(selectedIndex({ ids: ["a", "b"] }, "b")).toBe(1);
    expect(selectedIndex({ ids: [] }, null)).toBe(-1);
  });
});
