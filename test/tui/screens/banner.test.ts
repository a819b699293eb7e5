import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/messages/events.ts";
import { bannerOf } from "../../../src/tui/screens/banner.ts";
import { fact } from "../../state/facts.ts";
import { noon, stateOf, textOf, viewAt } from "../scene.ts";

const minute = 60_000;
const banner = (...events: readonly Event[]): string | undefined => {
  const line = bannerOf(viewAt({ live: stateOf(events) }));
  return line === null ? undefined : textOf(line);
};

const failing = fact("token.refresh-failed", { failures: 3, nextTryAt: noon + 30_000, message: "529 overloaded" });
const signedOut = fact("account.needs-login", { expiresAt: noon + 252 * minute });
const waiting = fact("token.refresh-failed", { nextTryAt: noon + 1, message: "529 overloaded" });
const ended = fact("token.refreshed", { newExpiresAt: noon - minute });

describe("the banner", () => {
  it.each([
    ["refreshes that fail", [failing], "x REFRESH FAILED 3x: press r to try now, l to sign in. Next try in 30s. Expires in 4h12m. (529 overloaded)"],
    ["a refresh that fails once", [fact("token.refresh-failed", { failures: 1 }), signedOut], "x REFRESH FAILED 1x: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    ["refreshes that fail until the sign-in is gone", [fact("token.refresh-failed", { failures: 3 }), signedOut], "x REFRESH FAILED 3x: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    ["a sign-in that is gone", [signedOut], "x SIGNED OUT: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    ["a token that has ended while its refresh waits", [ended, waiting], "x TOKEN EXPIRED 1m00s ago: press r to refresh, l to sign in. (529 overloaded)"],
    ["a token that has ended, whose next refresh is due", [ended, fact("token.refresh-failed", { nextTryAt: noon, message: "529 overloaded" })], undefined],
    ["a token that has just ended", [ended], undefined],
    ["every account disabled", [fact("account.disabled")], "x EVERY ACCOUNT IS DISABLED. Press 3, then d to enable one."],
    ["no account", [fact("account.removed")], "x NO ACCOUNT: sign in. Press l."],
    ["an upstream that cannot be reached", [fact("attempt.failed", { at: noon - 5000 }), fact("attempt.failed")], "! UPSTREAM api.anthropic.com ENOTFOUND x2 since 11:59:55. Token ok 4h12m."],
    ["a full disk", [fact("notice", { at: noon - minute })], "! The disk is full. Next: free some space."],
    ["a full disk of six minutes ago", [fact("notice", { at: noon - 6 * minute })], undefined],
    ["a warning", [fact("notice", { at: noon, level: "warning" })], undefined],
    ["nothing wrong", [], undefined],
  ])("for %s", (_name, events, text) => expect(banner(...events)).toBe(text));

  it("is not raised for one account while another serves", () => {
    expect(banner(fact("account.added", { accountId: "b" }), fact("account.needs-login"))).toBeUndefined();
  });
});
