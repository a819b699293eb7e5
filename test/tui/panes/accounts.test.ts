import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import type { AccountRow, LimitReading } from "../../../src/state/state.ts";
import { accountsListing, lifeBar, limitSegments, limitText, refreshText, timeLeft, tokenShort, tokenWord } from "../../../src/tui/panes/accounts.ts";
import type { Listing } from "../../../src/tui/panes/listing.ts";
import { glyphsFor } from "../../../src/tui/theme.ts";
import type { View } from "../../../src/tui/view.ts";
import { fact } from "../../state/facts.ts";
import { noon, stateOf, textOf, viewAt } from "../scene.ts";

const texts = ({ ids, line }: Listing): readonly string[] => ids.map((_, index) => textOf(line(index, false)).trimEnd());
const view = (...events: readonly Event[]): View => viewAt({ live: stateOf(events) });
const minute = 60_000;
const hour = 60 * minute;
const glyphs = glyphsFor(false);
const account = (about: Partial<AccountRow> = {}): AccountRow => ({ ...(stateOf().accounts[0] as AccountRow), ...about });
const usual = { status: "allowed", utilization: 0.42, resetsAt: noon + 130 * minute, representative: false, readAt: noon } as const;
const limit = (window: string, about: Partial<LimitReading> = {}): LimitReading => ({ window, ...usual, ...about });
const shown = (limits: readonly LimitReading[], ascii = false): string => limitSegments(account({ limits }), noon, glyphsFor(ascii)).map(({ text }) => text).join("");

describe("plan limits beside the token", () => {
  it.each([
    ["two windows, the shorter one first", [limit("7d", { utilization: 0.13, resetsAt: noon + 75 * hour }), limit("5h")], "5h 42% ↻2h · 7d 13% ↻3d"],
    ["a window that refuses", [limit("5h", { utilization: 1.02, status: "rejected" })], "5h 102% FULL ↻2h"],
    ["a window that warns", [limit("5h", { status: "allowed_warning" })], "5h 42% HIGH ↻2h"],
    ["a window of one model family", [limit("7d_oi"), limit("5h")], "5h 42% ↻2h · 7d_oi 42% ↻2h"],
    ["overage that is not in use", [limit("5h"), limit("overage", { utilization: 0 })], "5h 42% ↻2h"],
    ["overage in use", [limit("5h"), limit("overage", { utilization: 0.1, resetsAt: null })], "5h 42% ↻2h · overage 10%"],
    ["a refusal that names no window", [limit("", { utilization: null, status: "rejected" })], "plan FULL ↻2h"],
    ["an answer without figures", [limit("", { utilization: null })], ""],
    ["a window that was reset since", [limit("5h", { resetsAt: noon - 1 })], ""],
    ["a reading of twelve minutes ago", [limit("5h", { readAt: noon - 12 * minute })], "5h 42% ↻2h (12m ago)"],
  ])("%s (N2)", (_name, limits, text) => expect(shown(limits)).toBe(text));

  it.each([[0.79, "plain"], [0.8, "warning"], [0.99, "warning"], [1, "error"]])("at %d are %s", (utilization, tone) => {
    expect(limitSegments(account({ limits: [limit("5h", { utilization })] }), noon, glyphs)[0]?.tone).toBe(tone);
  });

  it("are ASCII where nothing else can be drawn", () => expect(shown([limit("5h"), limit("7d")], true)).toBe("5h 42% ~2h | 7d 42% ~2h"));
  it("are told in full in the details", () => expect(limitText(limit("5h", { representative: true }), noon + minute, glyphs)).toBe("5h, 42%, allowed, resets in 2h, binding, read 1m ago"));
});

describe("the token", () => {
  it.each([
    [{}, "TOKEN OK", "ok 4h12m"],
    [{ expiresAt: noon + 250_000 }, "TOKEN EXPIRING", "expiring 4m10s"],
    [{ expiresAt: noon }, "TOKEN EXPIRED", "expired"],
    [{ refreshing: true }, "TOKEN REFRESHING", "refreshing"],
    [{ refreshFailures: 2 }, "REFRESH FAILED", "failed 4h12m"],
    [{ health: "needs-login" }, "SIGN IN AGAIN", "sign in"],
    [{ kind: "api_key", expiresAt: null }, "API KEY", "key"],
    [{ enabled: false }, "DISABLED", "disabled"],
  ] as const)("%j reads %s and in tables %s", (about, word, short) => expect([tokenWord(account(about), noon).text, tokenShort(account(about), noon).text]).toEqual([word, short]));

  it("shows seconds only in the last ten minutes", () => {
    expect([250_000, 11 * minute, 252 * minute].map((left) => timeLeft(noon + left, noon))).toEqual(["4m10s", "11m", "4h12m"]);
  });

  it("says when the refresh will run", () => {
    expect(refreshText(account({ expiresAt: noon + 6 * minute }), noon, 300_000)).toBe("refresh in 1m00s");
    expect(refreshText(account({ expiresAt: noon + minute }), noon, 300_000)).toBe("refresh due");
    expect(refreshText(account({ nextRefreshAt: noon + 30_000 }), noon, 300_000)).toBe("refresh in 30s");
    expect(refreshText(account({ kind: "api_key" }), noon, 300_000)).toBe("");
  });

  it("has a bar of what is left of its life", () => {
    expect(lifeBar(account({ refreshedAt: noon - 2 * hour, expiresAt: noon + 6 * hour }), noon, 12)).toBe("[#########---]");
    expect(lifeBar(account({ expiresAt: noon - 1 }), noon, 4)).toBe("[----]");
    expect(lifeBar(account({ expiresAt: null }), noon, 4)).toBe("");
  });
});

/** The tone of the last error of an account whose refresh has failed. */
const toneAfter = (...events: readonly Event[]) => {
  const { ids, line } = accountsListing(view(fact("token.refresh-failed", { nextTryAt: noon }), ...events));
  return ids.map((_, index) => line(index, false)).find((drawn) => textOf(drawn).includes("last error"))?.segments[0]?.tone;
};

describe("the accounts", () => {
  it("show health, token, next refresh, limits and the last error of each", () => {
    const limits = fact("limits.updated", { at: noon, resetsAt: noon + 130 * 60_000 });
    const second = fact("account.added", { accountId: "b", label: "", kind: "api_key", priority: 2 });
    const listing = accountsListing(view(limits, second, fact("token.refresh-failed", { nextTryAt: noon + 30_000 })));
    expect(texts(listing)).toEqual([
      expect.stringMatching(/^ {2}dana \(Max\) +plan +1 {2}healthy +failed 4h12m +refresh in 30s +0$/),
      "    5h 42% ↻2h",
      "    last error: Refresh token not found",
      expect.stringMatching(/^ {2}b +key +2 {2}healthy +key +0$/),
    ]);
  });

  it("show the last error of an account that needs a sign-in as one, and any other as a warning", () => {
    expect([toneAfter(), toneAfter(fact("account.needs-login"))]).toEqual(["warning", "error"]);
  });

  it("say what to do when there is none, and why there is none in pass-through mode", () => {
    expect(accountsListing(view(fact("account.removed"))).empty.map(textOf)).toEqual([" No account yet. a signs one in, y adds an API key."]);
    expect(accountsListing(viewAt({ live: stateOf([], "pass-through") })).empty.map(textOf)).toEqual([" pass-through: the client keeps its own login, nothing is stored here."]);
  });
});
