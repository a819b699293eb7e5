import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import type { AccountRow, LimitReading } from "../../../src/state/state.ts";
import { accountLine } from "../../../src/tui/format/account-line.ts";
import { bannerOf } from "../../../src/tui/format/banner.ts";
import { limitSegments, limitText } from "../../../src/tui/format/limits.ts";
import { lifeBar, refreshText, timeLeft, tokenShort, tokenWord } from "../../../src/tui/format/token.ts";
import { glyphsFor } from "../../../src/tui/theme.ts";
import { fact } from "../../state/facts.ts";
import { noon, pictureOf, textOf, viewAt } from "../scene.ts";

const minute = 60_000;
const hour = 60 * minute;
const glyphs = glyphsFor(false);
const account = (about: Partial<AccountRow> = {}): AccountRow => ({ ...(pictureOf().accounts[0] as AccountRow), ...about });
const limit = (window: string, about: Partial<LimitReading> = {}): LimitReading => ({ window, status: "allowed", utilization: 0.42, resetsAt: noon + 130 * minute, representative: false, readAt: noon, ...about });
const shown = (limits: readonly LimitReading[], ascii = false): string => limitSegments(account({ limits }), noon, glyphsFor(ascii)).map(({ text }) => text).join("");

describe("plan limits beside the token", () => {
  it.each([
    [[limit("7d", { utilization: 0.13, resetsAt: noon + 75 * hour }), limit("5h")], "5h 42% ↻2h · 7d 13% ↻3d"],
    [[limit("5h", { utilization: 1.02, status: "rejected" })], "5h 102% FULL ↻2h"],
    [[limit("5h", { status: "allowed_warning" })], "5h 42% HIGH ↻2h"],
    [[limit("7d_oi"), limit("5h")], "5h 42% ↻2h · 7d_oi 42% ↻2h"],
    [[limit("5h"), limit("overage", { utilization: 0 })], "5h 42% ↻2h"],
    [[limit("5h"), limit("overage", { utilization: 0.1, resetsAt: null })], "5h 42% ↻2h · overage 10%"],
    [[limit("", { utilization: null, status: "rejected" })], "plan FULL ↻2h"],
    [[limit("", { utilization: null })], ""],
    [[limit("5h", { resetsAt: noon - 1 })], ""],
    [[limit("5h", { readAt: noon - 12 * minute })], "5h 42% ↻2h (12m ago)"],
  ])("N2 %#", (limits, text) => expect(shown(limits)).toBe(text));

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

const line = (columns: number, ...events: readonly Event[]): string => textOf(accountLine(viewAt({ columns, live: pictureOf(events) }))).trimEnd();

describe("the account's line", () => {
  it("tells of an expiring token when it will be refreshed", () => {
    expect(line(80, fact("token.refreshed", { at: noon - 8 * hour, newExpiresAt: noon + 370_000 }))).toBe(" dana (Max)  TOKEN EXPIRING in 6m10s  refresh in 1m10s  [----------]");
  });

  it("tells that an account rests, and that others are signed out", () => {
    expect(line(80, fact("account.cooling", { until: noon + 5 * minute, limited: true }))).toContain("limited to 12:05");
    expect(line(100, fact("account.added", { accountId: "b", label: "b" }), fact("account.needs-login", { accountId: "b" }))).toContain("1 of 2 signed out (3, l)");
    expect(line(100, fact("account.added", { accountId: "b", label: "b" }))).toContain("+1 more");
  });

  it("keeps the token whole in the smallest terminals", () => {
    expect(line(30, fact("token.refreshed", { newExpiresAt: noon + 373_000 }))).toBe("TOKEN EXPIRING 6m13s");
  });

  it("N11 says in pass-through mode that nothing is stored", () => {
    expect(textOf(accountLine(viewAt({ live: pictureOf([], "pass-through") })))).toContain("PASS-THROUGH: the client keeps its own login, nothing is stored");
  });
});

const banner = (...events: readonly Event[]): string | undefined => bannerOf(viewAt({ live: pictureOf(events) }))?.text;

describe("the banner", () => {
  it.each([
    [[fact("token.refresh-failed", { failures: 3, nextTryAt: noon + 30_000, message: "529 overloaded" })], "x REFRESH FAILED 3x: press r to try now, l to sign in. Next try in 30s. Expires in 4h12m. (529 overloaded)"],
    [[fact("token.refresh-failed", { failures: 3 }), fact("account.needs-login")], "x REFRESH FAILED 3x: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    [[fact("account.needs-login")], "x SIGNED OUT: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    [[fact("token.refreshed", { newExpiresAt: noon - minute })], "x TOKEN EXPIRED 1m00s ago: press r to refresh, l to sign in."],
    [[fact("account.disabled")], "x EVERY ACCOUNT IS DISABLED. Press 3, then d to enable one."],
    [[fact("account.removed")], "x NO ACCOUNT: sign in. Press l."],
    [[fact("attempt.failed", { at: noon - 5000 }), fact("attempt.failed")], "! UPSTREAM api.anthropic.com ENOTFOUND x2 since 11:59:55. Token ok 4h12m."],
    [[fact("notice", { at: noon - minute })], "! The disk is full. Next: free some space."],
    [[fact("notice", { at: noon - 6 * minute })], undefined],
    [[fact("notice", { at: noon, level: "warning" })], undefined],
    [[], undefined],
  ])("%#", (events, text) => expect(banner(...events)).toBe(text));

  it("is not raised for one account while another serves", () => {
    expect(banner(fact("account.added", { accountId: "b" }), fact("account.needs-login"))).toBeUndefined();
  });
});
