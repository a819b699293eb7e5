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

const ended = fact("token.refreshed", { newExpiresAt: noon - minute });

describe("the banner", () => {
  it.each([
    [[fact("token.refresh-failed", { failures: 3, nextTryAt: noon + 30_000, message: "529 overloaded" })], "x REFRESH FAILED 3x: press r to try now, l to sign in. Next try in 30s. Expires in 4h12m. (529 overloaded)"],
    [[fact("token.refresh-failed", { failures: 3 }), fact("account.needs-login", { expiresAt: noon + 252 * minute })], "x REFRESH FAILED 3x: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    [[fact("account.needs-login", { expiresAt: noon + 252 * minute })], "x SIGNED OUT: sign in again. Press l. Expires in 4h12m. (invalid_grant)"],
    [[ended, fact("token.refresh-failed", { nextTryAt: noon + 1, message: "529 overloaded" })], "x TOKEN EXPIRED 1m00s ago: press r to refresh, l to sign in. (529 overloaded)"],
    [[ended, fact("token.refresh-failed", { nextTryAt: noon, message: "529 overloaded" })], undefined],
    [[ended], undefined],
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
