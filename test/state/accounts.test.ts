import { describe, expect, it } from "vitest";
import { foldAccounts } from "../../src/state/accounts.ts";
import { initialState } from "../../src/state/state.ts";
import { reduceAll } from "../../src/state/reduce.ts";
import type { Event } from "../../src/messages/events.ts";
import type { AccountRow } from "../../src/state/state.ts";
import { fact } from "./facts.ts";

const after = (...events: readonly Event[]): readonly AccountRow[] => [fact("account.added"), ...events].reduce<readonly AccountRow[]>((rows, event) => foldAccounts(rows, event), []);
const row = (...events: readonly Event[]): AccountRow | undefined => after(...events)[0];

describe("an account", () => {
  it("is known from its announcement until its removal", () => {
    expect(row()).toMatchObject({ id: "main", label: "main", health: "healthy", requests: 0, limits: [] });
    expect(after(fact("account.removed"))).toEqual([]);
  });

  it("keeps what was learnt when it is announced again, but not its troubles", () => {
    const again = fact("account.added", { label: "new", expiresAt: 5 });
    expect(row(fact("limits.updated"), fact("token.refresh-failed"), again)).toMatchObject({ label: "new", expiresAt: 5, refreshFailures: 0, limits: [{ window: "5h" }] });
  });

  it("counts the requests it was given, also from before it was announced again", () => {
    const assigned = fact("request.assigned");
    const given = reduceAll(initialState({ version: "1", mode: "oauth" }), [fact("account.added"), assigned, assigned, fact("account.added", { label: "new" }), assigned]);
    expect(given.accounts).toMatchObject([{ label: "new", requests: 3 }]);
    expect(reduceAll(given, [assigned, fact("account.removed"), fact("account.added")]).accounts).toMatchObject([{ requests: 0 }]);
  });

  it.each([
    ["rests", [fact("account.cooling", { until: 9, reason: "529" })], { health: "cooling", coolingUntil: 9, healthReason: "529" }],
    ["is at its limit", [fact("account.cooling", { limited: true })], { health: "limited" }],
    ["serves again", [fact("account.cooling"), fact("account.healthy")], { health: "healthy", coolingUntil: null, healthReason: null }],
    ["needs a sign-in", [fact("account.needs-login")], { health: "needs-login", lastError: "invalid_grant", refreshing: false }],
    ["is switched off", [fact("account.disabled")], { enabled: false, health: "disabled" }],
    ["is switched on again", [fact("account.disabled"), fact("account.enabled")], { enabled: true, health: "healthy" }],
    ["needs a sign-in after it was switched on too", [fact("account.needs-login"), fact("account.enabled")], { enabled: true, health: "needs-login" }],
    ["is renamed", [fact("account.changed")], { label: "renamed", priority: 2 }],
  ] as const)("is shown as one that %s", (_what, events, expected) => expect(row(...events)).toMatchObject(expected));

  it("refreshes, succeeds and counts it", () => {
    expect(row(fact("token.refreshing"))).toMatchObject({ refreshing: true, lastRefreshReason: "lead" });
    expect(row(fact("token.refreshing"), fact("token.refreshed", { at: 7, newExpiresAt: 99 }))).toMatchObject({ refreshing: false, expiresAt: 99, refreshedAt: 7, refreshCount: 1 });
  });

  it("takes over another process's token without counting it as its own", () => {
    expect(row(fact("token.refresh-failed"), fact("token.adopted", { newExpiresAt: 99 }))).toMatchObject({ expiresAt: 99, refreshCount: 0, refreshFailures: 0, lastError: null });
  });

  it("remembers why a refresh failed and when the next one comes", () => {
    const failed = row(fact("token.refreshing"), fact("token.refresh-failed", { failures: 3, nextTryAt: 500 }));
    expect(failed).toMatchObject({ refreshing: false, refreshFailures: 3, nextRefreshAt: 500, lastError: "Refresh token not found" });
  });

  it("keeps one reading for each window of its limits, whatever its name", () => {
    const limits = row(fact("limits.updated"), fact("limits.updated", { window: "7d_oi", utilization: 1.02 }), fact("limits.updated", { utilization: 0.5, at: 77 }))?.limits;
    expect(limits).toMatchObject([{ window: "5h", utilization: 0.5, readAt: 77 }, { window: "7d_oi", utilization: 1.02 }]);
  });

  it("does not grow by a server that invents windows", () => {
    expect(row(...Array.from({ length: 100 }, (_, index) => fact("limits.updated", { window: `w${index}` })))?.limits).toHaveLength(20);
  });
});
